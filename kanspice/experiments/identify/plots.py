"""A picture of an identified chip: what makes its gap, or else what is known of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanspice.gap.causes import NONE
from kanspice.report.figures import BLUE, picture
from kanspice.report.formatting import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from kanspice.experiments.identify.result import IdentificationResult, MeasuredCause

_BARS = 10


def shared_causes(result: IdentificationResult) -> list[MeasuredCause]:
    """Those with a share of the measured gap, the largest first."""
    known = [cause for cause in result.causes if cause.name != NONE and cause.share is not None]
    return sorted(known, key=lambda cause: -(cause.share or 0.0))


def causes_plot(result: IdentificationResult) -> Figure:
    """Shares of the measured squared gap, with their standard errors."""
    rows = shared_causes(result)[:_BARS][::-1]
    with picture(1.2 + 0.3 * max(len(rows), 2), "What makes the measured gap") as (figure, axes):
        widths = [100 * (cause.share or 0.0) for cause in rows]
        errors = [100 * (cause.standard_error or 0.0) for cause in rows]
        axes.barh([plain(cause.name) for cause in rows], widths, xerr=errors, color=BLUE, height=0.6)
        axes.set(xlabel="share of the measured squared gap, %")
        return figure


def parts_plot(result: IdentificationResult) -> Figure:
    """How many numbers of each part are known."""
    rows = list(result.parts)[:_BARS][::-1]
    with picture(1.2 + 0.3 * max(len(rows), 2), "What is known of its parts") as (figure, axes):
        known = [100 * part.told / max(part.numbers, 1) for part in rows]
        axes.barh([plain(part.name) for part in rows], known, color=BLUE, height=0.6)
        axes.set(xlabel="numbers known to half a standard deviation, %", xlim=(0, 100))
        return figure
