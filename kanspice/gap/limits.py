"""Limits on metrics, `METRIC=VALUE`, from the command line or from a file that a repository keeps.

A metric that is better the smaller it is has a maximum, one that is better the larger it is a minimum.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kanspice.base.errors import InputError
from kanspice.base.validation import read_toml
from kanspice.gap.metric_table import BY_NAME, Metric, has_minimum, metric_named

LimitPair = tuple[str, float]
"""A metric and the largest value that it may have, or where it is better the larger it is, the smallest."""


def parse_limits(texts: Sequence[str], where: str = "--max") -> list[LimitPair]:
    """`METRIC=VALUE` texts as pairs. Raises InputError for a text that is none."""
    limits = []
    for text in texts:
        metric, equals, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not equals or not 0 <= value < math.inf:
            example = "accuracy=0.9" if where.endswith("min") else "relative_rmse=1e-3"
            raise InputError(f"bad limit '{text}'", where=where, expected=f"METRIC=VALUE, as in {example}")
        limits.append((metric.strip(), value))
    return limits


def read_limits(path: str | Path) -> list[LimitPair]:
    """The `METRIC = VALUE` lines of a TOML file as pairs; `l1.crossbar.relative_rmse = 1e-3` needs no quotes.

    Raises InputError for a file that cannot be read, or says nothing.
    """
    limits = list(_flat(read_toml(Path(path), "a file of limits"), "", path))
    if not limits:
        raise InputError("there is no limit in it", where=path, expected="lines such as relative_rmse = 1e-3")
    return limits


def check_ways(
    largest: Sequence[LimitPair], smallest: Sequence[LimitPair], metrics: Mapping[str, Metric[Any]] = BY_NAME
) -> None:
    """Raises InputError for a maximum of what is better the larger it is, and for a minimum of what is better smaller.

    metrics: by name; of a name that is not among them nothing is said.
    """
    for metric, bound in largest:
        if has_minimum(metric, metrics):
            problem = f"{metric} is better the larger it is: a limit on it is a minimum"
            raise InputError(problem, where="--max", hint=f"--min {metric}={bound:g}")
    for metric, bound in smallest:
        known = metric_named(metric, metrics)
        if known is not None and known.better == "less":
            problem = f"{metric} is better the smaller it is: a limit on it is a maximum"
            raise InputError(problem, where="--min", hint=f"--max {metric}={bound:g}")


def check_fractions(limits: Sequence[LimitPair], metrics: Mapping[str, Metric[Any]] = BY_NAME) -> None:
    """Raises InputError for a fraction above 1, which was meant in percent: nothing would exceed, or reach, it."""
    for metric, bound in limits:
        known = metric_named(metric, metrics)
        if known is not None and known.unit == "fraction" and bound > 1:
            raise InputError(
                f"{metric} is a fraction",
                where=f"limit on {metric}",
                expected="a number from 0 to 1",
                found=f"{bound:g}",
                hint=f"{metric}={bound / 100:g} is {bound:g} %",
            )


def merged(limits: Sequence[LimitPair], overrides: Sequence[LimitPair]) -> list[LimitPair]:
    """Both, with the override where both have a limit on a metric."""
    replaced = {metric for metric, _ in overrides}
    return [*(pair for pair in limits if pair[0] not in replaced), *overrides]


def parse_growth(text: str, where: str = "--max-growth") -> float:
    """`10%` or `0.1` as a fraction. Raises InputError for anything else."""
    number, percent = text.strip(), 1.0
    if number.endswith("%"):
        number, percent = number[:-1], 100.0
    try:
        value = float(number) / percent
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise InputError(f"bad growth '{text}'", where=where, expected="a fraction of the gap, as in 10% or 0.1")
    return value


def _flat(table: Mapping[str, object], prefix: str, where: str | Path) -> Iterator[LimitPair]:
    for key, value in table.items():
        metric = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{metric}.", where)
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise InputError(
                f"bad limit on '{metric}'", where=where, expected="a finite number >= 0", found=repr(value)[:100]
            )
        else:
            yield metric, float(value)
