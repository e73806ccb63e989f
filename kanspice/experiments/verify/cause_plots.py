"""A picture of which imperfection makes which part of the gap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kanspice.experiments.verify import cause_wording
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.causes import NONE, Cause
from kanspice.report.figures import BLUE, GREY, SHORT, VERMILLION, blank, nothing, picture
from kanspice.report.formatting import number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHOWN = 10
"""So many causes are drawn, those with the largest parts."""
_NEAR = 0.04
"""Of the axis: gaps nearer to that of the whole circuit have no figure of their own."""


def causes(result: GapResult) -> Figure:
    """Above, each imperfection's part of the squared gap, with its standard error; below, the gap with it alone and the
    gap without it. Lines mark the gap with all of them and with none. Of many causes the largest are drawn.
    """
    tried = [cause for cause in cause_wording.singles(result.causes) if cause.without is not None]
    if not tried:
        with picture(1.6, "There is no imperfection") as (figure, axes):
            nothing(axes)
            return figure
    drawn = tried[:_SHOWN]
    shared = [cause for cause in drawn if cause.part is not None]
    rows = [count for count in (len(shared), len(drawn)) if count]
    with blank(1.6 + 0.55 * len(rows) + 0.24 * sum(rows)) as figure:
        heights = [0.5 + 0.24 * count for count in rows]
        *above, below = figure.subplots(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
        for panel in above:
            _draw_shares(panel, shared)
        _draw_gaps(below, drawn, result)
        figure.suptitle(_title(shared, tried), x=0.01, ha="left", fontsize="medium")
        handles = below.get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=4, handlelength=1.4, columnspacing=1.4)
        return figure


def _draw_shares(axes: Axes, shared: Sequence[Cause]) -> None:
    for place, cause in enumerate(shared):
        if cause.part is not None:
            part, error = 100 * cause.part.fraction, 100 * cause.part.standard_error
            axes.barh(place, part, 0.6, color=BLUE, xerr=error or None, ecolor=GREY, capsize=2.0)
            _note(axes, percent(cause.part), max(part, 0.0) + error, place)
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    _label(axes, shared, "share of the mean squared error (%)")


def _draw_gaps(axes: Axes, tried: Sequence[Cause], result: GapResult) -> None:
    """A line from the gap with each cause alone to that without it; what is left by mending it has its figure."""
    whole = result.whole_gap.relative_rmse or 0.0
    for place, cause in enumerate(tried):
        alone, without = (
            0.0 if trial is None else trial.gap.relative_rmse or 0.0 for trial in (cause.alone, cause.without)
        )
        axes.plot([alone, without], [place, place], color=GREY, linewidth=0.8, zorder=1)
        for gap, colour, label in ((alone, BLUE, "by itself"), (without, VERMILLION, "all but this one")):
            axes.plot(gap, place, "o", markersize=5, color=colour, label=label if place == 0 else None)
        if abs(without - whole) > _NEAR * whole:
            _note(axes, number(without), max(alone, without, whole), place)
    none = next((cause.alone.gap.relative_rmse for cause in result.causes if cause.name == NONE), None)
    for label, gap_with, style in (("all", whole, "-"), ("none", none, ":")):
        axes.axvline(gap_with or 0.0, color=GREY, linestyle=style, linewidth=1.0, zorder=0, label=label)
    _label(axes, tried, "relative RMSE (in standard deviations)")


def _title(shared: Sequence[Cause], tried: Sequence[Cause]) -> str:
    left = f"\n{len(tried) - _SHOWN} smaller causes are not drawn" if len(tried) > _SHOWN else ""
    if shared:
        return f"{shared[0].name} makes the largest part of the gap{left}"
    largest = max(tried, key=lambda cause: cause.alone.gap.relative_rmse or 0.0)
    return f"{largest.name} alone makes the largest gap"


def _note(axes: Axes, text: str, x: float, y: float) -> None:
    """Text to the right of a mark, readable where a line runs through."""
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.annotate(text, (x, y), (6, 0), textcoords="offset points", va="center", bbox=behind)


def _label(axes: Axes, rows: Sequence[Cause], quantity: str) -> None:
    axes.set_yticks(range(len(rows)), [cause.name for cause in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel=quantity)
    axes.margins(x=0.2)
    axes.xaxis.set_major_formatter(SHORT)
