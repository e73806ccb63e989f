"""Pictures of answers that are wrong: which class is taken for which, and the samples that are off the most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kanspice.gap.answers import Confusion
from kanspice.gap.worst import WorstSample
from kanspice.report.figures import BLUE, VERMILLION, blank, picture
from kanspice.report.formatting import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PER_ROW = 4
_SMALL_TEXT_FROM = 12


def confusion(found: Confusion) -> Figure:
    """Samples by row and by the circuit's decision; beside a number, how that differs from the network's.

    Blue on the diagonal, orange elsewhere, the darker the more.
    """
    from matplotlib.colors import to_rgba  # noqa: PLC0415 - see figures.blank

    counts = np.array(found.circuit)
    network = np.array(found.network) if found.network else np.diag(counts.sum(axis=1) + np.array(found.failed))
    classes, rows = len(counts), np.maximum(counts.sum(axis=1) + np.array(found.failed), 1)
    with picture(4.2, _title(found, counts, network)) as (figure, axes):
        colours = np.zeros((classes, classes, 4))
        for row in range(classes):
            for column in range(classes):
                part = counts[row, column] / rows[row]
                colours[row, column] = to_rgba(BLUE if row == column else VERMILLION, min(1.0, 0.08 + 0.7 * part**0.5))
                if not counts[row, column] and not network[row, column]:
                    colours[row, column, 3] = 0.0
                    continue
                change = counts[row, column] - network[row, column]
                text = f"{counts[row, column]}" + (f"\n{change:+d}" if change else "")
                size = 6 if classes > _SMALL_TEXT_FROM else 8
                axes.text(column, row, text, ha="center", va="center", fontsize=size)
        axes.imshow(colours, aspect="auto")
        axes.set(
            xticks=range(classes),
            yticks=range(classes),
            xlabel="the circuit's largest output",
            ylabel="true class" if found.of_labels else "the network's largest output",
        )
        axes.tick_params(length=0)
        return figure


def images(worst: Sequence[WorstSample]) -> Figure:
    """The inputs of the worst samples as images, each with what network and circuit say."""
    shown = [sample for sample in worst if sample.image is not None]
    rows = -(-len(shown) // _PER_ROW)
    with blank(0.2 + 1.55 * rows) as figure:
        grid = figure.subplots(rows, _PER_ROW, squeeze=False).ravel().tolist()
        for axes in grid:
            axes.set_axis_off()
        for axes, sample in zip(grid, shown, strict=False):
            if sample.image is not None:
                axes.imshow(sample.image.values, cmap="gray", interpolation="nearest")
                axes.set_title(f"sample {sample.index}\n{_said(sample)}", fontsize=7.5, loc="center")
        return figure


def _said(sample: WorstSample) -> str:
    if sample.decisions is not None and sample.decisions[0] != sample.decisions[1]:
        return f"{sample.decisions[0]} → {sample.decisions[1]}"
    return f"output {sample.output} off by {number(sample.max_abs)}"


def _title(found: Confusion, counts: np.ndarray, network: np.ndarray) -> str:
    failed = sum(found.failed)
    wrong = int(counts.sum() - np.trace(counts)) + failed
    lost = f", {failed} of them without a result" if failed else ""
    if not found.of_labels:
        return f"{wrong} samples are decided otherwise than by the network{lost}"
    return f"Wrong: network {int(network.sum() - np.trace(network))}, circuit {wrong}{lost}"
