"""Numbers that functions are given, within what the command line's options take."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

from kanspice.base.errors import InputError

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_LEAST = {
    "limit": 1,
    "jobs": 1,
    "seed": 0,
    "waveforms": 0,
    "specimens": 1,
    "trials": 1,
    "fine_tune": 0,
    "episodes": 1,
    "steps": 1,
    "latency": 0,
    "sample": 0,
    "draws": 0,
    "rare_draws": 2,
    "points": 2,
    "calibration": 2,
    "epochs": 1,
}
"""Of whole numbers, by the name of the argument."""
_SECONDS = {"timeout": 1e-3, "period": 1e-15, "rise": 1e-18, "seconds": 1e-3}
"""Of seconds, by the name of the argument: at least so many."""
_MOST = {
    "ridge": math.inf,
    "max_edge": math.inf,
    "within": math.inf,
    "yield_min": 1.0,
    "rate": 1.0,
    "input_noise": math.inf,
    "noise": 1.0,
    "sigmas": 100.0,
}
"""Of other numbers from 0, by the name of the argument: at most so much."""


def plain_numbers(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """The function, which then also takes NumPy's numbers where it takes Python's."""

    @wraps(function)
    def called(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        named = {name: _plain(value) for name, value in kwargs.items()}
        return function(*map(_plain, args), **named)  # type: ignore[arg-type]

    return called


def _plain(value: object) -> object:
    if isinstance(value, np.integer):
        return int(value)
    return float(value) if isinstance(value, np.floating) else value


def numbers_of(name: str, given: object) -> tuple[float, ...]:
    """Several numbers of one argument. Raises InputError for what is no list of such."""
    values = [*map(_plain, given)] if isinstance(given, Sequence | np.ndarray) else [given]
    for value in values:
        check_numbers(**{name: value})
    return tuple(values)  # type: ignore[arg-type]


def check_numbers(**given: object) -> None:
    """Raises InputError for arguments that are no such numbers; None is left to the default."""
    for name, value in given.items():
        if value is None:
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in _SECONDS:
            expected, least = f"seconds, at least {_SECONDS[name]:g}", _SECONDS[name]
            good = is_number and math.isfinite(value) and value >= least  # type: ignore[operator,arg-type]
        elif name in _MOST:
            expected = "a number from 0" + (f" to {_MOST[name]:g}" if math.isfinite(_MOST[name]) else ", finite")
            good = is_number and math.isfinite(value) and 0 <= value <= _MOST[name]  # type: ignore[operator,arg-type]
        else:
            expected, least = f"a whole number, at least {_LEAST[name]}", _LEAST[name]
            good = is_number and isinstance(value, int) and value >= least
        if not good:
            where = f"--{name.replace('_', '-')}"
            raise InputError("a number is out of range", where=where, expected=expected, found=f"{value!r}"[:80])
