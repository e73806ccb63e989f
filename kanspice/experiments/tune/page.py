"""Tuning, as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.experiments.tune import plots, wording
from kanspice.report.blocks import Block, Facts, Line, Literal, Page, Picture, Pictures, Section
from kanspice.report.checks import Check, Problem, engines_problem
from kanspice.report.formatting import plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.tune.result import TuningResult


def tuning_page(result: TuningResult) -> Page:
    """Before and after, beside other trainings; why to trust it; how it was done."""
    return Page(
        title=f"{plain(result.model.path)}, tuned",
        subject=plain(result.model.path),
        command="kanspice tune",
        answer=wording.answer(result),
        outcome=wording.outcome(result),
        exit_code=result.exit_code,
        lead=tuple(_lead(result)),
        sections=tuple(_sections(result)),
        checks=tuple(_checks(result)),
        setup=Facts(wording.setup(result)),
    )


def _lead(result: TuningResult) -> Iterator[Block]:
    yield wording.highlights(result)
    found = wording.yields(result)
    if found is not None:
        yield Line(Verdict(f"{found.text}.", found.warning))
    yield Pictures([Picture.of("Distribution of the draws' scores, by network", plots.distributions, result)])


def _sections(result: TuningResult) -> Iterator[Section]:
    by_training = (wording.arms(result), Line(Verdict(wording.of_arms(result)), small=True))
    yield Section("What does the circuit's gradient add?", by_training)
    corners = wording.corners(result)
    if corners is not None:
        yield Section("Is it so at every corner?", (corners,))
    yield Section("Can the numbers be trusted?", (Facts(list(wording.trust(result))),))
    course = Pictures([Picture.of("Loss on what training does not see, epoch by epoch", plots.course, result)])
    trainings = (wording.courses(result), Line(Verdict(wording.of_courses(result)), small=True), course)
    yield Section("How did training go?", trainings)
    versions = Literal(json.dumps(result.versions, indent=2), "versions")
    command = [] if result.command is None else [Literal(plain(result.command))]
    yield Section(
        "How it was made", (Facts(wording.setup(result)), *command, *_again(result), versions), aside=True, long=True
    )


def _again(result: TuningResult) -> Iterator[Block]:
    if result.again is not None:
        yield Line(Verdict(wording.of_again(result)), small=True)
        yield Literal(plain(result.again))


def _checks(result: TuningResult) -> Iterator[Check]:
    said = wording.outcome(result).text
    yield Check("every draw measured", None if result.is_measured else Problem("NotMeasured", said))
    if result.checks:
        text = "; ".join(found.text for found in wording.cross_check(result))
        yield Check("engines agree", engines_problem(result.engines_disagree, False, text))
