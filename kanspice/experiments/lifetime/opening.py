"""What lifetimes open with: how long chips last, what becomes of them, what setting them anew restores."""

from __future__ import annotations

from collections.abc import Iterator

from kanspice.experiments.lifetime import plots, wording
from kanspice.experiments.lifetime.ages import shown_age
from kanspice.experiments.lifetime.result import LifetimeResult
from kanspice.experiments.study import wording as studies
from kanspice.report.blocks import Block, Highlight, Highlights, Picture, Pictures
from kanspice.report.formatting import many, plain
from kanspice.report.verdict import Verdict


def blocks(result: LifetimeResult) -> tuple[Block, ...]:
    """Highlights and a picture."""
    return Highlights([*_lasting(result), _ageing(result), _again(result)]), Pictures([picture(result)])


def picture(result: LifetimeResult) -> Picture:
    """What lifetimes are about, over time."""
    return over_time(result, wording.headline(result))


def over_time(result: LifetimeResult, metric: str) -> Picture:
    """A metric against the age."""
    alt = f"{studies.title(result, metric)} against the age: mean, and what 90 % of chips lie between"
    return Picture.of(plain(alt), plots.over_time, result, metric)


def _lasting(result: LifetimeResult) -> Iterator[Highlight]:
    wanted = result.request.wanted_yield
    for found in result.lifetimes:
        if found.fraction == wanted:
            last = "less than the first age" if found.at_least_s is None else shown_age(found.at_least_s)
            said = wording.lasting(found, result.request.ages_s)
            doubt = wording.confidence(found, result.request.ages_s)
            yield Highlight("chips last", last, Verdict(f"{said}{doubt}", bool(result.short)), again=True)


def _ageing(result: LifetimeResult) -> Highlight:
    metric = wording.headline(result)
    ages = result.request.ages_s
    means = " → ".join(wording.mean(result, result.points[place]) for place in (0, -1))
    when = f"mean of {many(len(result.points[0].draws), 'chip')}, {shown_age(ages[0])} → {shown_age(ages[-1])}"
    return Highlight(plain(result.known[metric].title), means, Verdict(when), again=True)


def _again(result: LifetimeResult) -> Highlight:
    """What setting chips anew does, or how to ask for it."""
    when = result.request.recalibrate_s
    if when is None or not result.recalibrated:
        ask = "`--recalibrate AGE` says what setting chips anew restores; fresh chips are set by `kanspice calibrate`"
        return Highlight("recalibrated", "not asked", Verdict(ask))
    last = f"at {shown_age(result.request.ages_s[-1])}, of chips that are set anew at {shown_age(when)}"
    return Highlight("recalibrated", wording.mean(result, result.recalibrated[-1]), Verdict(last), again=True)
