"""A sensitivity analysis as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.experiments.facts import sized_for_rows
from kanspice.experiments.sensitivity import opening, wording
from kanspice.experiments.sensitivity.keys import SPECIMENS
from kanspice.experiments.sensitivity.plots import heat_plot
from kanspice.report.blocks import Detail, Facts, Line, Literal, Notes, Page, Picture, Pictures, Section, Table
from kanspice.report.checks import Check, engines_problem
from kanspice.report.formatting import many, plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.sensitivity.result import Sensitivity, WorstSpecimen

_MAPS = 6
"""Heat maps that a page shows."""


def sensitivity_page(result: Sensitivity) -> Page:
    """How far off specimens are, because of what, and how bad it can get."""
    return Page(
        title=f"Sensitivity of {plain(result.model.path)}",
        subject=plain(result.model.path),
        command="kanspice sensitivity",
        answer=wording.answer(result),
        outcome=None,
        exit_code=result.exit_code,
        lead=[opening.highlights(result), Pictures([opening.picture(result)])],
        sections=tuple(_sections(result)),
        checks=tuple(_checks(result)),
        setup=_setup(result),
    )


def _checks(result: Sensitivity) -> Iterator[Check]:
    yield Check("analysed", None)
    check = None if result.worst is None else result.worst.cross_check
    if check is not None:
        said = f"{check.engine} on the worst specimen"
        yield Check("engines agree", engines_problem(check.disagrees, not check.passed, said))


def _sections(result: Sensitivity) -> Iterator[Section]:
    told = wording.how_predicted(result)
    yield Section("How far off will specimens be?", (wording.spreads(result), Line(told, small=True)))
    shown = [
        Picture.of(f"What the devices of every crosspoint make alone: {plain(heat.name)}", heat_plot, heat)
        for heat in result.heat[:_MAPS]
    ]
    alone = (
        "To first order: the error that these numbers alone make, root mean square over specimens, in standard"
        " deviations of the outputs. Places are counted from 0: row, output, device; or the column."
    )
    yield Section(
        "Which parts matter?",
        (wording.parts(result.parts), Detail([Line(Verdict(alone), small=True)]), Pictures(shown)),
    )
    if result.keys:
        said = (
            f"By exact derivatives of {many(SPECIMENS, 'specimen')}, whose random numbers stay what they are. Where"
            " more of an amplifier's gain makes the gap smaller, a better amplifier helps; where more ohms of wires"
            " make it larger, better wires do. Numbers that are 0 or infinite are not here, nor those that the gap"
            " follows by jumps: fractions of parts at fault, steps of areas and gains. Converters count as if they"
            " did not round."
        )
        note = Line(Verdict(said), small=True)
        yield Section("Which numbers of the technology matter?", (wording.keys(result.keys), note))
    if result.worst is not None:
        yield Section("How bad can it get?", tuple(_worst(result, result.worst)))
    if result.rare:
        yield Section("How rare are specimens beyond a limit?", tuple(_rare(result)))
    if result.notes:
        notes = Notes([plain(note) for note in result.notes], fold=many(len(result.notes), "note"))
        yield Section("Notes", (notes,), aside=True)
    yield Section("How it was measured", tuple(_measured(result)), aside=True, long=True)


def _worst(result: Sensitivity, worst: WorstSpecimen) -> Iterator[Facts | Literal | Line]:
    yield Facts(list(wording.worst(worst, result.drawn)))
    said = (
        "A local maximum: some other specimen in this box may be worse, and hardly any that is ever made is as bad,"
        " since all parts are off at once, in the worst direction."
    )
    yield Line(Verdict(said), small=True)
    if worst.path:
        yield Line(Verdict("kanspice verify measures it with --specimen, and the options of this command:"))
        yield Literal(f"kanspice verify {plain(result.model.path)} --specimen {plain(worst.path)} ...")


def _rare(result: Sensitivity) -> Iterator[Table | Line]:
    yield wording.rare(result.rare)
    doubt = wording.rare_doubts(result.rare)
    if doubt is not None:
        yield Line(doubt)


def _setup(result: Sensitivity) -> Facts:
    name = plain(str(result.technology.get("name", "unnamed")))
    return Facts(
        [
            ("model", f"{plain(result.model.path)} ({plain(result.model.family)})"),
            ("technology", name),
            ("samples", f"{many(result.samples, 'sample')} from {plain(result.inputs.path) or 'Python'}"),
            *sized_for_rows(result.sized_for),
            ("seed", str(result.seed)),
        ]
    )


def _measured(result: Sensitivity) -> Iterator[Facts | Literal]:
    versions = ", ".join(f"{plain(name)} {plain(found)}" for name, found in result.versions.items())
    digests = [("model's SHA-256", plain(result.model.sha256)), ("inputs' SHA-256", plain(result.inputs.sha256))]
    yield Facts([*_setup(result).rows, *digests, ("versions", versions)])
    if result.command:
        yield Literal(plain(result.command))
