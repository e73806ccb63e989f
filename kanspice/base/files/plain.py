"""Plain values out of JSON and TOML that may be a stranger's: what Python can hold, print and go through.

A few kilobytes can nest values deeper than Python follows, or hold a number of thousands of digits, so that it is
whoever looks at the value later (a message, a validation, a report) who fails. Such texts end here. So do those
that say the same thing twice, since the last word would be taken in silence.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kanspice.base.errors import InputError

MAX_DEPTH = 60
"""Of values within values. No document of ours, and no configuration that we know, has ten."""
_MAX_DIGITS = 308
"""Of whole numbers: more are beyond what floating-point numbers hold."""


def parse_json(
    text: str | bytes,
    where: str | Path,
    problem: str = "is not JSON",
    expected: str | None = None,
    *,
    constant: Callable[[str], Any] = float,
) -> Any:
    """The value that JSON text stands for. Raises InputError, saying `problem`, for anything else.

    constant: what NaN, Infinity and -Infinity, which are not JSON, stand for; a ValueError refuses them.
    """
    try:
        value = json.loads(text, parse_constant=constant, parse_int=_whole, object_pairs_hook=_once)
        _check_depth(value)
    except (ValueError, RecursionError) as error:
        raise InputError(problem, where=where, expected=expected, found=_reason(error)) from error
    return value


def parse_toml(text: str, where: str | Path, problem: str = "is not TOML") -> dict[str, Any]:
    """The tables of TOML text. Raises InputError, saying `problem`, for anything else."""
    try:
        tables = tomllib.loads(text)
        _check_depth(tables)
    except (ValueError, RecursionError) as error:
        raise InputError(problem, where=where, found=_reason(error)) from error
    return tables


def refuse_constant(constant: str) -> float:
    """For `parse_json`: refuses what is not JSON."""
    raise ValueError(f"{constant} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these keys and values. Raises ValueError for a key that is there twice: which one is meant?"""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:80]!r} is there twice")
        found[key] = value
    return found


def _whole(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def _check_depth(value: object) -> None:
    """Raises ValueError for values within values too deep, or whole numbers too large, to work with."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return
    raise ValueError(f"values nested more than {MAX_DEPTH} deep")


def _inner(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    if isinstance(value, int) and value.bit_length() > 1024:
        raise ValueError(f"a whole number of {value.bit_length():,} bits")
    return []


def _reason(error: Exception) -> str:
    return f"values nested more than {MAX_DEPTH} deep" if isinstance(error, RecursionError) else str(error)[:200]
