"""What the activation of a KirchhoffNet's branch is driven with: four affine functions of the voltages at its ends.

v_s and v_d are the voltages at source and destination, p0, p1, p2 the rows of theta (parameters, branches), in units.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kanspice.base.arrays import Array


@dataclass(frozen=True)
class AffineDrive:
    """Of `weight * activation(alpha v_s + beta v_d + gamma)`, (branches,) each."""

    alpha: Array
    beta: Array
    gamma: Array
    weight: Array


class BranchDrive(ABC):
    """One of the four forms."""

    rows: ClassVar[int]
    """How many parameters a branch has."""
    of_difference: ClassVar[bool] = True
    """Whether it sees v_s - v_d only, so that `beta` is `-alpha`."""
    has_inputs: ClassVar[bool] = True
    """Whether there are inputs that could be off, and late."""

    @abstractmethod
    def drive(self, source: Array, destination: Array, theta: Array) -> Array:
        """(..., branches) for voltages (..., branches) at both ends."""

    @abstractmethod
    def coefficients(self, theta: Array) -> AffineDrive:
        """The same as numbers."""

    def weighted(self, activated: Array, _theta: Array) -> Array:
        """What multiplies what the activation makes of the drive: nothing, unless a form says what."""
        return activated

    @abstractmethod
    def with_offsets(self, theta: Array, offsets: Array) -> Array:
        """theta of branches whose inputs are off by these voltages.

        offsets: (2, branches): of the source's end and of the destination's; a form of their difference has one input,
        and takes the first. No conductance is one with an offset: its offsets must be 0.
        """


class Scaled(BranchDrive):
    """p0 (v_s - v_d)."""

    rows, has_inputs = 1, False

    def drive(self, source: Array, destination: Array, theta: Array) -> Array:
        scaled: Array = theta[0] * (source - destination)
        return scaled

    def coefficients(self, theta: Array) -> AffineDrive:
        none = np.zeros_like(theta[0])
        return AffineDrive(theta[0], -theta[0], none, none + 1)

    def with_offsets(self, theta: Array, offsets: Array) -> Array:
        if offsets.any():
            raise ValueError("a conductance has no inputs that could be off")
        return theta


class Shifted(BranchDrive):
    """v_s - v_d - p0, and p1 times what the activation makes of it."""

    rows = 2

    def drive(self, source: Array, destination: Array, theta: Array) -> Array:
        shifted: Array = source - destination - theta[0]
        return shifted

    def coefficients(self, theta: Array) -> AffineDrive:
        ones = np.ones_like(theta[0])
        return AffineDrive(ones, -ones, -theta[0], theta[1])

    def weighted(self, activated: Array, theta: Array) -> Array:
        weighted: Array = theta[1] * activated
        return weighted

    def with_offsets(self, theta: Array, offsets: Array) -> Array:
        return np.stack([theta[0] - offsets[0], theta[1]])


class Difference(BranchDrive):
    """p1 (v_s - v_d) + p0."""

    rows = 2

    def drive(self, source: Array, destination: Array, theta: Array) -> Array:
        affine: Array = theta[1] * (source - destination) + theta[0]
        return affine

    def coefficients(self, theta: Array) -> AffineDrive:
        return AffineDrive(theta[1], -theta[1], theta[0], np.ones_like(theta[0]))

    def with_offsets(self, theta: Array, offsets: Array) -> Array:
        return np.stack([theta[0] + theta[1] * offsets[0], theta[1]])


class BothEnds(BranchDrive):
    """p0 v_s + p1 v_d + p2."""

    rows, of_difference = 3, False

    def drive(self, source: Array, destination: Array, theta: Array) -> Array:
        affine: Array = theta[0] * source + theta[1] * destination + theta[2]
        return affine

    def coefficients(self, theta: Array) -> AffineDrive:
        return AffineDrive(theta[0], theta[1], theta[2], np.ones_like(theta[0]))

    def with_offsets(self, theta: Array, offsets: Array) -> Array:
        return np.stack([theta[0], theta[1], theta[2] + (theta[0] * offsets[0] + theta[1] * offsets[1])])


SCALED, SHIFTED, DIFFERENCE, BOTH_ENDS = Scaled(), Shifted(), Difference(), BothEnds()
