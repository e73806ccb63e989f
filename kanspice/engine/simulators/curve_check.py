"""Whether a simulator evaluates a device's curve as NumPy does: at which voltages that is asked, and what is right."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.devices import Curve, PiecewisePolynomial

ALLOWED = 1e-9
"""Of the largest current: more is another curve."""
_EVEN, _PIECES, _BEYOND = 201, 400, 0.25
_MOST_DIGITS = 250


@dataclass(frozen=True)
class CurveDeviation:
    """How far a simulator's currents are from NumPy's at most, in parts of the largest current, and where."""

    worst: float
    at_v: float

    @property
    def is_right(self) -> bool:
        """Whether it is the same curve."""
        return self.worst <= ALLOWED


def checked_volts(curve: Curve) -> Array:
    """(points,) over the range and beyond both ends, in every piece and at its ends; of very many pieces, in some."""
    width = curve.hi_v - curve.lo_v
    even = np.linspace(curve.lo_v - _BEYOND * width, curve.hi_v + _BEYOND * width, _EVEN)
    if not isinstance(curve, PiecewisePolynomial):
        return even
    chosen = np.unique(np.linspace(0, len(curve.coefficients) - 1, _PIECES).round().astype(int))
    begin, end = curve.breakpoints[chosen], curve.breakpoints[chosen + 1]
    inside = [begin + part * (end - begin) for part in (0.0, 0.3, 0.7, 1.0)]
    return np.unique(np.concatenate([even, *inside]))


def scale_of(amps: Array) -> float:
    """The power of ten that brings the largest of some currents to 1 and more: simulators' tolerances are absolute."""
    largest = float(np.abs(amps).max(initial=0.0))
    return 10.0 ** min(-math.floor(math.log10(largest)), _MOST_DIGITS) if largest > 0 else 1.0


def deviation(volts: Array, expected: Array, found: Array) -> CurveDeviation:
    """Of currents (points,); infinite where there is a current that is no number."""
    apart = np.where(np.isfinite(found), np.abs(found - expected), np.inf)
    worst = int(np.argmax(apart))
    largest = float(np.abs(expected).max()) or 1.0
    return CurveDeviation(float(apart[worst]) / largest, float(volts[worst]))
