"""What lifetimes say, in plain sentences: one wording for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kanspice.experiments.ensemble.draws import PointDraws
from kanspice.experiments.lifetime.ages import shown_age
from kanspice.experiments.lifetime.result import Lasting, LifetimeResult
from kanspice.experiments.study import wording
from kanspice.report.formatting import NOTHING, many, percentage
from kanspice.report.verdict import Verdict

_TRIMS = {
    "outputs": "gain and offset of every output once it is read",
    "columns": "gain and offset of every column pair: feedback resistors and reference currents",
}


def headline(result: LifetimeResult) -> str:
    """What lifetimes are about: what was asked for beside the gap, or the gap."""
    return next(iter(result.beside), result.metric)


def answer(result: LifetimeResult) -> Verdict:
    """How long chips last, or what becomes of them."""
    if result.lifetimes:
        wanted = result.request.wanted_yield
        found = next(each for each in result.lifetimes if each.fraction == wanted)
        return Verdict(lasting(found, result.request.ages_s))
    metric = headline(result)
    first, last = (_at(result, metric, result.points[place]) for place in (0, -1))
    said = f"Mean {result.known[metric].title} {first}, {last}"
    if result.recalibrated:
        again = ", ".join(dict.fromkeys(_at(result, metric, result.recalibrated[place]) for place in (0, -1)))
        said += f"; recalibrated {again}"
    return Verdict(said)


def lasting(found: Lasting, ages_s: Sequence[float]) -> str:
    """How long a fraction of chips lasts: "90 % of the chips last 46.9 d, and less than 1.13 y"."""
    chips, last = (
        ("Every chip", "lasts") if found.fraction == 1 else (f"{_percent(found.fraction)} of the chips", "last")
    )
    return f"{chips} {last} {_span(found, ages_s)}"


def _span(found: Lasting, ages_s: Sequence[float]) -> str:
    if found.at_least_s is None:
        return f"less than {shown_age(ages_s[0])}"
    said = shown_age(found.at_least_s)
    return f"{said} or longer" if found.below_s is None else f"{said}, and less than {shown_age(found.below_s)}"


def confidence(found: Lasting, ages_s: Sequence[float]) -> str:
    """The same of all chips ever made; "" of every one of them, of which some chips say nothing."""
    if found.fraction == 1:
        return ""
    low = f"perhaps less than {shown_age(ages_s[0])}" if found.low_s is None else f"at least {shown_age(found.low_s)}"
    high = (
        f"perhaps more than {shown_age(ages_s[-1])}" if found.high_s is None else f"less than {shown_age(found.high_s)}"
    )
    return f"; of all chips ever made {low}, {high} (95 % confidence)"


def lifetimes(result: LifetimeResult) -> Iterator[tuple[str, str]]:
    """How long chips last, as facts."""
    ages = result.request.ages_s
    for found, untouched in zip(result.lifetimes, result.lifetimes_untouched, strict=True):
        yield f"{_percent(found.fraction)} last", f"{_span(found, ages)}{confidence(found, ages)}"
        if untouched != found:
            said = f"{_span(untouched, ages)}{confidence(untouched, ages)}"
            yield "as they are", said


def outcome(result: LifetimeResult) -> Verdict | None:
    """The last word, where chips were measured and something is wanted of them; None where a study's will do."""
    wanted = result.request.wanted_yield
    if wanted is None or not result.is_measured:
        return None
    last = shown_age(result.request.ages_s[-1])
    if result.short:
        where = many(len(result.short), "age")
        return Verdict(f"FAILED: fewer than {_percent(wanted)} of the chips are good at {where}", warning=True)
    return Verdict(f"passed: {_percent(wanted)} or more of the chips are good at every age up to {last}")


def recalibration(result: LifetimeResult) -> str:
    """When and how chips are set anew; "" where they are not."""
    request = result.request
    if request.recalibrate_s is None:
        return ""
    samples = f"{many(request.calibration, 'sample')} after those that chips are judged by"
    return (
        f"at {shown_age(request.recalibrate_s)}, {_TRIMS[request.trims]}, fitted to what the chip gives for {samples}"
    )


_BAND, _LIMITS, _MEDIAN = "5-95 %", "95 %, limits", "median"
SPARE = (_MEDIAN, _LIMITS)
"""What the last words of columns are that a narrow terminal leaves out."""


def columns(result: LifetimeResult) -> list[str]:
    """What is said of every age."""
    shown = headline(result)
    found = ["age", result.known[shown].title, _BAND]
    found += ["recalibrated", _BAND] if result.recalibrated else []
    if result.lifetimes:
        found += ["good", "still good", _LIMITS]
    elif result.metric != shown:
        found += [f"{result.known[result.metric].title}, {_MEDIAN}"]
    return found + (["chips, failed"] if _failed(result) else [])


def cells(result: LifetimeResult, age: int) -> list[str]:
    """What is said of an age, in the order of `columns`."""
    point, shown, first = result.points[age], headline(result), len(result.points) - len(result.recalibrated)
    found = [shown_age(result.request.ages_s[age]), *_mean_and_band(result, point)]
    if result.recalibrated:
        found += [NOTHING, NOTHING] if age < first else _mean_and_band(result, result.recalibrated[age - first])
    if result.lifetimes:
        still = result.survival[age]
        found += [wording.yield_(result.judged[age].yield_), wording.yield_(still), wording.confidence(still)]
    elif result.metric != shown:
        summary = point.summary(result.metric)
        found += [wording.figure(result, result.metric, None if summary is None else summary.median)]
    return found + ([f"{len(result.judged[age].incomplete):,}"] if _failed(result) else [])


def _percent(fraction: float) -> str:
    """A fraction as it was asked for."""
    return f"{100 * fraction:.6g} %"


def _failed(result: LifetimeResult) -> bool:
    return any(point.incomplete for point in result.judged)


def _mean_and_band(result: LifetimeResult, point: PointDraws) -> list[str]:
    metric = headline(result)
    found = point.summary(metric)
    if found is None:
        return [NOTHING, NOTHING]
    if wording.is_fraction(result, metric):
        return [f"{100 * found.mean:.1f} %", f"{100 * found.quantiles[1]:.1f}-{100 * found.quantiles[-2]:.1f}"]
    low, high = (wording.figure(result, metric, found.quantiles[end]) for end in (1, -2))
    return [wording.figure(result, metric, found.mean), f"{low}-{high}"]


def mean(result: LifetimeResult, point: PointDraws) -> str:
    """Of what lifetimes are about: "95.1 %"."""
    return _mean(result, headline(result), point)


def _at(result: LifetimeResult, metric: str, point: PointDraws) -> str:
    """The mean of a metric at an age: "95.1 % at 1 s"."""
    return f"{_mean(result, metric, point)} at {shown_age(result.request.ages_s[point.point.index])}"


def _mean(result: LifetimeResult, metric: str, point: PointDraws) -> str:
    found = point.summary(metric)
    if found is None:
        return NOTHING
    return percentage(found.mean) if wording.is_fraction(result, metric) else wording.figure(result, metric, found.mean)
