"""A study as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from kanspice.experiments.ensemble.draws import PointDraws
from kanspice.experiments.studied import Studied
from kanspice.experiments.study import plots, wording
from kanspice.experiments.study.result import StudyResult
from kanspice.report.blocks import (
    Block,
    Fact,
    Facts,
    Highlight,
    Highlights,
    Line,
    Literal,
    Page,
    Picture,
    Pictures,
    Section,
    Table,
)
from kanspice.report.checks import Check, Problem, engines_problem
from kanspice.report.formatting import NOTHING, counted, many, plain
from kanspice.report.verdict import Verdict

_CAUSES = "`kanspice sensitivity` with the same circuit says which parts matter, and what helps"


def study_page(result: StudyResult) -> Page:
    """The yield or the gap first, whether to trust it, how it is distributed, how it was measured."""
    network = [("network", f"{title} {value}") for title, value in wording.network(result)]
    return page_of_draws(
        result,
        title=f"Study of {plain(result.request.model)}",
        trust=trust(result),
        setup=setup(result, "the same for every draw", network),
        checks=checks(result),
        next_step=Highlight("causes", "not asked", Verdict(_CAUSES)),
    )


def page_of_draws(
    result: Studied,
    *,
    title: str,
    trust: Sequence[Fact],
    setup: Sequence[Fact],
    checks: Sequence[Check],
    answer: Verdict | None = None,
    outcome: Verdict | None = None,
    opens: Sequence[Block] | None = None,
    differ: Section | None = None,
    next_step: Highlight | None = None,
) -> Page:
    """The page of any study of samples. trust: why to trust its numbers, or not. setup: what was measured with what.

    answer, outcome, opens, differ: the first word, the last one, highlights with a picture, and how draws differ, where
    those are others than a study's. next_step: the last highlight of a study's, what to do about it.
    """
    worst, command = wording.worst(result)
    pictures = _pictures(result) if differ is None else []
    gap = plain(result.known[result.metric].title).lower()
    pictures.sort(key=lambda each: gap not in each.alt.lower())  # what is judged comes first
    if opens is None:
        opens = (*_highlights(result, next_step), Pictures(pictures[:1]))
    versions = Literal(json.dumps(result.versions, indent=2), "versions")
    facts = [*setup, ("model's SHA-256", plain(result.model.sha256))]
    return Page(
        title=title,
        subject=plain(result.request.model),
        command=f"kanspice {result.request.experiment}",
        answer=answer or wording.answer(result),
        outcome=outcome or wording.outcome(result),
        exit_code=result.exit_code,
        lead=[*_lead(result), *opens],
        sections=(
            Section("Can the number be trusted?", (Facts(trust),)),
            differ or Section("How do the draws differ?", (Pictures(pictures[1:]), _points_table(result))),
            Section(
                "Which is the worst?",
                (Facts([("worst draw", f"{worst}. To measure it alone:")]), Literal(command)),
            ),
            Section("How it was measured", (Facts(facts), versions), aside=True, long=True),
        ),
        checks=checks,
        setup=Facts(setup),
    )


def _lead(result: Studied) -> Iterator[Line]:
    """What must not be overlooked, and what a good draw is."""
    unresolved = wording.unresolved(result)
    if unresolved is not None:
        yield Line(Verdict(f"{unresolved.text}.", unresolved.warning))
    if result.request.wanted_yield is not None:
        yield Line(Verdict(f"A good draw: {wording.limits(result)}."), small=True)


def _highlights(result: Studied, next_step: Highlight | None) -> Iterator[Highlights]:
    """Of the point whose median is the worst; nothing where nothing was measured."""
    medians = [(point.summary(result.metric), point) for point in result.points]
    known = [(gap.median, point) for gap, point in medians if gap is not None]
    if not known:
        return
    point = max(known, key=lambda pair: pair[0])[1]
    where = "of all draws" if len(result.points) == 1 else f"at {wording.name(result, point)}"
    row = dict(zip(wording.columns(result), wording.cells(result, point), strict=True))
    median = f"{result.known[result.metric].title}, median"
    tail = f"{where}; 95 % are below {row[wording.TAIL[0]]}, the worst is {row[wording.TAIL[1]]}"
    shown = [Highlight(median, row[median], Verdict(tail), again=True)]
    shown += [
        Highlight(wording.heading(result, name), row[wording.heading(result, name)], Verdict(where), again=True)
        for name in result.beside
    ]
    if result.request.wanted_yield is not None:
        limits = wording.confidence(point.yield_)
        of = where if limits == NOTHING else f"{where}; 95 % limits: {limits} %"
        shown.append(Highlight("yield", wording.yield_(point.yield_), Verdict(of), again=True))
    yield Highlights([*shown, *([] if next_step is None else [next_step])])


def _points_table(result: Studied) -> Table:
    """One row a point; where several columns say which it is, a narrow terminal has of the gap only its median."""
    places, header = wording.place(result), wording.columns(result)
    return Table(
        [*places, *header],
        [[*wording.place_of(result, point), *wording.cells(result, point)] for point in result.points],
        texts=frozenset(range(1, len(places))),
        bad=frozenset(
            place
            for place, point in enumerate(result.points)
            if point.incomplete or point.unresolved or point in result.short
        ),
        spare=frozenset(len(places) + header.index(name) for name in wording.TAIL),
    )


def trust(result: StudyResult) -> list[Fact]:
    """Why to trust the gaps of many draws, or not."""
    return [
        ("enough draws?", wording.certainty(result)),
        ("draws", wording.fixed(result)),
        ("distribution", wording.generated(result)),
        ("samples", wording.failures(result)),
        ("numerical error", wording.numerical(result)),
        *(("other engine", said) for said in wording.cross_check(result)),
    ]


def checks(result: StudyResult) -> list[Check]:
    """What has to hold."""
    found = [Check("every draw measured", unmeasured(result))]
    if result.checks:
        said = "; ".join(found.text for found in wording.cross_check(result))
        unchecked = result.is_unchecked and result.request.cross_check_needed
        found.append(Check("engines agree", engines_problem(result.engines_disagree, unchecked, said)))
    return [*found, *resolution_checks(result)]


def unmeasured(result: Studied) -> Problem | None:
    """Of draws with samples that have no result, where those are no answer."""
    incomplete = result.request.wanted_yield is None and any(point.incomplete for point in result.judged)
    if not incomplete and all(point.is_measured for point in result.judged):
        return None
    return Problem("NotMeasured", wording.failures(result).text)


def _unresolved(result: Studied) -> Problem | None:
    """Of draws that cannot be told from numerical error."""
    said = wording.unresolved(result)
    return None if said is None else Problem("NotResolved", said.text)


def resolution_checks(result: Studied) -> list[Check]:
    """Every point's yield, where one is wanted; else whether all draws are resolved."""
    wanted = result.request.wanted_yield
    if wanted is None:
        return [Check("draws resolved", _unresolved(result) if result.undecided else None)]
    return [_yield_check(result, point, wanted) for point in result.judged]


