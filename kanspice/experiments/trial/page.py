"""A trial of a device, as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.experiments.trial import wording
from kanspice.experiments.trial.plots import accuracy_plot, curves_plot, decisions_plot, fit_plot
from kanspice.report.blocks import Facts, Line, Literal, Notes, Page, Picture, Pictures, Section
from kanspice.report.formatting import plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.trial.result import DeviceTrial


def trial_page(result: DeviceTrial) -> Page:
    """What networks of the device do, its curve, beside others, what holds it."""
    name = plain(result.own.device.name)
    return Page(
        title=f"What {name} would do in a network",
        subject=name,
        command="kanspice devices try",
        answer=wording.answer(result),
        outcome=wording.outcome(result),
        exit_code=0,
        lead=(wording.highlights(result), _fit_picture(result)),
        sections=tuple(_sections(result)),
        checks=(),
        setup=Facts(wording.setting(result)),
    )


def _fit_picture(result: DeviceTrial) -> Pictures:
    return Pictures([Picture.of(f"The curve of {plain(result.own.device.name)} over its points", fit_plot, result.own)])


def _sections(result: DeviceTrial) -> Iterator[Section]:
    fitted = Facts(wording.fit(result))
    reading = (Notes([plain(note) for note in result.reading]),) if result.reading else ()
    yield Section("Does the curve follow the points?", (fitted, *reading))
    lacking = (Line(Verdict(plain(why), warning=True)) for why in result.left_out)
    yield Section(
        "How does it do beside shipped devices?",
        (wording.comparison(result), *lacking, Pictures(list(_beside_others(result)))),
    )
    if result.own.map is not None:
        drawn = Picture.of("Decisions of network and circuit over two moons", decisions_plot, result.own.map)
        said = Verdict("Shaded: what is decided; grey: the circuit has no answer there. Dots: test samples.")
        blocks = (Line(said, small=True), Pictures([drawn]))
        yield Section("Where does the circuit decide otherwise?", blocks, long=True)
    yield Section("What holds it?", (Facts(wording.steadiness(result)),))
    yield Section("How it was made", (Facts(wording.setting(result)), *_command(result)), aside=True, long=True)


def _beside_others(result: DeviceTrial) -> Iterator[Picture]:
    for task in result.tasks:
        yield Picture.of(f"Accuracy on {task}, device by device", accuracy_plot, result, task)
    yield Picture.of("The curves that networks are made of", curves_plot, result)


def _command(result: DeviceTrial) -> Iterator[Literal]:
    if result.command is not None:
        yield Literal(plain(result.command))
