"""A picture of which imperfection makes which part of the gap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kanspice.experiments.verify.result import GapResult
from kanspice.gap.causes import NONE, NUMERICAL, Cause
from kanspice.report.figures import BLUE, GREY, SHORT, VERMILLION, blank, nothing, picture
from kanspice.report.formatting import number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR = 0.36


def causes(result: GapResult) -> Figure:
    """Above, each imperfection's share of the squared gap, with its standard error; below, the gap with it alone and
    the gap without it. Lines mark the gap with all of them and with none.

    Sections that share as a whole stand above only, their members below only.
    """
    shared = [cause for cause in result.causes if cause.share is not None and cause.name not in (NONE, NUMERICAL)]
    tried = [cause for cause in result.causes if cause.without is not None and not cause.name.endswith(".*")]
    if not tried:
        with picture(1.6, "There is no imperfection") as (figure, axes):
            nothing(axes)
            return figure
    rows = [count for count in (len(shared), len(tried)) if count]
    with blank(1.4 + 0.9 * len(rows) + 0.24 * len(shared) + 0.42 * len(tried)) as figure:
        heights = [0.9 + 0.24 * len(shared), 0.9 + 0.42 * len(tried)][-len(rows) :]
        *above, below = figure.subplots(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
        for panel in above:
            _draw_shares(panel, shared)
        _draw_gaps(below, tried, result)
        figure.suptitle(_title(shared, tried), x=0.01, ha="left", fontsize="medium")
        handles = below.get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=4, columnspacing=1.2, handletextpad=0.6)
        return figure


def _draw_shares(axes: Axes, shared: Sequence[Cause]) -> None:
    for place, cause in enumerate(shared):
        if cause.share is not None:
            part, error = 100 * cause.share.fraction, 100 * cause.share.standard_error
            axes.barh(place, part, 0.6, color=BLUE, xerr=error or None, ecolor=GREY, capsize=2.0)
            beyond = max(part, 0.0) + error
            _note(axes, percent(cause.share), beyond, place)
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    _label(axes, shared, "share of the mean squared error (%)")


def _draw_gaps(axes: Axes, tried: Sequence[Cause], result: GapResult) -> None:
    for place, cause in enumerate(tried):
        for offset, trial, colour, label in (
            (-_BAR / 2, cause.alone, BLUE, "by itself"),
            (_BAR / 2, cause.without, VERMILLION, "all but this one"),
        ):
            gap = 0.0 if trial is None else trial.gap.relative_rmse or 0.0
            axes.barh(place + offset, gap, _BAR, color=colour, label=label if place == 0 else None)
            _note(axes, number(gap), gap, place + offset)
    none = next((cause.alone.gap.relative_rmse for cause in result.causes if cause.name == NONE), None)
    for label, gap_with, style in (("all", result.whole_gap.relative_rmse, "-"), ("none", none, ":")):
        axes.axvline(gap_with or 0.0, color=GREY, linestyle=style, linewidth=1.0, zorder=0, label=label)
    _label(axes, tried, "relative RMSE (in standard deviations)")


def _title(shared: Sequence[Cause], tried: Sequence[Cause]) -> str:
    if shared:
        return f"{shared[0].name} makes the largest part of the gap"
    largest = max(tried, key=lambda cause: cause.alone.gap.relative_rmse or 0.0)
    return f"{largest.name} alone makes the largest gap"


def _note(axes: Axes, text: str, x: float, y: float) -> None:
    """Text to the right of a bar's end, readable where a line runs through."""
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.annotate(text, (x, y), (4, 0), textcoords="offset points", va="center", bbox=behind)


def _label(axes: Axes, rows: Sequence[Cause], quantity: str) -> None:
    axes.set_yticks(range(len(rows)), [cause.name for cause in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel=quantity)
    axes.margins(x=0.3)
    axes.xaxis.set_major_formatter(SHORT)
