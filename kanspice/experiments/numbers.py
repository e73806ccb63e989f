"""Numbers that functions are given, within what the command line's options take."""

from __future__ import annotations

import math

from kanspice.base.errors import InputError

_LEAST = {
    "limit": 1,
    "jobs": 1,
    "seed": 0,
    "waveforms": 0,
    "trials": 1,
    "fine_tune": 0,
    "episodes": 1,
    "steps": 1,
    "latency": 0,
}
"""Of whole numbers, by the name of the argument."""
_SECONDS = {"timeout": 1e-3, "period": 1e-15, "rise": 1e-18}
"""Of seconds, by the name of the argument: at least so many."""


def check_numbers(**given: object) -> None:
    """Raises InputError for arguments that are no such numbers; None is left to the default."""
    for name, value in given.items():
        if value is None:
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in _SECONDS:
            expected, least = f"seconds, at least {_SECONDS[name]:g}", _SECONDS[name]
            good = is_number and math.isfinite(value) and value >= least  # type: ignore[operator,arg-type]
        else:
            expected, least = f"a whole number, at least {_LEAST[name]}", _LEAST[name]
            good = is_number and isinstance(value, int) and value >= least
        if not good:
            where = f"--{name.replace('_', '-')}"
            raise InputError("a number is out of range", where=where, expected=expected, found=f"{value!r}"[:80])
