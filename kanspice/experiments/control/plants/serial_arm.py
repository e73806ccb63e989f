"""An arm of joints in a row, from its Denavit-Hartenberg table, whose hand is to follow a path in space."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.experiments.control.plants.arm import STEPS_PER_TURN
from kanspice.experiments.control.plants.box import Box

CLOSE_M = 0.05
"""Mean distance of the hand from its target up to which an episode is a success."""
_SWING = 0.12
"""By how much of its range each joint of the arm that draws the path moves to either side."""


@dataclass(frozen=True)
class DenavitHartenberg:
    """A table, one row for each joint from the base: every array is (joints,).

    Joint k turns by theta = start_rad + range_rad * u about z, u its action; then its link goes offset_m along z and
    length_m along x, and twists by twist_rad about x.
    """

    length_m: Array
    offset_m: Array
    twist_rad: Array
    start_rad: Array
    range_rad: Array

    def __post_init__(self) -> None:
        columns = (self.length_m, self.offset_m, self.twist_rad, self.start_rad, self.range_rad)
        shapes = [np.shape(column) for column in columns]
        numbers = all(np.isfinite(column).all() for column in columns)
        if len(set(shapes)) != 1 or len(shapes[0]) != 1 or not shapes[0][0] or not numbers:
            expected = "five columns of as many numbers as there are joints"
            raise InputError("the arm's table cannot be used", expected=expected, found=f"columns of {shapes}"[:200])

    @property
    def joints(self) -> int:
        """How many there are."""
        return len(self.length_m)

    def hand_m(self, action: Array) -> Array:
        """Where the hand is, (3,) in metres from the base, for actions (joints,)."""
        place = np.eye(4)
        for theta, length, offset, twist in zip(
            self.start_rad + self.range_rad * action, self.length_m, self.offset_m, self.twist_rad, strict=True
        ):
            place = place @ _link(float(theta), float(length), float(offset), float(twist))
        hand: Array = place[:3, 3]
        return hand


def six_axes() -> DenavitHartenberg:
    """The arm of the authors of PhyKAN, with the ranges that their scripts scale joint angles of 0 to 1 to."""
    ranges = np.array([5.76, 3.84, 0.7, 5.58, 4.18, 6.28])
    return DenavitHartenberg(
        length_m=np.array([0.0, 0.270, 0.070, 0.0, 0.072, 0.0]),
        offset_m=np.array([0.290, 0.0, 0.134, 0.168, 0.0, 0.0]),
        twist_rad=np.array([-1, 0, -1, 1, -1, 0]) * (math.pi / 2),
        start_rad=np.array([-ranges[0] / 2, -ranges[1] / 2, 1.22, -ranges[3] / 2, -ranges[4] / 2, 0.0]),
        range_rad=ranges,
    )


class SerialArm:
    """Observation (3,): where the hand is to be, in metres from the base. Action (joints,): joint angles, 0 to 1.

    Each is a share of its joint's range, and taken on within a control period: the network is the arm's inverse
    kinematics. Reward: minus the distance between hand and target in metres. The path is that of another hand, whose
    joints swing at rates of 1 or 2 turns in 100 periods, so that the arm can follow it exactly; seeds differ in where
    they are and how they swing. Nothing ends an episode; it is a success if the mean distance was at most 0.05 m.
    """

    reward_name = "minus the distance in m"
    observation_names = ("target x, m", "target y, m", "target z, m")

    def __init__(self, table: DenavitHartenberg | None = None) -> None:
        self.table = table or six_axes()
        self.observation_space = Box.of(3)
        self.action_space = Box(np.zeros(self.table.joints), np.ones(self.table.joints))
        self._random = np.random.default_rng()
        self._draw()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Another path. options: none."""
        del options
        if seed is not None:
            self._random = np.random.default_rng(seed)
        self._draw()
        return self._target(), {}

    def step(self, action: npt.ArrayLike, /) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """The hand goes where these angles put it, and the target moves on."""
        hand = self.table.hand_m(np.clip(np.asarray(action, dtype=np.float64), 0.0, 1.0))
        target = self._target()
        distance_m = float(np.linalg.norm(hand - target))
        self._period += 1
        self._distance_m += distance_m
        info = {
            "is_success": self._distance_m / self._period <= CLOSE_M,
            "hand": hand,
            "target": target,
        }
        return self._target(), -distance_m, False, False, info

    def close(self) -> None:
        """Nothing to free."""

    def leading(self, period: int) -> Array:
        """The joints (joints,) of the hand that draws the path: actions that follow it exactly."""
        turns = self._rates * period / STEPS_PER_TURN + self._phases
        return np.asarray(self._middle + _SWING * np.sin(2 * math.pi * turns))

    def _draw(self) -> None:
        joints = self.table.joints
        self._middle = self._random.uniform(_SWING, 1 - _SWING, joints)
        self._rates = self._random.integers(1, 3, joints)
        self._phases = self._random.uniform(0.0, 1.0, joints)
        self._period, self._distance_m = 0, 0.0

    def _target(self) -> Array:
        return self.table.hand_m(self.leading(self._period))


def _link(theta: float, length_m: float, offset_m: float, twist_rad: float) -> Array:
    """From one joint's frame to the next, (4, 4): Rz(theta) Tz(offset) Tx(length) Rx(twist)."""
    c, s, ca, sa = math.cos(theta), math.sin(theta), math.cos(twist_rad), math.sin(twist_rad)
    return np.array(
        [
            [c, -s * ca, s * sa, length_m * c],
            [s, c * ca, -c * sa, length_m * s],
            [0.0, sa, ca, offset_m],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
