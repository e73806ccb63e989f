"""How many of all specimens are beyond a limit, where hardly any is: importance sampling.

To first order the mean squared error is q(z) = |e0 + J z|^2 / N, in the few directions V where J does most. Specimens
are drawn from the standard normal density times exp(t q), which is normal again, with another mean and a wider spread
along V: the larger t, the more of them are far off. A specimen's weight is the ratio of the two densities, and
depends on q alone, so that those near the limit weigh nearly the same. (Siegmund, Importance sampling in the Monte
Carlo study of sequential tests, 1976; of quadratic forms: Glasserman et al., 2000.)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.engine.progress import Advance, Progress
from kanspice.experiments.ensemble.variations import seed_of
from kanspice.experiments.sensitivity.numbers import ByNumbers, MeasuredSpecimen, Numbers
from kanspice.experiments.sensitivity.prediction import signs

DIRECTIONS = 64
_STEP = 0.1
_PILOT = 16
_WANTED = 0.3
"""Of the specimens drawn, at least so many are to be beyond the limit."""
_SEEDS = 2**32
"""Numbers of draws that no other part of an analysis uses."""


@dataclass(frozen=True)
class Tilt:
    """Directions in the space of all numbers, (directions, numbers), orthonormal; along each of them error grows.

    powers: (directions,) mean squared errors per squared unit; means: by how much error is there without a step, as a
    step along the direction: q = sum of powers (means + steps)^2, and `rest` besides, in squares of model units.
    """

    directions: Array
    powers: Array
    means: Array
    rest: float

    def strength(self, mean_square: float) -> float:
        """t, at which the mean of q is `mean_square`; 0 where it is so large by itself."""
        low, high = 0.0, 0.5 / float(self.powers.max()) * (1 - 1e-9)
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if self._mean(middle) < mean_square else (low, middle)
        return low

    def _mean(self, strength: float) -> float:
        wide = 1 / (1 - 2 * strength * self.powers)
        return float((self.powers * (wide + (self.means * wide) ** 2)).sum()) + self.rest

    def steps(self, strength: float, generator: np.random.Generator) -> tuple[Array, float]:
        """(steps along the directions, logarithm of the weight) of one specimen."""
        wide = 1 / (1 - 2 * strength * self.powers)
        centre = self.means * (wide - 1)
        steps = centre + np.sqrt(wide) * generator.standard_normal(len(wide))
        log_ratio = -0.5 * (steps**2).sum() + 0.5 * (((steps - centre) ** 2) / wide).sum() + 0.5 * np.log(wide).sum()
        return steps, float(log_ratio)


@dataclass(frozen=True)
class RareEstimate:
    """probability that a specimen is beyond a limit, its standard error, and what it rests on."""

    probability: float
    standard_error: float
    draws: int
    beyond: int
    effective: float
    seconds: float


def tilt_of(circuit: ByNumbers, nominal: MeasuredSpecimen) -> Tilt:
    """Around the circuit whose numbers are all 0: directions by backward passes, how far they go by forward ones."""
    probes = signs(circuit, DIRECTIONS)
    flat = _pulled_back(circuit, probes)
    trace = float((flat**2).sum()) / DIRECTIONS / circuit.expected.size
    better = np.linalg.svd(_moved(circuit, np.linalg.qr(flat.T)[0].T), full_matrices=False)[0]
    basis = np.linalg.qr(_pulled_back(circuit, better.reshape(*circuit.expected.shape, -1)).T)[0].T
    slopes = _moved(circuit, basis)
    bias = np.where(np.isfinite(nominal.errors), nominal.errors, 0.0)
    left, sizes, right = np.linalg.svd(slopes, full_matrices=False)
    along = left.T @ bias.ravel()
    kept = sizes > 1e-9 * sizes.max()
    powers = sizes[kept] ** 2 / bias.size
    rest = max(trace - float(powers.sum()), 0.0) + float((bias**2).sum() - (along[kept] ** 2).sum()) / bias.size
    return Tilt(right[kept] @ basis, powers, along[kept] / sizes[kept], rest)


def _pulled_back(circuit: ByNumbers, weights: Array) -> Array:
    """J' times weights (samples, outputs, directions): (directions, numbers)."""
    found = circuit.gradient(circuit.zeros, weights)
    return np.concatenate([values.reshape(len(values), -1) for values in found.values()], axis=1)