def _yield_check(result: Studied, point: PointDraws, wanted: float) -> Check:
    """Whether a point's yield is as wanted."""
    where = "" if len(result.points) == 1 else f" at {wording.name(result, point)}"
    name = f"yield{where} >= {100 * wanted:g} %"
    if point in result.undecided:
        return Check(name, _unresolved(result))
    if point not in result.short:
        return Check(name, None)
    found, good = wording.yield_(point.yield_), wording.limits(result)
    message = f"yield {found}, less than {100 * wanted:g} %; a good draw: {good}"
    return Check(name, Problem("YieldTooLow", message, is_measured=True))


def _pictures(result: Studied) -> list[Picture]:
    """Metrics along one sweep or over two, and how they are distributed."""
    found = list[Picture]()
    if len(result.request.sweeps) == 1:
        for metric in dict.fromkeys([*result.drawn_beside, result.metric]):
            alt = f"{wording.title(result, metric)} along {result.request.sweeps[0].key}: mean, 90 % of draws, extremes"
            found.append(Picture.of(plain(alt), plots.along, result, metric))
    if len(result.request.sweeps) == 2:
        found += _surfaces(result)
    if 0 < sum(point.is_random for point in result.points) <= plots.LINES:
        alt = f"Share of draws with a {result.known[result.metric].title} up to each value"
        found.append(Picture.of(plain(alt), plots.distribution, result))
    return found


def _surfaces(result: Studied) -> list[Picture]:
    quantities = [_quantity(result, metric) for metric in (*result.beside, result.metric)]
    if result.request.wanted_yield is not None:
        quantities.insert(0, ("Yield (%)", lambda point: 100 * point.yield_.fraction))
    found = []
    for corner in dict.fromkeys(point.point.corner for point in result.points):
        for name, quantity in quantities:
            title = f"{name}, {plain(corner)}" if corner else name
            alt = f"{title} over both swept values"
            found.append(Picture.of(plain(alt), plots.surface, result, corner, title, quantity))
    return found


def _quantity(result: Studied, metric: str) -> tuple[str, plots.Quantity]:
    """What is drawn of a metric over both sweeps, and its title."""
    title, in_percent = result.known[metric].title, metric in result.of_network and wording.is_fraction(result, metric)

    def of_point(point: PointDraws) -> float | None:
        found = point.summary(metric)
        if found is None:
            return None
        return 100 * found.mean if in_percent else found.median

    return f"Mean {title} (%)" if in_percent else f"Median {title}", of_point


def setup(result: Studied, samples: str, also: Sequence[Fact]) -> list[Fact]:
    """What was measured with what. samples: what is said of them. also: what is said after them."""
    request, model = result.request, result.model
    return [
        ("model", f"{plain(model.path)} ({plain(model.family)}, {counted(model.parameters)} parameters)"),
        *[("read", plain(note)) for note in result.model_notes],
        ("technology", plain(", ".join([request.tech or "ideal", *request.set_]))),
        ("engine", request.engine_and_device),
        ("samples", f"{many(result.samples, 'sample')} from {plain(request.inputs)}, {samples}"),
        ("sized for", None if request.sized_for is None else f"samples in {plain(request.sized_for)}"),
        *also,
        ("draws", f"{many(request.trials, 'draw')} of seed {request.seed}, the same specimens at every point"),
    ]
