"""An identified chip, as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.experiments.facts import sized_for_rows
from kanspice.experiments.identify import opening
from kanspice.experiments.identify.result import LINEAR
from kanspice.gap.causes import NONE, Share
from kanspice.report.blocks import Facts, Line, Literal, Page, Pictures, Section, Table
from kanspice.report.checks import Check, Problem
from kanspice.report.formatting import many, number, percent, percentage, plain, setting
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.identify.result import DrawnFits, IdentificationResult, MeasuredCause

_NOISE_ALONE = 2.0
"""Squared errors per number, in units of the noise."""
_COLUMNS = 3
"""Of crossbars, that are shown among what may be missing."""


def identification_page(result: IdentificationResult) -> Page:
    """Which chip it is, whether that explains it, what makes its gap, what is still unknown."""
    return Page(
        title=f"Which chip of {plain(result.model)} was measured",
        subject=plain(result.model),
        command="kanspice identify",
        answer=_answer(result),
        outcome=_outcome(result),
        exit_code=result.exit_code,
        lead=(opening.highlights(result), Pictures([opening.picture(result)])),
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
    if result.drawn is not None and not result.drawn.are_near:
        help_ = "what was measured says nothing against it. More measured samples, or less that is unknown, help"
        return Verdict(f"NOT KNOWN: {_why_not_known(result.drawn)}: {help_}", warning=True)
    if found := [suspect for suspect in result.suspects if suspect.is_found]:
        named = f"{found[0].name} at about {number(found[0].value)} ({number(found[0].said)} is what it says)"
        beside = f", or another of {len(found)} causes that speak as loudly," if len(found) > 1 else ""
        return Verdict(
            f"REJECTED: something is missing from the technology: {named}{beside} would explain what no chip of this"
            " technology does",
            warning=True,
        )
    worst = max(result.outputs, key=lambda output: output.ratio)
    where = f"output {worst.output} is furthest off, {number(worst.ratio)} times what is expected"
    return Verdict(
        f"REJECTED: no chip of this technology explains what was measured ({where}); something is missing from the"
        " technology, as wires, a dead column, or more noise",
        warning=True,
    )


def _why_not_known(drawn: DrawnFits) -> str:
    """Of fits of drawn chips, which speak for themselves."""
    bent = (
        f"outputs are not linear enough in what is still unknown (what bends is {number(drawn.bends)} times what does"
        f" not, in squares, where {number(LINEAR)} is the most) for tests that take them for linear"
    )
    if not drawn.missed:
        return f"{bent}, though the same fits explain {many(drawn.chips, 'drawn chip')} of this technology"
    missed = "the fit did not come near, as it does not for every drawn chip of this technology either"
    seen = f"{missed} ({drawn.missed} of {drawn.chips} is not explained)"
    return seen if drawn.are_linear else f"{seen}, and {bent}"


def _problem(result: IdentificationResult) -> Problem | None:
    if result.is_explained:
        return None
    kind = "NotExplained"
    if result.drawn is not None and not result.drawn.are_near:
        kind = "FitNotNear" if result.drawn.missed else "NotLinear"
    return Problem(kind, _outcome(result).text, is_measured=result.came_near)


def _trust(result: IdentificationResult) -> Iterator[tuple[str, str | Verdict]]:
    apart, effort = number(result.ratio), number(result.effort)
    yield "squared errors", f"{apart} times what is expected where it was not fitted"
    yield "unknowns", f"{effort} times as far from 0, with what is left, as those of chips of the technology"
    yield "chance", f"{number(100 * result.chance)} % of the technology's chips are as unlikely"
    if result.chi_squared > _NOISE_ALONE:
        said = f"squared errors of what it was fitted to are still {number(result.chi_squared)} times the noise"
        yield "fit", Verdict(f"{said}: another specimen may explain more, and intervals are too narrow", warning=True)
    yield "90 % intervals", f"hold {percentage(result.covered)} of the outputs of samples kept apart"
    if result.suspects and not result.suspects[0].is_found:
        loudest, count = result.suspects[0], many(len(result.suspects), "cause")
        speaks = f"{loudest.score:.1f} standard deviations, chance {number(100 * loudest.chance)} %"
        yield "missing", f"nothing of {count} that were looked for; most speaks for {loudest.name} ({speaks})"
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
    yield from sized_for_rows(result.sized_for)
    yield "noise", f"{number(result.noise)} of the network's spread"


def _sections(result: IdentificationResult) -> Iterator[Section]:
    yield Section("Can it be believed?", (Facts(list(_trust(result))),))
    if result.keys:
        rows = [
            [plain(key.name), number(key.said), number(key.value), f"{number(key.low)} to {number(key.high)}"]
            for key in result.keys
        ]
        table = Table(["key", "technology\nsays", "found", "90 %"], rows, texts=frozenset({3}))
        yield Section("What of the technology is different?", (table,))
    if result.causes:
        yield Section("What makes the measured gap?", tuple(_causes(result)))
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
    yield Section("What is known of its parts?", (table, Line(Verdict(how), small=True)))
    if result.suspects:
        yield Section("What may be missing from the technology?", tuple(_suspects(result)), long=True)
    rows = [[f"{each.output}", number(each.ratio)] for each in result.outputs]
    yield Section(
        "Which outputs are explained?", (Table(["output", "squared errors\nover expected"], rows),), long=True
    )
    command = () if result.command is None else (Literal(plain(result.command)),)
    yield Section("How it was made", (Facts(list(_setup(result))), *command), aside=True, long=True)


def _causes(result: IdentificationResult) -> Iterator[Table | Line]:
    rows = [
        [cause.name, setting(cause.value), percent(_share(cause)), number(cause.alone)]
        for cause in result.causes
        if cause.name != NONE
    ]
    yield Table(["cause", "found", "share (%)", "gap alone"], rows, texts=frozenset({1}))
    apart, gap = many(result.judged, "sample"), number(result.gap_apart)
    how = (
        f"Shares of the mean squared gap of the {apart} kept apart, as measured: {gap} of the network's spread. What"
        " the twin does not explain is what is left of the measured outputs there: noise, unknowns that were not told,"
        " and what the technology leaves out."
    )
    yield Line(Verdict(how), small=True)


def _share(cause: MeasuredCause) -> Share | None:
    return None if cause.share is None else Share(cause.share, cause.standard_error or 0.0)


def _suspects(result: IdentificationResult) -> Iterator[Table | Line]:
    """Keys, and of the columns those that most speaks for."""
    keys = [suspect for suspect in result.suspects if suspect.is_key]
    columns = [suspect for suspect in result.suspects if not suspect.is_key]
    rows = [
        [each.name, number(each.said), number(each.value), number(each.seen), f"{each.score:.1f}", number(each.chance)]
        for each in (*keys, *columns[:_COLUMNS])
    ]
    header = ["cause", "technology\nsays", "explains\nmost", "seen\nfrom", "standard\ndeviations", "chance"]
    yield Table(header, rows)
    how = (
        f"{many(len(result.suspects), 'cause')} that the twin has none of, and how much of each would explain most, to"
        " first order: where nothing speaks for it, also what cannot be. Seen from: what these samples would find out"
        " in nine of ten chips. Chance: of chips of the technology, as many have a cause that speaks as loudly."
    )
    yield Line(Verdict(how), small=True)
