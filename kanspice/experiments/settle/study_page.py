"""Settling times of many draws as a page."""

from __future__ import annotations

import json

from kanspice.experiments.settle.study import SettlingStudy
from kanspice.experiments.settle.wording import checked
from kanspice.experiments.study import wording
from kanspice.experiments.study.page import lead, pictures, points_table, resolution_checks, unmeasured
from kanspice.experiments.verify.physical import si
from kanspice.report.blocks import Fact, Facts, Literal, Page, Pictures, Section
from kanspice.report.checks import Check
from kanspice.report.formatting import counted, many, number, plain
from kanspice.report.verdict import Verdict


def settling_study_page(result: SettlingStudy) -> Page:
    """The yield or the latency first, whether to trust it, how it is distributed, how it was measured."""
    worst, command = wording.worst(result)
    versions = Literal(json.dumps(result.versions, indent=2), "versions")
    facts = [*_setup(result), ("model's SHA-256", plain(result.model.sha256))]
    return Page(
        title=f"How fast specimens of {plain(result.request.model)} answer",
        subject=plain(result.request.model),
        command="kanspice settle",
        answer=wording.answer(result),
        outcome=wording.outcome(result),
        exit_code=result.exit_code,
        lead=list(lead(result)),
        sections=(
            Section("Can the number be trusted?", (Facts(_trust(result)),)),
            Section("How do the draws differ?", (Pictures(pictures(result)), points_table(result))),
            Section(
                "Which is the worst?",
                (Facts([("worst draw", f"{worst}. To measure it alone:")]), Literal(command)),
            ),
            Section("How it was measured", (Facts(facts), versions), aside=True, long=True),
        ),
        checks=[Check("every draw measured", unmeasured(result)), *resolution_checks(result)],
        setup=Facts(_setup(result)),
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


def _setup(result: SettlingStudy) -> list[Fact]:
    request, model = result.request, result.model
    each = "as long as it takes" if request.period is None else f"{si(request.period, 's')} each"
    return [
        ("model", f"{plain(model.path)} ({plain(model.family)}, {counted(model.parameters)} parameters)"),
        *[("read", plain(note)) for note in result.model_notes],
        ("technology", plain(", ".join([request.tech or "ideal", *request.set_]))),
        ("engine", request.engine_and_device),
        ("samples", f"{many(result.samples, 'sample')} from {plain(request.inputs)}, {each}, the same for every draw"),
        ("settled", f"within {number(min(request.within))} standard deviations of a stage's outputs"),
        ("draws", f"{many(request.trials, 'draw')} of seed {request.seed}, the same specimens at every point"),
    ]
