"""What a study's numbers say, in plain sentences: one wording for the terminal and for the page."""

from __future__ import annotations

from collections import Counter

from kanspice.base.quantities import si
from kanspice.experiments.ensemble.draws import DrawResult, PointDraws
from kanspice.experiments.ensemble.statistics import Summary, Yield
from kanspice.experiments.studied import Studied
from kanspice.experiments.study.result import StudyResult
from kanspice.experiments.study.specimens import NOISE
from kanspice.experiments.verify.wording import ROUNDING, UNCHECKED, WORTH_A_WARNING
from kanspice.experiments.verify.wording import cross_check as said_of
from kanspice.gap.metric_table import BY_NAME, METRICS, Need, has_minimum
from kanspice.gap.metrics import NEGLIGIBLE
from kanspice.report.formatting import NOTHING, counted, many, number, percentage, plain, share
from kanspice.report.verdict import Verdict


def limits(result: Studied) -> str:
    """What makes a draw good: "relative_rmse at most 0.1 and accuracy at least 0.9"."""
    kept = [
        f"{metric} at {'least' if has_minimum(metric) else 'most'} {figure(result, metric, bound)}"
        for metric, bound in result.request.limits
    ]
    return " and ".join([f"every sample {result.solved}", *kept])


def name(result: Studied, point: PointDraws) -> str:
    """A point's name for readers."""
    return plain(result.name_of(point))


def place(result: Studied) -> list[str]:
    """What tells points apart: the corner, the swept keys."""
    corner = ["corner"] if result.request.corners else []
    return corner + [plain(sweep.key) for sweep in result.request.sweeps]


def place_of(result: Studied, point: PointDraws) -> list[str]:
    """Where a point is, in the order of `place`."""
    corner = [plain(point.point.corner)] if result.request.corners else []
    return corner + [plain(value) for value in point.point.values]


PHYSICAL = ("s", "J", "W")
"""Units of metrics that are shown with their prefixes."""
TAIL = ("95 %", "worst")
"""Columns that say of the gap what its median does not."""


def columns(result: Studied) -> list[str]:
    """What is said of every point."""
    found = ["draws", f"{result.known[result.metric].title}, median", *TAIL]
    found += [heading(result, metric) for metric in result.beside]
    found += ["yield", "95 %, limits"] if result.request.wanted_yield is not None else []
    found += ["draws, unresolved"] if any(each.unresolved for each in result.points) else []
    return found + (["draws, failed"] if any(each.incomplete for each in result.points) else [])


def cells(result: Studied, point: PointDraws) -> list[str]:
    """What is said of a point, in the order of `columns`."""
    gap = point.summary(result.metric)
    quantiles = (None,) * 3 if gap is None else (gap.median, gap.quantiles[-2], gap.quantiles[-1])
    found = [counted(len(point.draws)), *(figure(result, result.metric, value) for value in quantiles)]
    found += [_middle(result, metric, point.summary(metric)) for metric in result.beside]
    found += [yield_(point.yield_), confidence(point.yield_)] if result.request.wanted_yield is not None else []
    found += [counted(len(point.unresolved))] if any(each.unresolved for each in result.points) else []
    return found + ([counted(len(point.incomplete))] if any(each.incomplete for each in result.points) else [])


def heading(result: Studied, metric: str) -> str:
    """Of the column of a metric beside the gap."""
    title = result.known[metric].title
    return title if is_fraction(result, metric) else f"{title}, median"


def _middle(result: Studied, metric: str, found: Summary | None) -> str:
    if is_fraction(result, metric):
        return percent_of(found)
    return figure(result, metric, None if found is None else found.median)


def is_fraction(result: Studied, metric: str) -> bool:
    """Whether readers get it in percent."""
    return result.known[metric].unit == "fraction"


def figure(result: Studied, metric: str, value: float | None) -> str:
    """A value of a metric; with its unit where that is one of physics."""
    unit = result.known[metric].unit
    return si(value, unit) if unit in PHYSICAL else number(value)


def yield_(found: Yield) -> str:
    """ "97.5 %"; a circuit with nothing random is good or not."""
    if found.low is None:
        return "good" if found.good else "not good"
    return percentage(found.fraction)


def confidence(found: Yield) -> str:
    """What the yield is between, in percent: "94.3-98.9"."""
    return NOTHING if found.low is None or found.high is None else f"{100 * found.low:.3g}-{100 * found.high:.3g}"


def percent_of(found: Summary | None) -> str:
    """Mean and standard deviation of fractions: "94.2 ± 0.5 %"."""
    if found is None:
        return NOTHING
    mean = f"{100 * found.mean:.1f}"
    return f"{mean} %" if found.std is None else f"{mean} ± {100 * found.std:.1f} %"


