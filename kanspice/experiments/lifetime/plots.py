"""Pictures of lifetimes: what becomes of a metric with time, and how many chips are still good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kanspice.experiments.ensemble.draws import PointDraws
from kanspice.experiments.ensemble.statistics import Yield
from kanspice.experiments.lifetime.ages import UNITS, YEAR_S, shown_age
from kanspice.experiments.lifetime.result import LifetimeResult
from kanspice.experiments.study import wording
from kanspice.report.figures import BLUE, GREY, PALETTE, SHORT, VERMILLION, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AGAIN = PALETTE[2]
_TICKS_S = (1e-6, 1e-3, 1.0, 60.0, 3600.0, UNITS["d"], 30 * UNITS["d"], YEAR_S, 10 * YEAR_S, 100 * YEAR_S, 1e4 * YEAR_S)


def over_time(result: LifetimeResult, metric: str) -> Figure:
    """The mean of a metric against the age, and what 90 % of chips lie between; of chips set anew besides."""
    as_fraction = wording.is_fraction(result, metric)
    factor = 100.0 if as_fraction else 1.0
    with picture(3.4, f"{wording.title(result, metric)} over time") as (figure, axes):
        untouched = "as they are" if result.recalibrated else "mean, 90 % of chips"
        _band(axes, result, metric, result.points, (BLUE, untouched, factor))
        if result.recalibrated:
            _band(axes, result, metric, result.recalibrated, (_AGAIN, "recalibrated", factor))
            axes.axvline(_age(result, result.recalibrated[0]), color=_AGAIN, linestyle=":", linewidth=1)
        if metric in result.of_network:
            network = factor * result.of_network[metric]
            axes.axhline(network, color=GREY, linestyle="--", linewidth=1, label="network")
        limit = result.bound(metric)
        if limit is not None:
            axes.axhline(factor * limit, color=VERMILLION, linestyle="--", linewidth=1, label="limit")
        axes.set(ylabel=result.known[metric].title + (" (%)" if as_fraction else ""))
        axes.yaxis.set_major_formatter(SHORT)
        _time_axis(axes, result.request.ages_s)
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
        return figure


def still_good(result: LifetimeResult) -> Figure:
    """The fraction of chips that are good at every age up to each, and what it is of all chips ever made."""
    with picture(3.0, "Chips that are still good") as (figure, axes):
        if result.recalibrated:
            _survival(axes, result, result.survival_untouched, (BLUE, "as they are"))
            _survival(axes, result, result.survival, (_AGAIN, "recalibrated"))
        else:
            _survival(axes, result, result.survival, (BLUE, "good so far, 95 % confidence"))
        if result.request.wanted_yield is not None:
            wanted = 100 * result.request.wanted_yield
            axes.axhline(wanted, color=VERMILLION, linestyle="--", linewidth=1, label="wanted")
        axes.set(ylabel="chips (%)", ylim=(-2, 102))
        _time_axis(axes, result.request.ages_s)
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
        return figure


Look = tuple[str, str]
"""Colour and label of a line."""


def _band(
    axes: Axes, result: LifetimeResult, metric: str, points: Sequence[PointDraws], look: tuple[str, str, float]
) -> None:
    """look: colour, label, and what values are multiplied by."""
    colour, label, factor = look
    found = [(_age(result, point), point.summary(metric)) for point in points]
    known = [(age, each) for age, each in found if each is not None]
    ages = [age for age, _ in known]
    low, high = ([factor * each.quantiles[end] for _, each in known] for end in (1, -2))
    axes.fill_between(ages, low, high, color=colour, alpha=0.25, linewidth=0)
    axes.plot(ages, [factor * each.mean for _, each in known], color=colour, marker="o", markersize=4, label=label)


def _survival(axes: Axes, result: LifetimeResult, parts: Sequence[Yield], look: Look) -> None:
    colour, label = look
    ages = result.request.ages_s
    bounds = [(part.low, part.high) for part in parts]
    known = [
        (age, low, high) for age, (low, high) in zip(ages, bounds, strict=True) if low is not None and high is not None
    ]
    axes.fill_between(
        [age for age, _, _ in known],
        [100 * low for _, low, _ in known],
        [100 * high for _, _, high in known],
        color=colour,
        alpha=0.25,
        linewidth=0,
    )
    axes.plot(ages, [100 * part.fraction for part in parts], color=colour, marker="o", markersize=4, label=label)


def _age(result: LifetimeResult, point: PointDraws) -> float:
    return result.request.ages_s[point.point.index]


def _time_axis(axes: Axes, ages_s: Sequence[float]) -> None:
    """Logarithmic, with a second, an hour and a year on it where they are."""
    axes.set_xscale("log")
    ticks = [tick for tick in _TICKS_S if 0.99 * ages_s[0] <= tick <= 1.01 * ages_s[-1]]
    shown = ticks if len(ticks) > 1 else [ages_s[0], ages_s[-1]]
    axes.set_xticks(shown, [shown_age(tick) for tick in shown])
    axes.minorticks_off()
    axes.set_xlabel("age")
