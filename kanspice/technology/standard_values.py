"""Values that parts come in: the E series of IEC 60063."""

from __future__ import annotations

from typing import Literal, assert_never

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.traced import is_traced, plain, replaced

Series = Literal["exact", "E6", "E12", "E24", "E48", "E96", "E192"]
"""`exact`: any value can be had."""
_E24 = (10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91)
"""Older than the rule that the finer series follow, and not what it gives."""
_NOT_BY_THE_RULE = {919: 920}
"""Of E192."""


def values_of_decade(series: Series) -> tuple[int, ...]:
    """The series' values from 100 to below 1000; none of `exact`."""
    match series:
        case "exact":
            return ()
        case "E6" | "E12" | "E24":
            return tuple(10 * value for value in _E24[:: len(_E24) // int(series[1:])])
        case "E48" | "E96" | "E192":
            count = int(series[1:])
            ruled = (round(100 * 10 ** (place / count)) for place in range(count))
            return tuple(_NOT_BY_THE_RULE.get(value, value) for value in ruled)
        case _:
            assert_never(series)


def nearest(values: Array, series: Series) -> Array:
    """Of values of any shape, at least 0, the nearest of a series by ratio; 0 and infinity stay what they are.

    Results are the doubles that their decimal names have: 4990, and not 4990.000000000001.
    What is traced changes as if it were not rounded.
    """
    if is_traced(values):
        return replaced(values, nearest(plain(values), series))
    wanted = np.asarray(values, dtype=np.float64)
    if series == "exact":
        return wanted
    ladder = np.array([*values_of_decade(series), 1000], dtype=np.float64)
    there = np.isfinite(wanted) & (wanted > 0)
    decades = np.floor(np.log10(np.where(there, wanted, 1.0))) - 2
    rungs = ladder[np.searchsorted(np.sqrt(ladder[:-1] * ladder[1:]), _scaled(np.where(there, wanted, 1.0), -decades))]
    return np.where(there, _scaled(rungs, decades), wanted)


def _scaled(values: Array, decades: Array) -> Array:
    """Times ten to these powers, rounded once."""
    power: Array = 10.0 ** np.abs(decades)
    return np.where(decades >= 0, values * power, values / power)
