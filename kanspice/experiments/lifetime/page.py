"""Lifetimes as a page."""

from __future__ import annotations

from kanspice.experiments.lifetime import opening, plots, wording
from kanspice.experiments.lifetime.ages import shown_age
from kanspice.experiments.lifetime.result import LifetimeResult
from kanspice.experiments.study import wording as studies
from kanspice.experiments.study.page import checks, page_of_draws, setup, trust
from kanspice.report.blocks import Block, Fact, Facts, Page, Picture, Pictures, Section, Table
from kanspice.report.formatting import many, plain


def lifetime_page(result: LifetimeResult) -> Page:
    """How long chips last first, whether to trust it, what becomes of them with time, how it was measured."""
    return page_of_draws(
        result,
        title=f"How long chips of {plain(result.request.model)} last",
        trust=trust(result),
        setup=_setup(result),
        checks=checks(result),
        answer=wording.answer(result),
        outcome=wording.outcome(result),
        opens=opening.blocks(result),
        differ=Section("What does time do?", tuple(_blocks(result))),
    )


def _setup(result: LifetimeResult) -> list[Fact]:
    """A study's, but for how samples and draws are called."""
    ages, request = result.request.ages_s, result.request
    network = [("network", f"{title} {value}") for title, value in studies.network(result)]
    facts = setup(result, "the same for every chip", network)[:-1]
    chips = f"{many(len(result.points[0].draws), 'chip')} of seed {request.seed}, the same ones at every age"
    recalibrated = wording.recalibration(result)
    return [
        *facts,
        ("chips", chips),
        ("ages", f"{len(ages)} from {shown_age(ages[0])} to {shown_age(ages[-1])}"),
        *([("recalibrated", recalibrated)] if recalibrated else []),
    ]


def _blocks(result: LifetimeResult) -> list[Block]:
    facts = list(wording.lifetimes(result))
    header = wording.columns(result)
    table = Table(
        header,
        [wording.cells(result, age) for age in range(len(result.points))],
        texts=frozenset(),
        bad=frozenset(place for place, point in enumerate(result.judged) if _is_bad(result, place) or point.unresolved),
        spare=frozenset(place for place, name in enumerate(header) if name.endswith(wording.SPARE)),
    )
    return [*([Facts(facts)] if facts else []), Pictures(_pictures(result)), table]


def _is_bad(result: LifetimeResult, age: int) -> bool:
    """Whether chips of an age failed, or too few of them are good."""
    point = result.judged[age]
    return bool(point.incomplete) or point in result.short


def _pictures(result: LifetimeResult) -> list[Picture]:
    """Those that the page does not open with."""
    found = [
        opening.over_time(result, metric)
        for metric in dict.fromkeys([*result.drawn_beside, result.metric])
        if metric != wording.headline(result)
    ]
    if result.lifetimes:
        found.append(Picture.of("Share of chips that are still good at each age", plots.still_good, result))
    return found
