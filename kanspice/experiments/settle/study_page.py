"""Settling times of many draws as a page."""

from __future__ import annotations

from kanspice.base.quantities import si
from kanspice.experiments.settle.study import SettlingStudy
from kanspice.experiments.settle.wording import checked
from kanspice.experiments.study import wording
from kanspice.experiments.study.page import page_of_draws, resolution_checks, setup, unmeasured
from kanspice.report.blocks import Fact, Highlight, Page
from kanspice.report.checks import Check
from kanspice.report.formatting import many, number, plain
from kanspice.report.verdict import Verdict

_STAGE = "`kanspice settle` without `--trials` says which stage takes longest, and what would be faster"


def settling_study_page(result: SettlingStudy) -> Page:
    """The yield or the latency first, whether to trust it, how it is distributed, how it was measured."""
    request = result.request
    each = "as long as it takes" if request.period is None else f"{si(request.period, 's')} each"
    settled = f"within {number(min(request.within))} standard deviations of a stage's outputs"
    return page_of_draws(
        result,
        title=f"How fast specimens of {plain(request.model)} answer",
        trust=_trust(result),
        setup=setup(result, f"{each}, the same for every draw", [("settled", settled)]),
        checks=[Check("every draw measured", unmeasured(result)), *resolution_checks(result)],
        next_step=Highlight("slowest stage", "not asked", Verdict(_STAGE)),
    )


def _trust(result: SettlingStudy) -> list[Fact]:
    return [
        ("enough draws?", wording.certainty(result)),
        ("draws", wording.fixed(result)),
        ("samples", wording.failures(result)),
        ("numerical error", _numerical(result)),
        *(("other engine", f"draw {each.trial}: {checked(each.found)}") for each in result.checks),
    ]


def _numerical(result: SettlingStudy) -> Verdict:
    """The largest of any draw. Where it is too large the draw is not resolved, which is said above."""
    draws = [draw.metrics["numerical"] for point in result.points for draw in point.draws]
    known = [error for error in draws if error is not None]
    if not known:
        return Verdict("was measured in no draw: what has no end has nothing to compare", warning=True)
    less = f" of {many(len(known), 'draw')}" if len(known) < len(draws) else ""
    return Verdict(f"{number(max(known))} of the outputs' standard deviation (RMS) at most in any draw{less}")
