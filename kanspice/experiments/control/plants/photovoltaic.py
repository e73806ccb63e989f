"""A photovoltaic array that is to be held at its maximum power while the sun and its temperature change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import wrightomega

from kanspice.base.arrays import Array
from kanspice.experiments.control.plants.box import Box

BOLTZMANN_EV_PER_K = 8.617333262e-5
ZERO_C_K = 273.15
STANDARD_K, STANDARD_W_PER_M2 = 25 + ZERO_C_K, 1000.0
V_PER_UNIT, A_PER_UNIT, STEP_V = 200.0, 9.0, 5.0
"""Voltage and current of an observation of 1; voltage step of an action of 1."""
MOST_RATIO = 2.0
TRACKED = 0.95
"""Mean of power over greatest power from which an episode is a success."""
_KNOT_PERIODS = 50
"""The sky changes linearly between values so many control periods apart."""
_LEAST_SUN, _MOST_SUN = 250.0, 1000.0
_COLDEST_C, _HOTTEST_C = 15.0, 60.0


@dataclass(frozen=True)
class Cells:
    """Cells in series as one diode behind a series and a shunt resistance; values at 1000 W/m2 and 25 °C.

    Between other conditions they change as De Soto, Klein and Beckman (Solar Energy 80, 2006) say: the light current
    with irradiance and temperature, the saturation current with temperature, the shunt with irradiance. Defaults: five
    modules of 60 crystalline silicon cells, 8.9 A and 187 V at standard conditions; no particular product.
    """

    light_a: float = 8.9
    saturation_a: float = 6.7e-10
    thermal_v: float = 8.03
    """Ideality times cells times k T / q."""
    series_ohm: float = 1.6
    shunt_ohm: float = 1500.0
    light_a_per_k: float = 0.0045
    gap_ev: float = 1.121
    gap_per_k: float = -2.677e-4
    """Relative change of the band gap."""

    def at(self, sun_w_per_m2: float, kelvin: float) -> Cells:
        """The same cells in other conditions."""
        sun, warm = sun_w_per_m2 / STANDARD_W_PER_M2, kelvin / STANDARD_K
        gap_ev = self.gap_ev * (1 + self.gap_per_k * (kelvin - STANDARD_K))
        exponent = (self.gap_ev / STANDARD_K - gap_ev / kelvin) / BOLTZMANN_EV_PER_K
        return Cells(
            light_a=sun * (self.light_a + self.light_a_per_k * (kelvin - STANDARD_K)),
            saturation_a=self.saturation_a * warm**3 * math.exp(exponent),
            thermal_v=self.thermal_v * warm,
            series_ohm=self.series_ohm,
            shunt_ohm=self.shunt_ohm / sun,
        )

    def current_a(self, volts: float) -> float:
        """Delivered at a voltage: I = I_L - I_0 (e^((V + I R_s)/a) - 1) - (V + I R_s)/R_sh, solved for I.

        With Lambert's function of an exponential, W(e^z), evaluated as Wright's omega of z: it cannot overflow.
        """
        parallel = self.shunt_ohm / (self.series_ohm + self.shunt_ohm)
        slope = self.series_ohm * parallel / self.thermal_v
        straight_a = parallel * (self.light_a + self.saturation_a) - volts / (self.series_ohm + self.shunt_ohm)
        z = math.log(slope * self.saturation_a) + (volts + self.series_ohm * straight_a) / self.thermal_v
        return float(straight_a - self.thermal_v / self.series_ohm * wrightomega(z).real)

    def greatest_power(self) -> tuple[float, float]:
        """The voltage at which the cells deliver most, and how much: volts, watts."""
        open_v = self.thermal_v * math.log1p(self.light_a / self.saturation_a)
        found = minimize_scalar(
            lambda volts: -volts * self.current_a(volts),
            bounds=(0.0, open_v),
            method="bounded",
            options={"xatol": 1e-6},
        )
        return float(found.x), float(-found.fun)


class PhotovoltaicArray:
    """Observation (4,): voltage / 200 V, current / 9 A, the last voltage step, power over that of a period before.

    Action (1,): a voltage step, in 5 V, at most one of either sign. Reward: the power over the greatest that could be
    had at that moment, so that its mean is the tracking efficiency. Irradiance and temperature change linearly between
    values that the seed draws, 50 periods apart. A diode keeps current from flowing back. The power ratio is at most 2.
    Nothing ends an episode; it is a success if the tracking efficiency is at least 0.95.
    """

    reward_name = "tracking efficiency"
    observation_names = ("voltage / 200 V", "current / 9 A", "last step / 5 V", "power ratio")

    def __init__(self) -> None:
        self.observation_space = Box([0.0, 0.0, -1.0, 0.0], [1.5, 1.5, 1.0, MOST_RATIO])
        self.action_space = Box.of(1, 1.0)
        self._random = np.random.default_rng()
        self._cells = Cells()
        self._sky: list[Array] = []
        self._period, self._volts, self._power_w, self._sum = 0, 0.0, 0.0, 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Another sky, and a voltage between 100 and 150 V. options: none."""
        del options
        if seed is not None:
            self._random = np.random.default_rng(seed)
        self._sky = []
        self._period, self._sum = 0, 0.0
        self._volts = float(self._random.uniform(100, 150))
        cells = self._cells_now()
        self._power_w = self._volts * _delivered_a(cells, self._volts)
        return self._observation(cells, 0.0, 1.0), {}

    def step(self, action: npt.ArrayLike, /) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """The voltage steps, and is held for one period, at whose end everything is measured."""
        step = float(np.clip(np.asarray(action, dtype=np.float64)[0], -1.0, 1.0))
        self._volts = min(max(self._volts + STEP_V * step, 0.0), 1.5 * V_PER_UNIT)
        self._period += 1
        cells = self._cells_now()
        power_w = self._volts * _delivered_a(cells, self._volts)
        ratio = min(power_w / self._power_w, MOST_RATIO) if self._power_w > 0 else MOST_RATIO
        self._power_w = power_w
        best_v, best_w = cells.greatest_power()
        efficiency = power_w / best_w
        self._sum += efficiency
        info = {"is_success": self._sum / self._period >= TRACKED, "best_v": best_v, "best_w": best_w}
        return self._observation(cells, step, ratio), efficiency, False, False, info

    def close(self) -> None:
        """Nothing to free."""

    def _observation(self, cells: Cells, step: float, ratio: float) -> Array:
        current_a = _delivered_a(cells, self._volts)
        return np.array([self._volts / V_PER_UNIT, current_a / A_PER_UNIT, step, ratio])

    def _cells_now(self) -> Cells:
        """Under the present sky, which is drawn as it is needed."""
        knot, within = divmod(self._period, _KNOT_PERIODS)
        while len(self._sky) < knot + 2:
            self._sky.append(draw_sky(self._random))
        part = within / _KNOT_PERIODS
        sun, celsius = (1 - part) * self._sky[knot] + part * self._sky[knot + 1]
        return self._cells.at(float(sun), float(celsius) + ZERO_C_K)


def draw_sky(random: np.random.Generator) -> Array:
    """Irradiance in W/m2 and temperature in degrees Celsius, (2,)."""
    return random.uniform([_LEAST_SUN, _COLDEST_C], [_MOST_SUN, _HOTTEST_C])


def _delivered_a(cells: Cells, volts: float) -> float:
    """Behind a blocking diode: beyond the open-circuit voltage there is no current."""
    return max(cells.current_a(volts), 0.0)
