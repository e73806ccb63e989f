"""Photovoltaic tracking as the authors of PhyKAN set it up: one curve an episode, in their units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.experiments.control.plants.box import Box
from kanspice.experiments.control.plants.photovoltaic import A_PER_UNIT, TRACKED, V_PER_UNIT, ZERO_C_K, Cells, draw_sky
from kanspice.families.common import load_array

SPACING_V = 0.2
"""Between the points of a curve, from 0 V on."""
W_PER_UNIT = 1000.0
"""Power of an observation of 1."""
_LEAST_POINTS = 2


def load_curves(path: Path) -> Array:
    """Currents in amperes of power curves, (curves, points), at 0 V, 0.2 V, and so on.

    Raises InputError if the file holds no such table, or a curve that never delivers power.
    """
    curves = load_array(path, "the plant's curves")
    if curves.shape[1] < _LEAST_POINTS:
        expected = f"(curves, points), a current in amperes every {SPACING_V:g} V from 0 V on"
        raise InputError("the plant's curves have no length", where=path, expected=expected, found=f"{curves.shape}")
    idle = np.flatnonzero((curves[:, 1:] <= 0).all(axis=1))
    if idle.size:
        expected = "a positive current somewhere above 0 V"
        raise InputError(
            "a curve delivers no power", where=path, expected=expected, found=f"row {idle[0]} delivers none"
        )
    return curves


class PowerTracking:
    """Observation (4,): voltage / 200 V, current / 9 A, the last voltage step in volts, power / 1,000 W.

    Action (1,): a voltage step in volts, of any size. An episode has one curve of power over voltage, and begins
    anywhere on it; both are drawn. Between points current and power are linear; beyond a curve's ends they stay. The
    voltage stays within 0 to 200 V. Reward: the power over the curve's greatest, so that its mean is the tracking
    efficiency. Nothing ends an episode; it is a success if the tracking efficiency is at least 0.95.

    curves: currents in amperes, (curves, points), every 0.2 V from 0 V on; power at a point is voltage times current.
    Without any, cells under a sky that the seed draws, and that does not change.
    """

    reward_name = "tracking efficiency"
    observation_names = ("voltage / 200 V", "current / 9 A", "last step / 1 V", "power / 1000 W")

    def __init__(self, curves: Array | None = None) -> None:
        self.observation_space = Box.of(4)
        self.action_space = Box.of(1)
        self.curves = curves
        self._random = np.random.default_rng()
        self._current_a: Array = np.zeros(_LEAST_POINTS)
        self._power_w: Array = np.zeros(_LEAST_POINTS)
        self._points_v: Array = np.zeros(_LEAST_POINTS)
        self._volts, self._sum, self._period = 0.0, 0.0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Another curve, and a voltage between 0 and 200 V. options: none."""
        del options
        if seed is not None:
            self._random = np.random.default_rng(seed)
        self._current_a = self._drawn_curve()
        self._points_v = np.asarray(SPACING_V * np.arange(len(self._current_a)), dtype=np.float64)
        self._power_w = np.asarray(self._points_v * self._current_a)
        self._volts = float(self._random.uniform(0.0, V_PER_UNIT))
        self._sum, self._period = 0.0, 0
        return self._observation(0.0), {}

    def step(self, action: npt.ArrayLike, /) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """The voltage steps, as far as it can."""
        step_v = float(np.asarray(action, dtype=np.float64)[0])
        self._volts = min(max(self._volts + step_v, 0.0), V_PER_UNIT)
        best = int(np.argmax(self._power_w))
        efficiency = self._at(self._power_w) / float(self._power_w[best])
        self._sum += efficiency
        self._period += 1
        info = {
            "is_success": self._sum / self._period >= TRACKED,
            "best_v": float(self._points_v[best]),
            "best_w": float(self._power_w[best]),
        }
        return self._observation(step_v), efficiency, False, False, info

    def close(self) -> None:
        """Nothing to free."""

    def _observation(self, step_v: float) -> Array:
        current_a, power_w = self._at(self._current_a), self._at(self._power_w)
        return np.array([self._volts / V_PER_UNIT, current_a / A_PER_UNIT, step_v, power_w / W_PER_UNIT])

    def _at(self, values: Array) -> float:
        return float(np.interp(self._volts, self._points_v, values))

    def _drawn_curve(self) -> Array:
        if self.curves is not None:
            curve: Array = self.curves[int(self._random.integers(len(self.curves)))]
            return curve
        sun, celsius = draw_sky(self._random)
        cells = Cells().at(float(sun), float(celsius) + ZERO_C_K)
        volts = SPACING_V * np.arange(round(V_PER_UNIT / SPACING_V) + 1)
        return np.array([max(cells.current_a(each), 0.0) for each in volts.tolist()])