def _moved(circuit: ByNumbers, directions: Array) -> Array:
    """J times directions (directions, numbers), by central differences: (samples * outputs, directions)."""
    moved = []
    for direction in directions:
        ends = [circuit.measured(circuit.draw(_numbers(circuit, sign * _STEP * direction))) for sign in (1, -1)]
        moved.append(((ends[0].errors - ends[1].errors) / (2 * _STEP)).ravel())
    return np.nan_to_num(np.stack(moved, axis=1))


def estimated(
    circuit: ByNumbers,
    tilt: Tilt,
    is_beyond: Callable[[MeasuredSpecimen], bool],
    limit: float | None,
    *,
    draws: int,
    progress: Progress | None = None,
) -> RareEstimate:
    """Of specimens for which `is_beyond`. limit: relative RMSE, where that is what they are beyond."""
    began = time.process_time()
    wanted = _mean_square(circuit, tilt, is_beyond, limit)
    strength = tilt.strength(wanted)
    weights, beyond = np.zeros(draws), np.zeros(draws, dtype=bool)
    for place in range(draws):
        measured, weights[place] = _one(circuit, tilt, strength, place)
        beyond[place] = is_beyond(measured)
        if progress is not None:
            progress(Advance(1))
    counted = np.where(beyond, weights, 0.0)
    total = float((counted**2).sum())
    return RareEstimate(
        probability=float(counted.mean()),
        standard_error=float(counted.std(ddof=1)) / float(np.sqrt(draws)),
        draws=draws,
        beyond=int(beyond.sum()),
        effective=float(counted.sum()) ** 2 / total if total > 0 else 0.0,
        seconds=time.process_time() - began,
    )


def _mean_square(
    circuit: ByNumbers, tilt: Tilt, is_beyond: Callable[[MeasuredSpecimen], bool], limit: float | None
) -> float:
    """The mean of q with which enough specimens are beyond the limit: a limit on the gap says it, others are tried."""
    wanted = float((tilt.powers * (1 + tilt.means**2)).sum()) + tilt.rest
    if limit is not None:
        return max(wanted, (limit * circuit.scale) ** 2)
    for _ in range(12):
        strength = tilt.strength(wanted)
        tried = [is_beyond(_one(circuit, tilt, strength, _SEEDS + place)[0]) for place in range(_PILOT)]
        if np.mean(tried) >= _WANTED:
            break
        wanted *= 1.3
    return wanted


def _one(circuit: ByNumbers, tilt: Tilt, strength: float, place: int) -> tuple[MeasuredSpecimen, float]:
    """A specimen, and its weight."""
    seed = seed_of(circuit.seed, _SEEDS + place)
    draw = Draw(seed)
    flat = np.concatenate([array.of(draw).ravel() for array in circuit.arrays])
    steps, log_ratio = tilt.steps(strength, np.random.default_rng(seed))
    moved = flat + tilt.directions.T @ (steps - tilt.directions @ flat)
    return circuit.measured(circuit.draw(_numbers(circuit, moved))), float(np.exp(log_ratio))


def _numbers(circuit: ByNumbers, flat: Array) -> Numbers:
    """As arrays by name."""
    ends = np.cumsum([int(np.prod(array.shape)) for array in circuit.arrays])
    parts = np.split(flat, ends[:-1])
    return {array.name: part.reshape(array.shape) for array, part in zip(circuit.arrays, parts, strict=True)}
