"""How a circuit settles, as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.base.quantities import si
from kanspice.experiments.facts import sized_for_rows
from kanspice.experiments.settle import wording
from kanspice.experiments.settle.plots import read_out_plot, stages_plot, waveforms_plot
from kanspice.report.blocks import Fact, Facts, Failures, Line, Page, Picture, Pictures, Section
from kanspice.report.checks import Check, Problem, unresolved_problem
from kanspice.report.formatting import many, number, plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.settle.settling import Settling


def settling_page(result: Settling) -> Page:
    """How long it takes, whether to trust that, what reading early costs, what each stage does."""
    return Page(
        title=f"How fast {plain(result.model)} answers",
        subject=plain(result.model),
        command="kanspice settle",
        answer=wording.answer(result),
        outcome=None,
        exit_code=result.exit_code,
        lead=(),
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
    early = Picture.of("Gap and distance from rest over the time at which outputs are read", read_out_plot, result)
    shown = Pictures([early] if result.read_outs else [])
    yield Section("How good are answers that are read early?", (shown, wording.read_outs(result)))
    times = Picture.of("Mean and longest settling time of every stage", stages_plot, result)
    yield Section("When does each stage come to rest?", (Pictures([times]), wording.stages(result)))
    if result.worst is not None:
        alt = f"Outputs of every stage of sample {result.worst.index} over time"
        which = "worst" if result.failed else "slowest"
        course = Pictures([Picture.of(alt, waveforms_plot, result.worst)])
        yield Section(f"What does the {which} sample do?", (course,))
    if result.swinging:
        yield from _swinging(result)
    if result.failed:
        yield Section("Which samples do not settle?", (Failures(result.failed),))
    yield Section("What does an answer take?", (Facts(list(_costs(result))),))
    yield Section("How it was measured", (_setup(result),), aside=True, long=True)


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
    return Facts(
        [
            ("model", plain(result.model)),
            ("technology", plain(result.technology)),
            ("engine", result.engine),
            ("samples", f"{many(result.samples, 'sample')}, {steps}"),
            *sized_for_rows(result.sized_for),
        ]
    )