def answer(result: Studied) -> Verdict:
    """How good the circuits are that come out of production."""
    if result.request.wanted_yield is not None:
        return Verdict(_yield_answer(result))
    gaps = [(point, point.summary(result.metric)) for point in result.points]
    known = [(point, gap) for point, gap in gaps if gap is not None]
    if not known:
        return Verdict("Nothing was measured: no sample of any draw was " + result.solved, warning=True)
    point, gap = max(known, key=lambda pair: pair[1].median)
    low, middle, high = (
        figure(result, result.metric, value) for value in (gap.quantiles[1], gap.median, gap.quantiles[-2])
    )
    between = f", 90 % of draws between {low} and {high}" if gap.draws > 1 else ""
    what = f"{'Median' if gap.draws > 1 else 'Its'} {result.known[result.metric].title}"
    return Verdict(f"{_among(result, point, 'largest')}{what} {middle}{between}")


def _median(result: Studied, point: PointDraws) -> float:
    """Of what the study is about; 0 where nothing was measured."""
    found = point.summary(result.metric)
    return 0.0 if found is None else found.median


def _yield_answer(result: Studied) -> str:
    point = min(result.points, key=lambda each: (each.yield_.fraction, -_median(result, each)))
    found, where = point.yield_, _among(result, point, "worst")
    if found.low is None or found.high is None:
        return f"{where}The one specimen that there can be is {'' if found.good else 'not '}a good one"
    between = f"{100 * found.low:.1f} and {100 * found.high:.1f} %"
    good = f"{where}{share(found.fraction, found.draws)} of the draws are good"
    return f"{good}: a yield between {between} (95 % confidence)"


def _among(result: Studied, point: PointDraws, word: str) -> str:
    return (
        ""
        if len(result.points) == 1
        else f"{word.capitalize()} of {len(result.points):,} points, {name(result, point)}: "
    )


def title(result: Studied, metric: str) -> str:
    """A metric's name at the beginning of a line."""
    return result.known[metric].title[:1].upper() + result.known[metric].title[1:]


def outcome(result: Studied) -> Verdict:
    """The last word."""
    why = _unmeasured(result)
    if why is not None:
        return Verdict(f"FAILED: {why}", warning=True)
    wanted = result.request.wanted_yield
    if wanted is None:
        return Verdict("measured; no limit was given")
    if result.short:
        where = f" at {many(len(result.short), 'point')} of {len(result.points):,}"
        return Verdict(f"FAILED: the yield{where} is below {100 * wanted:g} %", warning=True)
    return Verdict(f"passed: the yield is {100 * wanted:g} % or more at every point")


def _unmeasured(result: Studied) -> str | None:
    rests = "the answer" if result.request.wanted_yield is None else "whether the yield is enough"
    reasons = (
        (result.engines_disagree, "the engines disagree, so neither can be believed"),
        (result.is_unchecked and result.request.cross_check_needed, UNCHECKED),
        (bool(result.undecided), f"not resolved: {rests} rests on draws that are not told from numerical error"),
        (not result.is_measured, "not every draw was measured"),
    )
    return next((why for holds, why in reasons if holds), None)


def certainty(result: Studied) -> Verdict | None:
    """Whether so many draws decide that; None where nothing is asked or drawn."""
    wanted = result.request.wanted_yield
    open_ = [point for point in result.judged if wanted is not None and point.yield_.holds(wanted)]
    if wanted is None or not open_:
        return None
    return Verdict(
        f"so many draws do not decide whether the yield is {100 * wanted:g} % at {name(result, open_[0])}"
        + (f" and {many(len(open_) - 1, 'other point')}" if open_[1:] else "")
        + ": more --trials would",
        warning=True,
    )


def failures(result: Studied) -> Verdict:
    """Draws with samples that have no result."""
    draws = sum(len(point.draws) for point in result.everything)
    incomplete = [draw for point in result.everything for draw in point.incomplete]
    if not incomplete:
        return Verdict(f"every sample of {many(draws, 'draw')} was {result.solved}")
    outcomes: Counter[str] = Counter()
    for draw in incomplete:
        outcomes.update(draw.failed)
    listed = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items()))
    return Verdict(
        f"{len(incomplete):,} of {many(draws, 'draw')} have samples without a result ({listed}): not good ones, and"
        f" their {result.quantities} are of their other samples",
        warning=True,
    )


def unresolved(result: Studied) -> Verdict | None:
    """Draws whose gaps numerical error could have made; None where there is none."""
    doubtful = [draw for point in result.everything for draw in point.unresolved]
    if not doubtful:
        return None
    count = f"{len(doubtful):,} of {many(sum(len(point.draws) for point in result.everything), 'draw')}"
    meaning = "none of them counts as a good one" if result.request.wanted_yield is not None else "they are no answer"
    return Verdict(f"{count} not resolved, and {meaning}: {plain('; '.join(doubtful[0].unresolved))}", warning=True)


