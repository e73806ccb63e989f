"""Limits on metrics: which can be set, whether they are kept, and whether numerical error leaves that to be told."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from kanspice.base.errors import InputError
from kanspice.base.validation import nearest, similar
from kanspice.gap.limits import LimitPair
from kanspice.gap.metric_table import BY_NAME, METRICS, Metric, Need, has_minimum, limitable
from kanspice.gap.resolution import Doubt, Limit

_MISSING = {
    Need.LABELS: ("an accuracy needs labels", "pass --labels Y.npy"),
    Need.TARGETS: ("a loss needs true answers", "pass --targets T.npy"),
    Need.CHIP: ("there is no chip to hold against anything", "kanspice verify --measured F.npy takes what it gave"),
    Need.LABELLED_CHIP: ("a chip's accuracy needs what it gave, and labels", "pass --measured F.npy --labels Y.npy"),
    Need.ORIGINAL: ("the network holds no learnt one that it was made of", "kanspice project makes networks that do"),
}


def check_limits(limits: Sequence[LimitPair], there: frozenset[Need], where: str, stages: Iterable[str] = ()) -> None:
    """Raises InputError for a metric that there is not, or that needs what was not given.

    there: what there is besides samples; stages: of the circuit, where their gaps are measured too.
    """
    known = limitable(there, stages)
    for name, _ in limits:
        missing = _missing(name, there)
        if missing is not None:
            problem, hint = missing
            raise InputError(problem, where=f"limit on {name}", hint=hint)
        if name not in known:
            raise InputError(f"unknown metric '{name}'", where=where, hint=nearest(name, known))


def check_names(limits: Sequence[LimitPair], known: Sequence[str]) -> None:
    """Raises InputError for a limit on a metric that is not among those that there are."""
    for name, _ in limits:
        if name not in known:
            hint = similar(name, known)
            raise InputError(f"there is no metric '{name}'", where="the limits", expected=", ".join(known), hint=hint)


def _missing(name: str, there: Collection[Need]) -> tuple[str, str] | None:
    """What is wrong with a limit on a metric that needs more than there is, and what to try; None where nothing is."""
    metric = BY_NAME.get(name)
    if metric is None or not metric.is_limitable or metric.needs in there:
        return None
    return _MISSING.get(metric.needs)


def judged(
    wanted: Sequence[LimitPair], values: Mapping[str, float | None], metrics: Mapping[str, Metric[Any]] = BY_NAME
) -> tuple[Limit, ...]:
    """The limits with what was measured; NaN where nothing was. metrics: by name, which say in which way they bound."""
    limits = []
    for metric, bound in wanted:
        value = values[metric]
        found = math.nan if value is None else value
        minimum = has_minimum(metric, metrics)
        limits.append(Limit(metric, found, min=bound) if minimum else Limit(metric, found, bound))
    return tuple(limits)


def unresolved(
    doubt: Doubt, limits: Sequence[Limit], *, solved: bool, metrics: Sequence[Metric[Any]] = METRICS
) -> tuple[str, ...]:
    """Why a gap is no figure, or cannot be told from numerical error, if so. solved: whether any sample was.

    metrics: that the limits are on. Without a solved sample there is no gap that could be anything else than finite.
    """
    too_large = ("the gap is no finite number",) if solved and not doubt.gap.is_finite else ()
    return (*too_large, *doubt.reasons(), *_undecided(doubt, limits, metrics))


def _undecided(doubt: Doubt, limits: Sequence[Limit], metrics: Sequence[Metric[Any]]) -> Iterator[str]:
    """Limits that are kept, but below what the error leaves to be told."""
    errors = {metric.name: metric.error for metric in metrics}
    for limit in limits:
        error_of = errors.get(limit.metric)
        error = None if error_of is None else error_of(doubt)
        if error is not None and limit.max is not None and limit.passed and error > limit.max:
            yield f"the limit on {limit.metric}, {limit.max:.3g}, lies below the numerical error, {error:.2g}"
