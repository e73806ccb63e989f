"""Peak and valley of a current-voltage curve: where its negative differential resistance begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

if TYPE_CHECKING:
    from kanspice.devices.curves import Curve

_GRID_POINTS = 4001
_NOTHING = 1e-12
"""Of the peak: what rounding may leave of a valley that carries no current."""


@dataclass(frozen=True)
class Extrema:
    """The main peak and the valley behind it; voltages in volts, currents in the card's current unit.

    The peak is the highest local maximum strictly inside the range, the valley the lowest point of the curve between
    the peak and the upper end of the range (the end itself counts when the current is still falling there).
    """

    peak_v: float
    peak_i: float
    valley_v: float
    valley_i: float

    @property
    def peak_to_valley(self) -> float | None:
        """Peak current over valley current; None where the valley current is not positive, but for rounding."""
        return self.peak_i / self.valley_i if self.valley_i > _NOTHING * self.peak_i else None


def find_extrema(curve: Curve) -> Extrema | None:
    """Peak and valley of `curve`; None for a curve without a local maximum, such as a transistor's square law."""
    turning_v, rising_before = _turning_points(curve)
    peaks = turning_v[rising_before]
    if peaks.size == 0:
        return None
    peak_i, _ = curve.numpy(peaks)
    best = int(np.argmax(peak_i))
    behind = np.append(turning_v[~rising_before & (turning_v > peaks[best])], curve.hi_v)
    valley_i, _ = curve.numpy(behind)
    lowest = int(np.argmin(valley_i))
    return Extrema(float(peaks[best]), float(peak_i[best]), float(behind[lowest]), float(valley_i[lowest]))


def _turning_points(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Voltages (n,) where dI/dV changes sign, and (n,) whether the curve rises before each: True marks a maximum."""
    grid = np.linspace(curve.lo_v, curve.hi_v, _GRID_POINTS)
    _, slope = curve.numpy(grid)
    moving = np.flatnonzero(slope)
    turns = [(a, b) for a, b in pairwise(moving) if slope[a] * slope[b] < 0]
    found = [brentq(lambda v: float(curve.numpy(np.asarray(v))[1]), grid[a], grid[b]) for a, b in turns]
    return np.array(found, dtype=float), np.array([slope[a] > 0 for a, _ in turns], dtype=bool)
