"""A picture of which imperfection makes which part of the gap."""

from __future__ import annotations

from kanspice.gap.causes import NONE
from kanspice.gap.result import GapResult
from kanspice.report.figures import BLUE, GREY, SHORT, VERMILLION, Format, encoded, nothing, picture
from kanspice.report.words import number

_BAR = 0.36


def causes(result: GapResult, form: Format = "png") -> bytes:
    """For each imperfection a bar for the gap that it makes by itself, and one for what is left without it.

    Lines mark the gap with all of them and with none.
    """
    names = [cause.name for cause in result.causes if cause.without is not None]
    title = f"{names[0]} alone makes the largest gap" if names else "There is no imperfection"
    with picture(1.6 + 0.42 * max(len(names), 2), title) as (figure, axes):
        if not names:
            nothing(axes)
            return encoded(figure, form)
        for place, cause in enumerate(result.causes[: len(names)]):
            for offset, trial, colour, label in (
                (-_BAR / 2, cause.alone, BLUE, "by itself"),
                (_BAR / 2, cause.without, VERMILLION, "all but this one"),
            ):
                gap = 0.0 if trial is None else trial.gap.relative_rmse or 0.0
                axes.barh(place + offset, gap, _BAR, color=colour, label=label if place == 0 else None)
                axes.annotate(number(gap), (gap, place + offset), (3, 0), textcoords="offset points", va="center")
        for cause_name, style in (("all", "-"), (NONE, ":")):
            trial_gap = result.gap if cause_name == "all" else result.causes[-1].alone.gap
            axes.axvline(trial_gap.relative_rmse or 0.0, color=GREY, linestyle=style, label=cause_name)
        axes.set_yticks(range(len(names)), names)
        axes.set(ylim=(len(names) - 0.5, -0.5), xlabel="relative RMSE (in standard deviations)")
        axes.margins(x=0.15)
        axes.xaxis.set_major_formatter(SHORT)
        figure.legend(loc="outside lower center", ncols=4, columnspacing=1.2, handletextpad=0.6)
        return encoded(figure, form)
