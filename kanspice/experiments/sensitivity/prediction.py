"""How far specimens will be off, by derivatives alone: no specimen is drawn.

To first order errors are e = e0 + J z with z standard normal, so their mean square q = |e0 + J z|^2 / N has the mean
(|e0|^2 + tr G) / N and the variance (2 tr G^2 + 4 e0' G e0) / N^2 with G = J J'. A gamma distribution with this mean
and variance stands for q, and the gap is its root.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from kanspice.base.arrays import Array, Indices
from kanspice.circuit.specimens import RandomArray
from kanspice.experiments.sensitivity.devices import two_sided
from kanspice.experiments.sensitivity.linear import Linear
from kanspice.experiments.sensitivity.linearised import Around, is_linearised, is_shared, linearised
from kanspice.experiments.sensitivity.numbers import ByNumbers
from kanspice.experiments.sensitivity.result import Prediction, Spread

PROBES = 24
"""Random signs that tr G^2 is found with, where G is known column by column: three times."""
FEW_PROBES = 16
"""Where every one of them takes a backward pass."""
MOST_SAMPLES = 400
_SPECIMENS = 200
"""That are drawn of the linear circuit, for its accuracy."""
_POINTS = (np.arange(2000) + 0.5) / 2000


@dataclass(frozen=True)
class _Moments:
    """squares: by the name of an array, what each of its numbers alone adds to the sum of all outputs' variances."""

    trace: float
    trace_of_square: float
    by_bias: float
    squares: dict[str, Array]


@dataclass(frozen=True)
class Predicted:
    """A prediction, and which numbers it is made of: mean squares of errors, by the name of an array.

    kurtosis: of the gap, what it has more than a normal distribution.
    """

    prediction: Prediction
    squares: dict[str, Array]
    kurtosis: float


def predicted(circuit: ByNumbers) -> Predicted:
    """Of the circuit around the specimen whose numbers are all 0."""
    began = time.process_time()
    draw = circuit.draw()
    design, solution = circuit.solved(draw)
    outputs_v = solution.stage_v[design.stages[-1].name]
    errors = outputs_v / design.stages[-1].output_v_per_unit - circuit.expected
    exact = is_linearised(design, circuit.arrays) and not solution.failed
    linear = None
    if exact:
        rows_v = design.inputs_v(circuit.reference.inputs, circuit.reference.answered)
        around = Around(circuit.nominal, circuit.technology, draw, circuit.arrays, rows_v, solution)
        linear = linearised(around, _shared(circuit, errors))
        means = errors + linear.shift
        moments = _of_linear(linear, means, circuit.seed)
    else:
        means = errors
        moments = _of_probes(circuit, np.where(np.isfinite(errors), errors, 0.0))
    known = np.isfinite(errors)
    gap, kurtosis = _gap(moments, means[known], circuit.scale)
    seconds = time.process_time() - began
    labels = circuit.reference.evidence.labels
    accuracy = None
    if linear is not None and labels is not None:
        accuracy = _accuracy(linear, means + circuit.expected, labels[circuit.reference.answered], circuit.seed)
    squares = {name: values / errors[known].size for name, values in moments.squares.items()}
    rmse = float(np.sqrt(moments.trace / errors[known].size))
    nominal = float(np.sqrt(np.mean(errors[known] ** 2))) / circuit.scale
    prediction = Prediction("columns" if exact else "probes", nominal, gap, rmse, accuracy, seconds)
    return Predicted(prediction, squares, kurtosis)


def _shared(circuit: ByNumbers, errors: Array) -> dict[str, Array]:
    """What numbers move outputs by that many parts share, (samples, outputs) each: by solving with either sign."""
    found = {}
    for array in circuit.arrays:
        if is_shared(array):
            below, above = (circuit.measured(circuit.draw({array.name: np.array([sign])})) for sign in (-1.0, 1.0))
            found[array.name] = np.nan_to_num(two_sided(below.errors - errors, above.errors - errors))
    return found


