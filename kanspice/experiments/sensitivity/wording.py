"""What a sensitivity analysis says, in plain sentences and tables."""

from __future__ import annotations

import math
from collections.abc import Iterator

from kanspice.experiments.sensitivity.result import (
    Drawn,
    KeyEffect,
    PartShare,
    Rare,
    Sensitivity,
    Spread,
    WorstSpecimen,
)
from kanspice.gap.cross_check import CrossCheck
from kanspice.gap.metric_table import has_minimum
from kanspice.report.blocks import Fact, Table
from kanspice.report.formatting import NOTHING, many, number, plain
from kanspice.report.verdict import Verdict

_SHOWN = 12
SHOWN_SHARE = 1e-6
"""Of the squared error: less is rounding."""
_SHOWN_EFFECT = 5e-4
"""Of the gap, for as much of a key."""
_FEW = 10
"""Draws."""
_MISSED, _ERRORS = 0.1, 4.0
"""Of the drawn mean, and in its standard errors: a prediction that is off by more of both misleads."""
_THERE = 0.05
"""Of the gap: what a circuit is off by without anything random, and which is then said."""


def answer(result: Sensitivity) -> Verdict:
    """How far off specimens are, and which part does most."""
    told, first = result.prediction, result.parts[0]
    kept = f", with {', '.join(map(plain, result.fixed))} as of the seed" if result.fixed else ""
    there = f", beside {number(told.nominal)} that is there without" if told.nominal > _THERE * told.gap.mean else ""
    return Verdict(
        f"Specimens are off by {number(told.gap.mean)} of the outputs' standard deviation on average, one in 20 by more"
        f" than {number(told.gap.high)} (predicted{kept}); {plain(first.name)} makes {first.share:.0%} of the"
        f" squared error of random parts{there}"
    )


def spreads(result: Sensitivity) -> Table:
    """The prediction, beside specimens that were drawn."""
    told, drawn = result.prediction, result.drawn
    names = ("mean", "standard deviation", "5 % are below", "95 % are below")
    beside = _figures(None if drawn is None else drawn.gap)
    rows = [
        _row(f"gap, {name}", mine, each) for name, mine, each in zip(names, _figures(told.gap), beside, strict=True)
    ]
    rows.append(_row("spread of outputs, model units", told.spread_rmse, None if drawn is None else drawn.spread_rmse))
    accuracy = None if drawn is None else drawn.accuracy
    if told.accuracy is not None or accuracy is not None:
        both = zip(names[:2], _figures(told.accuracy)[:2], _figures(accuracy)[:2], strict=True)
        rows += [_row(f"accuracy, {name}", mine, each) for name, mine, each in both]
    rows.append(_row("processor seconds", told.seconds, None if drawn is None else drawn.seconds))
    header = ("relative RMSE", "predicted", "no draws" if drawn is None else many(drawn.draws, "draw"))
    return Table(header, rows)


def _figures(spread: Spread | None) -> tuple[float | None, ...]:
    return (None,) * 4 if spread is None else (spread.mean, spread.std, spread.low, spread.high)


def _row(name: str, told: float | None, drawn: float | None) -> tuple[str, str, str]:
    return name, number(told), number(drawn)


def how_predicted(result: Sensitivity) -> Verdict:
    """On what it rests."""
    told, drawn = result.prediction, result.drawn
    if told.method == "columns":
        how = "By derivatives, column by column, around the circuit whose random numbers are all 0"
    else:
        how = "By random backward passes at the circuit whose random numbers are all 0: known to ten or twenty percent"
    if drawn is None or drawn.gap.std == 0:
        return Verdict(f"{how}.")
    off = told.gap.std / drawn.gap.std - 1
    low, high = drawn.std_low / drawn.gap.std - 1, drawn.std_high / drawn.gap.std - 1
    cost = drawn.seconds / drawn.draws * 1000 / told.seconds if told.seconds else float("inf")
    known = f"which so many draws know to within {low:+.0%} and {high:+.0%} (90 % interval)"
    said = f"The standard deviation is {off:+.1%} off the drawn one, {known}"
    fixed = ", ".join(plain(name) for name in result.fixed)
    besides = f" {fixed}: random in draws only, and in no prediction." if fixed else ""
    failed = f"; {many(drawn.failed, 'draw')} with samples without a result left out" if drawn.failed else ""
    text = f"{how}. {said}{failed}. A thousand draws would cost {cost:,.0f} times as much.{besides}"
    missed = _missed_mean(told.gap.mean, drawn)
    return Verdict(text + missed, bool(drawn.failed) or bool(missed))


