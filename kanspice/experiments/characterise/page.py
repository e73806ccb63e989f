"""An amplifier, as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.experiments.characterise import opening, wording
from kanspice.experiments.characterise.plots import (
    column_plot,
    gain_plot,
    noise_plot,
    start_plot,
    step_plot,
    transfer_plot,
)
from kanspice.report.blocks import Facts, Literal, Page, Picture, Pictures, Section
from kanspice.report.checks import Check, Problem
from kanspice.report.formatting import plain

if TYPE_CHECKING:
    from kanspice.experiments.characterise.result import AmplifierResult


def amplifier_page(result: AmplifierResult) -> Page:
    """What it does, whether to believe it, its curves, how each figure was measured."""
    name = plain(result.amplifier.subcircuit.name)
    return Page(
        title=f"What {name} does",
        subject=name,
        command="kanspice characterise",
        answer=wording.answer(result),
        outcome=wording.outcome(result),
        exit_code=result.exit_code,
        lead=(opening.highlights(result), Pictures([opening.picture(result)])),
        sections=tuple(_sections(result)),
        checks=(
            Check("stable as a follower", _problem("Oscillates", "a follower of it oscillates", result.oscillates)),
            Check("one state", _problem("Latches", "it latches", result.latches)),
        ),
        setup=Facts(list(wording.conditions(result))),
    )


def _problem(kind: str, message: str, there: bool) -> Problem | None:
    return Problem(kind, message, is_measured=True) if there else None


def _sections(result: AmplifierResult) -> Iterator[Section]:
    found = result.measured
    yield Section("Which figures does it have?", (wording.table(result), Facts(list(wording.trust(result)))))
    steps = list(_steps(result))
    if steps:
        yield Section("How fast is it?", (Pictures(steps),))
    curves = [
        Picture.of("Output over the difference of the inputs, led both ways", transfer_plot, result),
        Picture.of("Open-loop gain over the output's voltage", gain_plot, result),
    ]
    yield Section("How far does its output go?", (Pictures(curves),))
    if not isinstance(found.states, str):
        shown = [
            Picture.of(
                "Output of a column over its current, led both ways and from scratch", column_plot, found.states
            ),
            Picture.of("Output of a column whose supplies come up", start_plot, found.states),
        ]
        yield Section("Which states does a column have?", (Pictures(shown),))
    if found.noise is not None:
        noise = Picture.of("Noise at the input over frequency", noise_plot, found.noise, result)
        yield Section("How much noise does it have?", (Pictures([noise]),))
    yield Section("How was each figure measured?", (wording.ways(result),), long=True)
    if result.exit_code == 0:
        yield Section("The same as a technology", (Literal(result.technology()),), aside=True, long=True)
    yield Section(
        "How it was made", (Facts(list(wording.conditions(result))), *_command(result)), aside=True, long=True
    )


def _steps(result: AmplifierResult) -> Iterator[Picture]:
    steps = result.measured.steps
    if steps.small is not None:
        yield Picture.of("A small step of a follower", step_plot, steps.small, "A small step, follower")
    if steps.large is not None:
        yield Picture.of("A large step of an inverter", step_plot, steps.large, "A large step, inverter of gain 1")


def _command(result: AmplifierResult) -> Iterator[Literal]:
    if result.command is not None:
        yield Literal(plain(result.command))
