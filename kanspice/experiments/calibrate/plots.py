"""A picture of a calibration: what is left of the gap over what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanspice.report.figures import GREY, PALETTE, picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from kanspice.experiments.calibrate.result import CalibrationResult


def left_plot(result: CalibrationResult) -> Figure:
    """The gap that every set of trims leaves, over how many samples were measured."""
    counts = sorted({each.measurements for each in result.candidates})
    with picture(2.8, "What is left of the gap") as (figure, axes):
        untouched = result.candidates[-1].untouched if result.untouched is None else result.untouched.gap
        axes.axhline(untouched, color=GREY, linestyle="--", linewidth=1, label="untouched")
        for which, trims in enumerate(dict.fromkeys(each.trims for each in result.candidates)):
            own = [each for each in result.candidates if each.trims == trims]
            x, y = [each.measurements for each in own], [each.gap for each in own]
            axes.plot(x, y, "o-", color=PALETTE[which % len(PALETTE)], label=trims)
        axes.set(xlabel="measured samples", ylabel="gap, of the network's spread", xticks=counts)
        axes.margins(y=0.15)
        axes.set_ylim(bottom=0)
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
        return figure
