"""Limits on metrics, `METRIC=VALUE`, from the command line or from a file that a repository keeps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.validation import read_toml

LimitPair = tuple[str, float]
"""A metric and the largest value that it may have."""


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
            raise InputError(f"bad limit '{text}'", where=where, expected="METRIC=VALUE, as in relative_rmse=1e-3")
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