def signs(circuit: ByNumbers, many: int) -> Array:
    """(samples, outputs, many) of either sign."""
    shape = (*circuit.expected.shape, many)
    return np.random.default_rng(circuit.seed).choice((-1.0, 1.0), shape)


def _of_linear(linear: Linear, errors: Array, seed: int) -> _Moments:
    bias = errors.astype(np.float32)[..., None]
    squares = {name: np.asarray(values) for name, values in linear.squares.items()}
    return _Moments(
        trace=sum(float(values.sum()) for values in squares.values()),
        trace_of_square=_trace_of_square(linear, seed),
        by_bias=float((bias * linear.times(bias)).sum()),
        squares=squares,
    )


def _trace_of_square(linear: Linear, seed: int) -> float:
    """Of what G does most, tr G^2 is exact; of what that leaves, the mean over random signs.

    (Meyer et al., Hutch++: optimal stochastic trace estimation, 2021.)
    """
    samples, outputs = linear.shape
    drawn = np.random.default_rng(seed).choice((-1.0, 1.0), (2, samples * outputs, PROBES)).astype(np.float32)

    def times(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        found = linear.times(vectors.reshape(samples, outputs, -1))
        return found.reshape(samples * outputs, -1).astype(np.float64)

    basis = np.linalg.qr(times(drawn[0]))[0].astype(np.float32)
    rest = drawn[1] - basis @ (basis.T @ drawn[1])
    return float((times(basis) ** 2).sum() + (times(rest) ** 2).sum() / PROBES)


def _of_probes(circuit: ByNumbers, errors: Array) -> _Moments:
    """By backward passes of random signs: unbiased, and known to some percent."""
    weights = np.concatenate([signs(circuit, FEW_PROBES), errors[..., None]], axis=2)
    found = circuit.gradient(circuit.zeros, weights)
    flat = np.concatenate([values.reshape(FEW_PROBES + 1, -1) for values in found.values()], axis=1)
    gram = flat[:-1] @ flat[:-1].T
    pairs = gram[~np.eye(FEW_PROBES, dtype=bool)]
    return _Moments(
        trace=float(np.trace(gram)) / FEW_PROBES,
        trace_of_square=float(np.mean(pairs**2)),
        by_bias=float((flat[-1] ** 2).sum()),
        squares={name: (values[:-1] ** 2).mean(axis=0) for name, values in found.items()},
    )


def _gap(moments: _Moments, errors: Array, scale: float) -> tuple[Spread, float]:
    """How it is distributed, and the excess kurtosis of that."""
    count = errors.size
    mean = (float((errors**2).sum()) + moments.trace) / count
    variance = (2 * moments.trace_of_square + 4 * moments.by_bias) / count**2
    if variance <= 1e-24 * mean**2:
        gap = float(np.sqrt(mean)) / scale
        return Spread(gap, 0.0, gap, gap), 0.0
    found = stats.gamma(mean**2 / variance, scale=variance / mean)
    gaps = np.sqrt(found.ppf(_POINTS)) / scale
    low, high = (float(np.sqrt(found.ppf(level))) / scale for level in (0.05, 0.95))
    return Spread(float(gaps.mean()), float(gaps.std()), low, high), float(stats.kurtosis(gaps))


def _accuracy(linear: Linear, outputs: Array, labels: Indices, seed: int) -> Spread:
    drawn = outputs[..., None] + linear.drawn(seed, _SPECIMENS)
    right = (drawn.argmax(axis=1) == labels[:, None]).mean(axis=0)
    return Spread.of(right)


def shares(arrays: tuple[RandomArray, ...], squares: dict[str, Array]) -> dict[str, float]:
    """Of all that numbers do, what those of each array do: they add up to 1."""
    total = sum(float(values.sum()) for values in squares.values())
    found = {array.name: squares.get(array.name, np.zeros(1)) for array in arrays}
    return {name: float(values.sum()) / total if total > 0 else 0.0 for name, values in found.items()}
