"""Several analyses of one circuit in one process: each is known by its name, and is there in full or not at all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kanspice.engine.ngspice.deck import ONE_THREAD
from kanspice.engine.ngspice.diagnose import complaint, suspicion
from kanspice.engine.ngspice.process import run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.simulators.process import working_folder
from kanspice.engine.simulators.raw import Plot, read_plots

_DECK = "bench.cir"
_MARK = "kanspice begins"
_NO_TRANSIENT_START = "optran 1 1 1 0 0 0"
"""An operating point that stepping finds no way to is not looked for over time, which may take for ever."""

Vectors = Mapping[str, npt.NDArray[np.float64] | npt.NDArray[np.complex128]]
"""By name: (points,) each; the first is what was swept."""


@dataclass(frozen=True)
class Analysis:
    """One analysis: its command, and the vectors that are kept of it.

    before: commands that change the circuit first. end: what the swept quantity must reach; is_partial: or the points
    are kept that there are, where there is one at least. plot: the plot that is kept, where the analysis makes several.
    """

    name: str
    command: str
    vectors: tuple[str, ...]
    before: tuple[str, ...] = ()
    end: float | None = None
    is_partial: bool = False
    plot: str | None = None


@dataclass(frozen=True)
class Analysed:
    """What the analyses gave, by name; of those that gave nothing, why."""

    found: Mapping[str, Vectors]
    why_not: Mapping[str, str] = field(default_factory=dict)
    wall_s: float = 0.0


def analyse(circuit: Sequence[str], analyses: Sequence[Analysis], timeout_s: float) -> Analysed:
    """Runs the analyses one after the other in one process, each from scratch.

    circuit: netlist lines without a title. An analysis that did not converge, or whose numbers are not all finite, is
    not among what was found. Raises SimulatorError where ngspice is missing.
    """
    program, started = find_ngspice(), time.monotonic()
    with working_folder() as folder:
        (folder / _DECK).write_text("\n".join(_deck(circuit, analyses)) + "\n", encoding="utf-8")
        run = run_deck(program, folder, _DECK, deadline=started + timeout_s)
        plots = {each.name: read_plots(folder / f"{each.name}.raw") for each in analyses}
    found: dict[str, Vectors] = {}
    why_not: dict[str, str] = {}
    for each in analyses:
        table = _whole(each, plots[each.name])
        if table is not None:
            found[each.name] = table
        elif run.timed_out:
            why_not[each.name] = f"no result in {timeout_s:g} s"
        else:
            why_not[each.name] = _complaint(run.messages, each.name)
    return Analysed(found, why_not, time.monotonic() - started)


def _deck(circuit: Sequence[str], analyses: Sequence[Analysis]) -> list[str]:
    lines = ["* kanspice", *circuit, ".control", ONE_THREAD, "set noaskquit", _NO_TRANSIENT_START]
    for each in analyses:
        lines += [f"echo {_MARK} {each.name}", "destroy all", *each.before, each.command]
        lines += [f"setplot {each.plot}"] if each.plot else []
        lines += [f"write {each.name}.raw {' '.join(each.vectors)}"]
    return [*lines, "quit", ".endc", ".end"]


def _whole(analysis: Analysis, plots: Sequence[Plot]) -> Vectors | None:
    """The vectors of an analysis that came to its end with finite numbers; None for any other."""
    if len(plots) != 1 or not plots[0].is_complete or not np.isfinite(plots[0].table).all():
        return None
    plot = plots[0]
    swept = plot.table[:, 0].real
    if analysis.end is not None and not analysis.is_partial and not _reached(swept, analysis.end):
        return None
    return {name: plot.table[:, column] for column, name in enumerate(plot.vectors)}


def _reached(swept: npt.NDArray[np.float64], end: float) -> bool:
    """Whether the last point is the end, to a part of a step."""
    return bool(abs(swept[-1] - end) <= 1e-3 * abs(swept[-1] - swept[0]) / len(swept))


def _complaint(messages: str, name: str) -> str:
    """What ngspice said of this analysis: what casts doubt on it, or the first that reads like an error."""
    said = messages.partition(f"{_MARK} {name}")[2].partition(_MARK)[0] or messages
    doubt = suspicion(said) or suspicion(messages)
    return complaint(said) or "it did not converge" if doubt is None else doubt[1]
