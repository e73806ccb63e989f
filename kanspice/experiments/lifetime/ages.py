"""Ages of chips: as they are written, as readers get them, and spread evenly over the logarithm of time."""

from __future__ import annotations

import math
import re

import numpy as np

from kanspice.base.errors import InputError
from kanspice.report.formatting import number

YEAR_S = 31_557_600.0
"""365.25 days."""
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "y": YEAR_S}
_WRITTEN = re.compile(r"\s*([0-9.]+(?:[eE][-+]?[0-9]+)?)\s*([a-z]*)\s*")
_DIGITS = 4
"""Of an age between the first and the last."""
_NEAR = 0.4
"""Of the logarithm between two ages: what is so near another says the same."""
_LONGEST_S = 1e12


def seconds_of(age: str | float, where: str) -> float:
    """Seconds of `90`, `90s`, `1.5 h` or `10y`. Raises InputError for anything else, and for no time at all."""
    found = _WRITTEN.fullmatch(age) if isinstance(age, str) else None
    try:
        seconds = float(age) if found is None else float(found[1]) * UNITS[found[2] or "s"]
    except (KeyError, TypeError, ValueError):
        seconds = math.nan
    if isinstance(age, bool) or not 0 < seconds <= _LONGEST_S:
        raise InputError(
            "this is no age",
            where=where,
            expected=f"a time above 0: seconds, or a number with one of {', '.join(UNITS)}, as in 10y",
            found=repr(age)[:80],
        )
    return seconds


def ages_between(first_s: float, last_s: float, count: int, also_s: float | None = None) -> tuple[float, ...]:
    """So many ages from the first to the last, as far apart in logarithm, in order.

    also_s: one more, which takes the place of one that is near to it.

    Raises InputError where the last is not after the first, or the one more is not between them.
    """
    if not first_s < last_s:
        raise InputError(
            "a life ends before it begins",
            where="--from",
            expected=f"an age before {shown_age(last_s)}, that of --to",
            found=shown_age(first_s),
        )
    between = [float(f"{age:.{_DIGITS}g}") for age in np.geomspace(first_s, last_s, count)[1:-1]]
    if also_s is not None:
        if not first_s <= also_s <= last_s:
            raise InputError(
                "nobody looks at chips of that age",
                where="--recalibrate",
                expected=f"an age from {shown_age(first_s)} to {shown_age(last_s)}, those of --from and --to",
                found=shown_age(also_s),
            )
        near = (last_s / first_s) ** (_NEAR / (count - 1))
        between = [age for age in between if not also_s / near < age < also_s * near]
    return tuple(sorted({first_s, *between, last_s, *([] if also_s is None else [also_s])}))


def shown_age(seconds: float) -> str:
    """An age for readers, in the largest unit that there is a whole one of: "1 y", "14.6 h"."""
    unit = next((unit for unit in reversed(UNITS) if seconds >= UNITS[unit] * (1 - 1e-12)), "us")
    return f"{number(seconds / UNITS[unit])} {unit}"