def generated(result: StudyResult) -> Verdict | None:
    """Whether draws make samples of the network's distribution; None for networks that generate nothing."""
    point = max(result.points, key=lambda each: each.told_apart or 0)
    apart, noise = point.told_apart, point.summary(NOISE)
    if apart is None or noise is None:
        return None
    said = [f"told apart from the network's distribution in {apart:,} of {many(len(point.draws), 'draw')}"]
    for metric in (each for each in METRICS if each.needs is Need.GENERATION and each.is_limitable):
        found = point.summary(metric.name)
        if found is not None:
            said.append(f"median {metric.title} {number(found.median)} {metric.unit}".rstrip())
    return Verdict(f"{_among(result, point, 'most')}{', '.join(said)}; noise {number(noise.median)}", warning=apart > 0)


def cross_check(result: StudyResult) -> list[Verdict]:
    """Whether the other engine says the same, draw by draw; loud where it was not asked."""
    if not result.checks:
        why = plain(result.request.no_cross_check)
        return [Verdict(f"no draw was checked by another engine: {why}", warning=True)]
    found = [check.found for check in result.checks]
    if result.engines_disagree or result.is_unchecked or all(each.worst is None for each in found):
        return [
            Verdict(f"draw {check.trial} at {name(result, result.points[check.point])}: {said.text}", said.warning)
            for check in result.checks
            for said in [said_of(check.found)]
            if said.warning or not result.engines_disagree
        ]
    largest = max(each.worst or 0.0 for each in found)
    engine = f"{plain(found[0].engine)} {plain(found[0].engine_version)}"
    checked = f"{many(len(found), 'draw')}, {many(len(found[0].samples), 'sample')} of each"
    agreed = f"agrees to {number(largest)} of the outputs' standard deviation"
    return [Verdict(f"{engine} on {checked}: {agreed}, allowed {number(max(each.allowed for each in found))}")]


def numerical(result: StudyResult) -> Verdict:
    """Whether the gaps are the circuits', or numerical error, of circuits and network."""
    reference = result.reference_error
    own = 0.0 if reference is None or reference.relative_rmse is None else reference.relative_rmse
    worst, doubtful = 0.0, 0
    for point in result.everything:
        if point.numerical is None:
            return Verdict(f"numerical error has no relative figure at {name(result, point)}", warning=True)
        worst = max(worst, point.numerical)
        pairs = ((draw.metrics["numerical_relative_rmse"], draw.metrics["relative_rmse"]) for draw in point.draws)
        doubtful += sum(
            error is not None and gap is not None and _is_doubtful(error + own, gap) for error, gap in pairs
        )
    said = f"relative RMSE {number(worst)} at most in any draw"
    said += "" if reference is None else f", of the network's own integration {number(reference.relative_rmse)}"
    if doubtful:
        return Verdict(f"{said}: more than a tenth of the gap in {many(doubtful, 'draw')}", warning=True)
    return Verdict(f"{said}, less than a tenth of the gap" if worst + own > ROUNDING else f"{said}: rounding")


def _is_doubtful(error: float, gap: float) -> bool:
    """More than a tenth of a gap that is worth a figure."""
    return max(error, gap) >= NEGLIGIBLE and error > max(WORTH_A_WARNING * gap, ROUNDING)


def _of_one(result: Studied, metric: str, draw: DrawResult) -> str:
    value = draw.metrics[metric]
    return share(value, draw.samples) if is_fraction(result, metric) else figure(result, metric, value)


def network(result: StudyResult) -> list[tuple[str, str]]:
    """What the network itself comes to, of all that a study shows beside the gap: title and value."""
    return [
        (BY_NAME[metric].title, share(value, result.samples) if is_fraction(result, metric) else number(value))
        for metric, value in result.of_network.items()
    ]


def fixed(result: Studied) -> Verdict | None:
    """Points where nothing is drawn."""
    count = sum(not point.is_random for point in result.points)
    if count == 0:
        return None
    where = "at every point" if count == len(result.points) else f"at {many(count, 'point')}"
    return Verdict(f"nothing is random {where}: all draws are the same, so one was measured")


def worst(result: Studied) -> tuple[str, str]:
    """The worst draw, and the command that measures it alone."""
    point, draw = result.worst
    figures = f"{result.known[result.metric].title} {figure(result, result.metric, draw.metrics[result.metric])}"
    for metric in result.beside:
        figures += f", {result.known[metric].title} {_of_one(result, metric, draw)}"
    if draw.failed:
        figures += f", {many(draw.failed_samples, 'sample')} without a result"
    where = "" if len(result.points) == 1 else f" at {name(result, point)}"
    return f"draw {draw.trial}{where}: {figures}", plain(result.request.command(point.point, draw.seed))