def _missed_mean(predicted: float, drawn: Drawn) -> str:
    """What is said where the drawn mean is another than the predicted one, beyond chance; "" elsewhere."""
    off = predicted - drawn.gap.mean
    error = drawn.gap.std / math.sqrt(max(1, drawn.draws - drawn.failed))
    if abs(off) <= max(_MISSED * drawn.gap.mean, _ERRORS * error):
        return ""
    return f" The mean is {off / drawn.gap.mean:+.1%} off the drawn one: the draws are right."


def parts(rows: tuple[PartShare, ...]) -> Table:
    """Arrays of random numbers, and what they do."""
    shown = [row for row in rows[:_SHOWN] if row.share > SHOWN_SHARE]
    cells = [(*_named(row), number(row.alone), number(row.largest), _place(row)) for row in shown]
    header = (
        "random part",
        "numbers",
        "share of random\nsquared error, %",
        "gap\nby itself",
        "largest\nof one",
        "which",
    )
    return Table(header, cells, texts=frozenset({0, 5}), more=len(rows) - len(shown))


def _named(row: PartShare) -> tuple[str, str, str]:
    return plain(row.name), f"{row.numbers:,}", f"{100 * row.share:.3g}"


def _place(row: PartShare) -> str:
    return NOTHING if row.numbers == 1 or not row.place else ", ".join(map(str, row.place))


def keys(rows: tuple[KeyEffect, ...]) -> Table:
    """Numbers of the technology, and what more of them does."""
    shown = [row for row in rows[:_SHOWN] if abs(row.effect) >= _SHOWN_EFFECT]
    cells = [(plain(row.name), number(row.value), f"{row.effect:+.3f}", number(row.std_error)) for row in shown]
    header = ("number of the technology", "value", "1 % more changes\nthe gap by, %", "standard\nerror")
    return Table(header, cells, texts=frozenset({0}), more=len(rows) - len(shown))


def worst(found: WorstSpecimen, drawn: Drawn | None) -> Iterator[Fact]:
    """The specimen that a search came to."""
    beside = ""
    if drawn is not None and drawn.largest > 0:
        beside = f": {number(found.gap / drawn.largest)} times the worst of {many(drawn.draws, 'draw')}"
    yield "gap", Verdict(f"relative RMSE {number(found.gap)}{beside}")
    if found.accuracy is not None:
        yield "accuracy", f"{found.accuracy:.1%}"
    yield "within", f"every random number at most {found.sigmas:g} standard deviations off"
    yield "search", f"{found.steps} backward passes, {number(found.seconds)} s of processor"
    written = f"{plain(found.path)}, SHA-256 {found.sha256[:12]}"
    yield "file", written if found.path else "not written: --worst F.npz does"
    if found.cross_check is not None:
        yield "other engine", _checked(found.cross_check)


def _checked(check: CrossCheck) -> Verdict:
    said = "agrees" if check.passed else "DOES NOT AGREE"
    figure = "" if check.worst is None else f" to {number(check.worst)} of the outputs' standard deviation at most"
    text = f"{plain(check.engine)} {said} on {many(len(check.samples), 'sample')}{figure}"
    return Verdict(text, not check.passed)


def rare(rows: tuple[Rare, ...]) -> Table:
    """Specimens beyond limits."""
    header = ("limit", "probability", "standard error", "beyond\n/ solved", "effective\ndraws", "as they come")
    cells = [
        (
            _beyond(row),
            number(row.probability),
            number(row.standard_error),
            f"{row.beyond} / {row.draws}",
            number(row.effective),
            f"{row.plain} / {row.plain_draws}" if row.plain_draws else NOTHING,
        )
        for row in rows
    ]
    return Table(header, cells)


def _beyond(row: Rare) -> str:
    return f"{plain(row.metric)} {'<' if has_minimum(row.metric) else '>'} {row.limit:g}"


def rare_doubts(rows: tuple[Rare, ...]) -> Verdict | None:
    """Of estimates that rest on next to nothing."""
    few = [row for row in rows if row.effective < _FEW]
    if not few:
        return None
    named = ", ".join(map(_beyond, few))
    text = f"{named}: fewer than {_FEW} effective draws; the standard error may be too small. More: --rare-draws."
    return Verdict(text, warning=True)
