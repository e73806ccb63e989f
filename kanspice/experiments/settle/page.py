"""How a circuit settles, as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.base.quantities import si
from kanspice.experiments.facts import sized_for_rows
from kanspice.experiments.settle import opening, wording
from kanspice.experiments.settle.plots import stages_plot
from kanspice.report.blocks import Block, Detail, Fact, Facts, Failures, Line, Literal, Page, Picture, Pictures, Section
from kanspice.report.checks import Check, Problem, unresolved_problem
from kanspice.report.codec import finite
from kanspice.report.formatting import many, number, plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.settle.settling import Settling


def settling_page(result: Settling) -> Page:
    """How long it takes, whether to trust that, what reading early costs, what each stage does."""
    first = opening.picture(result)
    return Page(
        title=f"How fast {plain(result.model)} answers",
        subject=plain(result.model),
        command="kanspice settle",
        answer=wording.answer(result),
        outcome=None,
        exit_code=result.exit_code,
        lead=(opening.highlights(result), _shown(first)),
        sections=tuple(_sections(result)),
        checks=(
            Check("every sample settled", _unsettled(result)),
            Check("settling resolved", unresolved_problem(result.unresolved)),
        ),
        setup=_setup(result),
    )


def _unsettled(result: Settling) -> Problem | None:
    if not result.failed:
        return None
    lines = [f"sample {each.index}: {each.outcome.value}: {plain(each.advice)}" for each in result.failed]
    return Problem("FailedSamples", wording.answer(result).text, detail="\n".join(lines))


def _sections(result: Settling) -> Iterator[Section]:
    yield Section("Can the number be trusted?", (Facts(list(_trust(result))),))
    early = opening.early(result) if result.failed else None
    yield Section("How good are answers that are read early?", (_shown(early), wording.read_outs(result)))
    times = Picture.of("Mean and longest settling time of every stage", stages_plot, result)
    yield Section("When does each stage come to rest?", (Pictures([times]), wording.stages(result)))
    if result.worst is not None and not result.failed:
        yield Section("What does the slowest sample do?", (_shown(opening.course(result)),))
    if result.swinging:
        yield from _swinging(result)
    if result.failed:
        yield Section("Which samples do not settle?", (Failures(result.failed),))
    yield Section("What does an answer take?", (Facts(list(_costs(result))),))
    yield Section("How it was measured", tuple(_measured(result)), aside=True, long=True)


def _shown(picture: Picture | None) -> Pictures:
    return Pictures([] if picture is None else [picture])


def _trust(result: Settling) -> Iterator[Fact]:
    if result.numerical is not None:
        yield "numerical error", f"of the transient: {number(result.numerical)} standard deviations (RMS)"
    if result.failed:
        yield from (("not resolved", Verdict(why, warning=True)) for why in result.unresolved)
    if result.cross_check is not None:
        yield "other engine", wording.checked(result.cross_check)
    yield "read early", wording.left_out(result)
    yield from (("note", plain(note)) for note in result.notes)


def _swinging(result: Settling) -> Iterator[Section]:
    only = "Outputs that swing on while all stages before theirs are at rest; those of later stages only follow."
    found = [(each.stage, f"outputs, and in how many samples: {wording.swinging(each)}") for each in result.swinging]
    yield Section("Which columns oscillate?", (Facts(found), Line(Verdict(only), small=True)))
    yield Section("Every output that swings", (wording.swinging_outputs(result),), aside=True, long=True)


def _costs(result: Settling) -> Iterator[Fact]:
    yield "an inference", wording.until_settled(result)
    yield "power", f"{si(result.power_w, 'W')} at rest"
    yield from (("feedback", said) for said in wording.capacitors(result))
    yield from (("noise", said) for said in wording.noise(result))


def _setup(result: Settling) -> Facts:
    steps = f"{si(result.period_s, 's')} each, inputs step in {si(result.rise_s, 's')}"
    source = "" if result.inputs is None else f" from {plain(result.inputs.path) or 'Python'}"
    return Facts(
        [
            ("model", plain(result.model)),
            ("technology", plain(result.technology)),
            ("engine", result.engine),
            ("samples", f"{many(result.samples, 'sample')}{source}, {steps}"),
            *sized_for_rows(result.sized_for),
        ]
    )


def _measured(result: Settling) -> Iterator[Block]:
    """With what, exactly; what documents of earlier versions do not have is left out."""
    digests = [("model's SHA-256", plain(result.model_sha256) or None)]
    if result.inputs is not None:
        digests.append(("inputs' SHA-256", plain(result.inputs.sha256)))
    versions = ", ".join(f"{plain(name)} {plain(found)}" for name, found in result.versions.items())
    yield Facts([*_setup(result).rows, *digests, ("versions", versions or None)])
    if result.command is not None:
        yield Literal(plain(result.command))
    if result.technology_values:
        values = json.dumps(finite(result.technology_values, keep_infinite=True), indent=2, ensure_ascii=False)
        yield Detail([Literal(values, "technology")])
