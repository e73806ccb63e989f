"""Pictures of a measured chip: its outputs against the network's and the circuit's, and whose errors they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.arrays import Array
from kanspice.experiments.verify.result import GapResult
from kanspice.report.figures import BLUE, GREY, VERMILLION, dots, nothing, padded, picture
from kanspice.report.formatting import number, percentage

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def parity(result: GapResult) -> Figure:
    """The chip's outputs against the network's, and over them against the circuit's: two points for each."""
    chip, circuit, network = _compared(result)
    with picture(4.2, "The chip's outputs against what was expected") as (figure, axes):
        if not chip.size:
            nothing(axes)
            return figure
        every = np.concatenate([chip, circuit, network])
        low, high = padded(float(every.min()), float(every.max()))
        axes.plot([low, high], [low, high], color=GREY, linewidth=0.8)
        for expected, colour, name in ((network, BLUE, "network's"), (circuit, VERMILLION, "circuit's")):
            dots(axes, expected, chip, colour, f"against the {name}")
        axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        axes.set(xlabel="expected output (model units)", ylabel="chip's output (model units)")
        axes.legend(loc="lower right")
        return figure


def errors(result: GapResult) -> Figure:
    """The chip's error of every measured output against the circuit's, both from the network.

    On the line the circuit explains everything; points along the vertical axis are errors that it knows nothing of.
    """
    chip, circuit, network = _compared(result)
    with picture(4.2, _title(result)) as (figure, axes):
        if not chip.size:
            nothing(axes)
            return figure
        simulated, real = circuit - network, chip - network
        low, high = padded(float(min(simulated.min(), real.min())), float(max(simulated.max(), real.max())))
        axes.plot([low, high], [low, high], color=GREY, linewidth=0.8, label="chip = circuit")
        dots(axes, simulated, real, BLUE)
        axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        axes.set(xlabel="circuit - network (model units)", ylabel="chip - network (model units)")
        axes.legend(loc="lower right")
        return figure


def _compared(result: GapResult) -> tuple[Array, Array, Array]:
    """Chip's, circuit's and network's outputs, flat, where all of them are known."""
    known = np.isfinite(result.chip_outputs) & np.isfinite(result.outputs) & np.isfinite(result.reference)
    return result.chip_outputs[known], result.outputs[known], result.reference[known]


def _title(result: GapResult) -> str:
    chip = result.chip
    if chip is None or chip.unexplained is None:
        return "The chip's errors and the circuit's"
    if chip.unexplained > 1:
        return f"Not explained by the circuit: correlation {number(chip.correlation)}"
    where = "" if chip.unfitted is None else " where not fitted"
    return f"Explained{where}: {percentage(1 - chip.unexplained)} of the squared gap"
