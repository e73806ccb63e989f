"""An identified chip, as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.report.blocks import Facts, Line, Literal, Page, Section, Table
from kanspice.report.checks import Check, Problem
from kanspice.report.formatting import many, number, percentage, plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.identify.result import IdentificationResult

_NOISE_ALONE = 2.0
"""Squared errors per number, in units of the noise."""


def identification_page(result: IdentificationResult) -> Page:
    """Which chip it is, whether that explains it, what makes its gap, what is still unknown."""
    return Page(
        title=f"Which chip of {plain(result.model)} was measured",
        subject=plain(result.model),
        command="kanspice identify",
        answer=_answer(result),
        outcome=_outcome(result),
        exit_code=result.exit_code,
        lead=(Facts(list(_trust(result))),),
        sections=tuple(_sections(result)),
        checks=(Check("explained", _problem(result)),),
        setup=Facts(list(_setup(result))),
    )


def _answer(result: IdentificationResult) -> Verdict:
    meant = f"the circuit as it was meant to be by {number(result.nominal_error)}"
    said = f"The twin is off by {number(result.error)} of the network's spread where it was not fitted, {meant}"
    return Verdict(f"{said}; the chip's gap is {number(result.gap)}")


def _outcome(result: IdentificationResult) -> Verdict:
    if result.is_explained:
        return Verdict("explained: the chip may be one of this technology")
    worst = max(result.outputs, key=lambda output: output.ratio)
    where = f"output {worst.output} is furthest off, {number(worst.ratio)} times what is expected"
    return Verdict(
        f"REJECTED: no chip of this technology explains what was measured ({where}); something is missing from the"
        " technology, as wires, a dead column, or more noise",
        warning=True,
    )


def _problem(result: IdentificationResult) -> Problem | None:
    return None if result.is_explained else Problem("NotExplained", _outcome(result).text, is_measured=True)


def _trust(result: IdentificationResult) -> Iterator[tuple[str, str | Verdict]]:
    apart, effort = number(result.ratio), number(result.effort)
    yield "squared errors", f"{apart} times what is expected where it was not fitted"
    yield "unknowns", f"{effort} times as far from 0, with what is left, as those of chips of the technology"
    yield "chance", f"{number(100 * result.chance)} % of the technology's chips are as unlikely"
    if result.chi_squared > _NOISE_ALONE:
        said = f"squared errors of what it was fitted to are still {number(result.chi_squared)} times the noise"
        yield "fit", Verdict(f"{said}: another specimen may explain more, and intervals are too narrow", warning=True)
    yield "90 % intervals", f"hold {percentage(result.covered)} of the outputs of samples kept apart"
    told, unknowns = number(result.informed), f"{result.unknowns:,}"
    yield "told", f"{told} numbers' worth of {unknowns} unknowns, by {many(result.numbers, 'measured number')}"
    if result.telling:
        samples = ", ".join(f"{each.sample} ({number(each.nats)} nats)" for each in result.telling)
        yield "measure next", f"samples {samples}"
    if result.left_out:
        yield "not in the twin", ", ".join(result.left_out)
    if result.specimen is not None:
        yield "specimen", f"{plain(result.specimen)}: kanspice verify --specimen takes it"


def _setup(result: IdentificationResult) -> Iterator[tuple[str, str]]:
    yield "model", f"{plain(result.model)} ({result.family})"
    yield "technology", plain(result.technology)
    yield "measured", plain(result.source) or "from Python"
    fitted, judged = many(result.fitted, "sample"), f"{result.judged:,}"
    yield "samples", f"fitted to {fitted}, judged by {judged} that were kept apart, of {result.samples:,}"
    yield "noise", f"{number(result.noise)} of the network's spread"


def _sections(result: IdentificationResult) -> Iterator[Section]:
    if result.keys:
        rows = [
            [plain(key.name), number(key.said), number(key.value), f"{number(key.low)} to {number(key.high)}"]
            for key in result.keys
        ]
        table = Table(["key", "technology\nsays", "found", "90 %"], rows, texts=frozenset({3}))
        yield Section("What of the technology is different?", (table,))
    rows = [
        [part.name, f"{part.numbers:,}", number(part.alone), f"{part.told:,}", number(part.left), number(part.size)]
        for part in result.parts
    ]
    header = ["part", "numbers", "gap alone", "known", "still\nunknown", "found"]
    how = (
        "Gap alone: of the circuit with what was found of this part and no other. Known: numbers to half a standard"
        " deviation. Still unknown, found: root mean squares, in standard deviations of the technology. Of what is at 1"
        " and 0 these samples tell nothing."
    )
    table = Table(header, rows, spare=frozenset({5}))
    yield Section("What makes the gap, and what is known of it?", (table, Line(Verdict(how), small=True)))
    rows = [[f"{each.output}", number(each.ratio)] for each in result.outputs]
    yield Section(
        "Which outputs are explained?", (Table(["output", "squared errors\nover expected"], rows),), long=True
    )
    command = () if result.command is None else (Literal(plain(result.command)),)
    yield Section("How it was made", (Facts(list(_setup(result))), *command), aside=True, long=True)
