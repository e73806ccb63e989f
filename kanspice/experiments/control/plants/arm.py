"""A planar arm whose hand is to follow a path."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.experiments.control.plants.box import Box

RAD_PER_UNIT = 1.2
"""Joint angle of an action of 1."""
STEPS_PER_TURN = 100
CLOSE = 0.05
"""Mean distance of the hand from its target, in reaches of the arm, up to which an episode is a success."""
_NEAREST, _FARTHEST = 0.6, 0.75
"""The path's middle, in reaches from the shoulder."""
_WIDEST_RAD = 0.6
"""Its direction, from straight ahead."""
_RADII = (0.08, 0.18)
"""Of its two axes, in reaches."""


class PlanarArm:
    """Observation (2,): where the hand is to be, in reaches of the arm from the shoulder. Action: joint angles.

    Joint angles are in units of 1.2 rad, each from the link before, and taken on within a control period: the network
    is the arm's inverse kinematics. Links of n, n - 1, ..., 1 parts, together 1 long. Reward: minus the distance
    between hand and target. The path is an ellipse, passed once in 100 periods; seeds differ in which, and in where it
    begins. Nothing ends an episode; it is a success if the mean distance was at most 0.05.
    """

    reward_name = "minus the distance"
    observation_names = ("target, ahead", "target, aside")

    def __init__(self, joints: int = 2) -> None:
        self.observation_space = Box.of(2, 1.0)
        self.action_space = Box.of(joints, math.pi / RAD_PER_UNIT)
        parts = np.arange(joints, 0, -1, dtype=np.float64)
        self.links: Array = parts / parts.sum()
        self._random = np.random.default_rng()
        self._path = _Ellipse.drawn(self._random)
        self._period, self._distance = 0, 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Another path. options: none."""
        del options
        if seed is not None:
            self._random = np.random.default_rng(seed)
        self._path = _Ellipse.drawn(self._random)
        self._period, self._distance = 0, 0.0
        return self._path.at(0), {}

    def step(self, action: npt.ArrayLike, /) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """The hand goes where these angles put it, and the target moves on."""
        hand = self.hand(np.asarray(action, dtype=np.float64))
        target = self._path.at(self._period)
        distance = float(np.hypot(*(hand - target)))
        self._period += 1
        self._distance += distance
        close = self._distance / self._period <= CLOSE
        return (
            self._path.at(self._period),
            -distance,
            False,
            False,
            {"is_success": close, "hand": hand, "target": target},
        )

    def hand(self, action: Array) -> Array:
        """Where the hand is, (2,), with these joint angles (joints,)."""
        angles = np.cumsum(action * RAD_PER_UNIT)
        return np.array([self.links @ np.cos(angles), self.links @ np.sin(angles)])

    def close(self) -> None:
        """Nothing to free."""


class _Ellipse:
    """middle, (2,); axes, (2, 2), one in each row; start: radians."""

    def __init__(self, middle: Array, axes: Array, start: float) -> None:
        self.middle, self.axes, self.start = middle, axes, start

    @classmethod
    def drawn(cls, random: np.random.Generator) -> _Ellipse:
        distance, direction = random.uniform(_NEAREST, _FARTHEST), random.uniform(-_WIDEST_RAD, _WIDEST_RAD)
        tilt, start = random.uniform(0, math.pi), random.uniform(0, 2 * math.pi)
        first, second = random.uniform(*_RADII), random.uniform(*_RADII)
        middle = distance * np.array([math.cos(direction), math.sin(direction)])
        turned = np.array([[math.cos(tilt), math.sin(tilt)], [-math.sin(tilt), math.cos(tilt)]])
        return cls(middle, np.array([[first], [second]]) * turned, start)

    def at(self, period: int) -> Array:
        """Where the target is, (2,)."""
        phase = self.start + 2 * math.pi * period / STEPS_PER_TURN
        return np.asarray(self.middle + np.array([math.cos(phase), math.sin(phase)]) @ self.axes)
