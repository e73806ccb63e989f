"""Small tasks that a device is tried on: two moons, and handwritten digits where scikit-learn is installed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.base.errors import InputError
from kanspice.nn.training import Samples

DIGITS, MOONS = "digits", "two moons"
_HELD_OUT = _TESTED = 200
_MOONS, _MOON_NOISE = 700, 0.15


@dataclass(frozen=True)
class TrialTask:
    """inputs in 0 .. 1. widths: of its network. training, held_out: for training; tested: which no training sees,
    with their labels. epochs: of its training."""

    name: str
    widths: tuple[int, ...]
    training: Samples
    held_out: Samples
    tested: Samples
    labels: Indices
    epochs: int


def moons(seed: int = 0) -> TrialTask:
    """Two half circles in a plane, each within the other's reach, with noise."""
    draw = np.random.default_rng([seed, 0])
    labels = np.arange(_MOONS) % 2
    angle = np.pi * draw.uniform(size=_MOONS)
    upper, lower = np.stack([np.cos(angle), np.sin(angle)]), np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    points = np.where(labels == 0, upper, lower).T + _MOON_NOISE * draw.normal(size=(_MOONS, 2))
    low, high = points.min(axis=0), points.max(axis=0)
    return _task(MOONS, (2, 12, 2), (points - low) / (high - low), labels, 120)


def digits(seed: int = 0) -> TrialTask:
    """scikit-learn's digits of 8 x 8 pixels. Raises InputError where it is not installed."""
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InputError(
            "the digits are scikit-learn's, which is not installed", hint="pip install 'kanspice[examples]'"
        ) from error
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng([seed, 1]).permutation(len(images))
    return _task(DIGITS, (64, 16, 10), images[order] / 16, labels[order], 30)


def _task(name: str, widths: tuple[int, ...], inputs: Array, labels: Indices, epochs: int) -> TrialTask:
    samples = Samples(np.ascontiguousarray(inputs, dtype=np.float64), np.asarray(labels, dtype=np.int64))
    places = np.arange(len(samples))
    training = samples.chosen(places[: -_HELD_OUT - _TESTED])
    held_out = samples.chosen(places[-_HELD_OUT - _TESTED : -_TESTED])
    tested = samples.chosen(places[-_TESTED:])
    return TrialTask(name, widths, training, held_out, tested, np.asarray(labels[-_TESTED:], dtype=np.int64), epochs)


def scaled(samples: Samples, by: float) -> Samples:
    """The samples with inputs so many times as large."""
    return Samples(np.ascontiguousarray(samples.inputs * by), samples.labels)
