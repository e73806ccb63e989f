"""Pictures of a gap: outputs against outputs, stage by stage, and how large the errors are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.arrays import Array
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.metrics import spread
from kanspice.report.figures import (
    BLUE,
    GREY,
    SHORT,
    VERMILLION,
    dots,
    nothing,
    padded,
    picture,
    tick_decades,
)
from kanspice.report.formatting import many, number, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BINS = 41


def parity(result: GapResult) -> Figure:
    """The circuit's outputs against the network's, every output of every solved sample a point."""
    expected, found = _solved(result)
    title = f"Circuit against network: relative RMSE {number(result.gap.relative_rmse)}"
    with picture(4.2, title) as (figure, axes):
        if expected.size:
            low, high = padded(min(expected.min(), found.min()), max(expected.max(), found.max()))
            axes.plot([low, high], [low, high], color=GREY, linewidth=0.8, label="circuit = network")
            dots(axes, expected, found, BLUE)
            axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
            axes.text(0.03, 0.97, _margin(result, expected.size), transform=axes.transAxes, va="top", color=GREY)
            axes.legend(loc="lower right")
        else:
            nothing(axes)
        axes.set(xlabel="network's output (model units)", ylabel="circuit's output (model units)")
        return figure


def stages(result: GapResult) -> Figure:
    """Each stage's relative RMSE, and the part that the stage adds itself, on a logarithmic axis.

    A zero stands at the left edge, marked 0; a stage without a figure has no mark.
    """
    weakest = result.weakest_stage
    title = "No stage adds more than rounding" if weakest is None else f"{plain(weakest.name)} adds most"
    with picture(1.5 + 0.28 * max(len(result.stages), 3), title) as (figure, axes):
        gaps = [stage.gap.relative_rmse for stage in result.stages]
        added = [stage.added.relative_rmse for stage in result.stages]
        floor = _floor([*gaps, *added])
        if floor is None:
            nothing(axes)
            return figure
        axes.set_xscale("log")
        _marks(axes, gaps, floor, _GAP)
        _marks(axes, added, floor, _ADDED)
        _draw_numerical(axes, result, floor)
        axes.set_yticks(range(len(gaps)), [plain(stage.name) for stage in result.stages])
        axes.set(ylim=(len(gaps) - 0.5, -0.5), xlabel="relative RMSE (in standard deviations)")
        tick_decades(axes.xaxis)
        axes.grid(axis="x", alpha=0.3)
        figure.legend(loc="outside lower center", ncols=2, columnspacing=1.2, handletextpad=0.6)
        return figure


def errors(result: GapResult) -> Figure:
    """How many outputs are wrong by how much, in the network's standard deviations; counts are logarithmic."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter  # noqa: PLC0415

    expected, found = _solved(result)
    scale = spread(result.reference) if result.reference.size else 0.0
    error = (found - expected) / (scale or 1.0)
    with picture(3.0, _error_title(error)) as (figure, axes):
        if error.size:
            largest = float(np.abs(error).max()) or 1.0
            axes.hist(error, bins=np.linspace(-largest, largest, _BINS + 1).tolist(), color=BLUE)
            axes.axvline(0, color=GREY, linewidth=0.8)
            axes.set(xlim=(-1.05 * largest, 1.05 * largest), yscale="log", ylim=(0.7, None))
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        else:
            nothing(axes)
        unit = "standard deviations" if scale else "model units"
        axes.set(xlabel=f"circuit - network ({unit})", ylabel="outputs")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(SHORT)
        axes.yaxis.set_major_formatter(SHORT)
        axes.yaxis.set_minor_formatter(NullFormatter())
        return figure


def _solved(result: GapResult) -> tuple[Array, Array]:
    """Network's and circuit's outputs, flat, where the circuit has one."""
    found = np.isfinite(result.outputs)
    return result.reference[found], result.outputs[found]


def _margin(result: GapResult, points: int) -> str:
    lines = [f"{points:,} outputs", f"max |error| {number(result.gap.max_abs)}"]
    if result.failed:
        lines.append(f"{many(len(result.failed), 'sample')} without a result")
    return "\n".join(lines)


def _floor(figures: list[float | None]) -> float | None:
    """Where zeros stand: a decade below the smallest figure; None when there is no figure at all."""
    known = [figure for figure in figures if figure is not None and np.isfinite(figure)]
    positive = [figure for figure in known if figure > 0]
    if not known:
        return None
    return min(positive) / 10 if positive else 1e-16


@dataclass(frozen=True)
class _Mark:
    """How one kind of figure is drawn."""

    shape: str
    size: float
    edge: str
    fill: str
    label: str


_GAP = _Mark("o", 7, BLUE, BLUE, "gap at the stage's output")
_ADDED = _Mark("D", 5, VERMILLION, "none", "added by the stage itself")


def _marks(axes: Axes, figures: list[float | None], floor: float, mark: _Mark) -> None:
    rows = [(row, figure) for row, figure in enumerate(figures) if figure is not None and np.isfinite(figure)]
    axes.plot(
        [figure or floor for _, figure in rows],
        [row for row, _ in rows],
        linestyle="",
        marker=mark.shape,
        markersize=mark.size,
        markerfacecolor=mark.fill,
        markeredgecolor=mark.edge,
        label=mark.label,
        clip_on=False,
    )
    for row, figure in rows:
        if figure == 0:
            axes.annotate("0", (floor, row), xytext=(8, 0), textcoords="offset points", va="center")


def _draw_numerical(axes: Axes, result: GapResult, floor: float) -> None:
    """The numerical error of the outputs as a line, or in words where its place is far left of everything else."""
    error = None if result.numerical is None else result.numerical.relative_rmse
    if error is None or not error > 0:
        return
    if error >= floor:
        said = f"numerical error (outputs): {number(error)}"
        axes.axvline(error, color=GREY, linewidth=1.2, linestyle="--", zorder=0, label=said)
    else:
        axes.plot([], [], linestyle="", label=f"numerical error {number(error)} (off axis)")


def _error_title(error: Array) -> str:
    if not error.size:
        return "No output to compare"
    if not error.any():
        return "Every output is exactly the network's"
    return f"99 % of the errors are below {number(float(np.quantile(np.abs(error), 0.99)))}"
