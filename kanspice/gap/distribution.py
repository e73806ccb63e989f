"""Networks that generate, judged by what they are for: are the circuit's samples of the network's distribution?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from kanspice.base.arrays import Array

LogDensity = Callable[[Array], Array]
"""Log-densities (samples,) in nats, NaN where there is none, of samples (samples, outputs) or what they come from."""

_MOST_SAMPLES = 1000
_PERMUTATIONS = 200
_NOISE_QUANTILE = 0.95


@dataclass(frozen=True)
class LogDensities:
    """Mean log p, in nats, that the network gives to its own samples and to the circuit's, which start from the same.

    samples: of how many. error: root mean square of what following the network's own samples backwards is off by; the
    circuit's are followed so. unknown: how many of the circuit's samples could not be followed back, and are left out.
    """

    samples: int
    reference: float
    circuit: float
    error: float
    unknown: int

    @property
    def difference(self) -> float:
        """The circuit's less the network's: below 0 where the circuit's samples are less likely ones."""
        return self.circuit - self.reference


@dataclass(frozen=True)
class Distribution:
    """The circuit's samples and the network's as two distributions.

    energy_distance: sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|) between `samples` of each, in the square root of a model
    unit; 0 where they are the same. noise: what 95 % of random divisions of all these samples in two stay below: so
    far apart are two sets of this size of one distribution. Both sets start from the same inputs, so a circuit that is
    like the network stays far below.
    """

    samples: int
    energy_distance: float
    noise: float
    log_density: LogDensities | None = None

    @property
    def is_told_apart(self) -> bool:
        """True where the circuit's samples are not those of the network's distribution."""
        return self.energy_distance > self.noise


@dataclass(frozen=True)
class PeriodEnds:
    """What samples have come to at a period's end: reference, circuit (samples, nodes), model units."""

    stage: str
    reference: Array
    circuit: Array


@dataclass(frozen=True)
class Generated:
    """What a circuit generates, for its pictures: where samples are at the end of each period.

    image: (channels, rows, columns) where a sample's nodes are the pixels of an image.
    """

    ends: tuple[PeriodEnds, ...]
    image: tuple[int, int, int] | None


def log_density_difference(found: Distribution | None) -> float | None:
    """How far the two mean log-densities are apart, nats; None where it was measured for a part of the samples only."""
    dense = None if found is None else found.log_density
    return None if dense is None or dense.unknown else abs(dense.difference)


def distribution(expected: Array, outputs: Array, seed: int) -> Distribution | None:
    """The distance of outputs (samples, outputs) from what is expected; None with fewer than two samples of each.

    Rows that are not finite are left out, in both. At most a thousand samples of each, drawn with the seed.
    """
    known = np.flatnonzero(np.isfinite(expected).all(axis=1) & np.isfinite(outputs).all(axis=1))
    if len(known) < 2:
        return None
    generator = np.random.default_rng(seed)
    chosen = np.sort(generator.choice(known, min(len(known), _MOST_SAMPLES), replace=False))
    apart = cdist(*[np.concatenate([expected[chosen], outputs[chosen]])] * 2)
    count = len(chosen)
    divisions = np.repeat([[1.0], [-1.0]], count, axis=0)
    divisions = np.hstack([divisions, generator.permuted(np.tile(divisions, _PERMUTATIONS), axis=0)])
    # with +1 for one set and -1 for the other, the quadratic form is 2 E|X - Y| - E|X - X'| - E|Y - Y'|, negated
    squares = -np.sum(divisions * (apart @ divisions), axis=0) / count**2
    distances = np.sqrt(np.maximum(squares, 0.0))
    return Distribution(count, float(distances[0]), float(np.quantile(distances[1:], _NOISE_QUANTILE)))


def log_densities(
    inputs: Array,
    expected: Array,
    outputs: Array,
    forwards: LogDensity,
    backwards: LogDensity,
    *,
    most: int,
    seed: int,
) -> LogDensities | None:
    """How likely the network finds outputs (samples, nodes), beside its own samples from the same inputs.

    forwards: of what becomes of inputs; backwards: of given samples. most: samples, drawn with the seed. None where
    nothing was found.
    """
    both = np.flatnonzero(np.isfinite(outputs).all(axis=1) & np.isfinite(expected).all(axis=1))
    if not len(both):
        return None
    solved = np.sort(np.random.default_rng(seed).choice(both, min(len(both), most), replace=False))
    own, again, circuit = forwards(inputs[solved]), backwards(expected[solved]), backwards(outputs[solved])
    known = np.isfinite(circuit) & np.isfinite(own)
    mean, off = (own[known], circuit[known]), (again - own)[np.isfinite(again - own)]
    reference, found = (float(part.mean()) if part.size else math.nan for part in mean)
    error = float(np.sqrt(np.mean(off**2))) if off.size else math.nan
    return LogDensities(int(known.sum()), reference, found, error, int((~known).sum()))
