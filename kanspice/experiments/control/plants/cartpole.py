"""A pole balanced on a cart, as the authors of PhyKAN simulate it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.experiments.control.plants.box import Box

CART_KG, POLE_KG = 1.0, 0.1
HALF_LENGTH_M = 0.5
GRAVITY_M_PER_S2 = 9.8
FORCE_N = 5.0
"""Per unit of action."""
STEP_S, STEPS_PER_ACTION = 0.02, 5
SCALE = np.array([2.4, 3.0, 0.418, 5.0])
"""Metres, metres per second, radians, radians per second: what an observation of 1 is."""
MOST_M, MOST_RAD = 2.4, 0.2095
"""Further from the middle, or from upright, is a failure."""
START = 0.05
"""Each part of the state begins between minus this and this, in its own unit."""


class CartPole:
    """Observation (4,): position, speed, angle from upright and angular speed, divided by SCALE. Action (1,): force.

    A control period is five steps of the semi-implicit Euler method, 0.1 s. Reward: 1 for every period until the pole
    has fallen or the cart has left the track. Nothing limits the force.
    """

    observation_names = ("x / 2.4 m", "speed / 3 m/s", "angle / 0.418 rad", "turning / 5 rad/s")

    def __init__(self) -> None:
        self.observation_space = Box.of(4)
        self.action_space = Box.of(1)
        self._random = np.random.default_rng()
        self._state = (0.0, 0.0, 0.0, 0.0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Nearly upright, nearly at rest. options: `state`, (4,) in SI units, to begin from instead."""
        if seed is not None:
            self._random = np.random.default_rng(seed)
        given = (options or {}).get("state")
        start = self._random.uniform(-START, START, 4) if given is None else np.asarray(given, dtype=np.float64)
        x, speed, angle, turning = start.tolist()
        self._state = x, speed, angle, turning
        return self._observation, {}

    def step(self, action: npt.ArrayLike, /) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """A tenth of a second with the same force."""
        force_n = FORCE_N * float(np.asarray(action, dtype=np.float64)[0])
        state = self._state
        for _ in range(STEPS_PER_ACTION):
            state = _moved(state, force_n)
        self._state = state
        fallen = not (abs(state[0]) <= MOST_M and abs(state[2]) <= MOST_RAD)
        return self._observation, 0.0 if fallen else 1.0, fallen, False, {}

    def close(self) -> None:
        """Nothing to free."""

    @property
    def _observation(self) -> Array:
        observation: Array = np.array(self._state) / SCALE
        return observation


def _moved(state: tuple[float, float, float, float], force_n: float) -> tuple[float, float, float, float]:
    """One step: speeds by the present accelerations, then places by the new speeds.

    The equations of motion without friction of Barto, Sutton and Anderson (1983).
    """
    x, speed, angle, turning = state
    sine, cosine, total_kg = math.sin(angle), math.cos(angle), CART_KG + POLE_KG
    pushed = (force_n + POLE_KG * HALF_LENGTH_M * turning * turning * sine) / total_kg
    inertia = HALF_LENGTH_M * (4 / 3 - POLE_KG * cosine * cosine / total_kg)
    angular = (GRAVITY_M_PER_S2 * sine - cosine * pushed) / inertia
    linear = pushed - POLE_KG * HALF_LENGTH_M * angular * cosine / total_kg
    speed, turning = speed + STEP_S * linear, turning + STEP_S * angular
    return x + STEP_S * speed, speed, angle + STEP_S * turning, turning
