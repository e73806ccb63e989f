"""A twin that is fitted to what was measured of a chip: what identification and calibration both begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kanspice.base.arrays import Array, Flags
from kanspice.experiments.identify.least_squares import ANNEALED, Fit, fitted
from kanspice.experiments.identify.smoothed import smoothed
from kanspice.experiments.identify.twin import Twin


@dataclass(frozen=True)
class Fitting:
    """inputs: (samples, inputs). measured: (samples, outputs) that the twin is to explain, NaN where there is none."""

    twin: Twin
    inputs: Array
    measured: Array

    @cached_property
    def _there(self) -> Flags:
        return np.isfinite(self.measured)

    def fitted(self, noise: float, start: Array, annealed: Sequence[float] = ANNEALED) -> Fit:
        """The unknowns that explain them to within noise, model units, by steps that lead down from `start`."""
        wanted = self.measured[self._there]
        size = np.full(wanted.size, noise)
        return fitted(self._outputs, self._jacobian, wanted, size, start=start, annealed=annealed)

    def smoothed(self, noise: float, told: Callable[[float], None] | None = None) -> Array:
        """Unknowns that a fit can begin with where derivatives at one place mislead. told: of every part of that."""
        return smoothed(self._linear, self.measured[self._there], noise, self.twin.size, told).unknowns

    def _outputs(self, unknowns: Array) -> Array:
        return np.asarray(self.twin.answer(self.inputs, unknowns).outputs[self._there])

    def _jacobian(self, unknowns: Array) -> Array:
        return self._linear(unknowns)[1]

    def _linear(self, unknowns: Array) -> tuple[Array, Array]:
        answer = self.twin.answer(self.inputs, unknowns)
        return answer.outputs[self._there], self.twin.jacobian(self.inputs, unknowns, answer)[self._there]
