"""How finely a period is integrated, how large the error is that this leaves, and how many steps another asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array

_LARGEST_TARGET, _LEAST_TARGET = 5e-4, 5e-5
"""Numerical errors that are aimed at, as parts of the outputs' standard deviation over the samples."""
_PART_OF_GAP = 0.1
_TELLS_APART = 1.5
"""A gap of so many times the estimated numerical error is real. Measured, where there is none: at most 1.3."""
_MOST_STEPS = 4000
_ASYMPTOTIC = 5e-3
"""Below this relative error it is trusted to say how many steps another needs."""
_FALLS_BY = 4.0, 8.0
"""What errors are at least and at most divided by when steps double."""


@dataclass(frozen=True)
class Rule:
    """What is known of the way a simulator integrates.

    pilot, least: steps that are tried first, and that are taken at least. falls_by: what its error is divided by, at
    least, when steps double, also where currents bend.
    """

    pilot: int
    least: int
    falls_by: float


@dataclass(frozen=True)
class Stepping:
    """So many even steps per period."""

    steps: int

    @property
    def half(self) -> Stepping:
        """The same with half the steps."""
        return Stepping(self.steps // 2)

    @property
    def is_finest(self) -> bool:
        """True where no more steps are taken, whatever the error."""
        return self.steps >= _MOST_STEPS

    def finer(self, times: int) -> Stepping:
        """The same with that many times more steps."""
        return Stepping(self.steps * times)


def error_of_finer(coarse: Array, fine: Array, falls_by: float) -> Array:
    """By which the finer of two results is wrong, when it has twice as many steps and errors fall by that.

    Where they fall faster, less is wrong.
    """
    return (fine - coarse) / (falls_by - 1)


def relative(differences: Array, outputs: Array, *, cautious: bool = False) -> float:
    """Differences (samples, outputs) in standard deviations of the outputs over the samples.

    cautious: with a standard error of the mean square: a few samples carry most of an error and may be missing here.
    """
    squares = np.mean(differences**2, axis=1)
    error = float(np.sqrt(squares.mean() + cautious * squares.std() / np.sqrt(len(squares))))
    scale = float(np.sqrt(np.mean(np.var(outputs, axis=0)))) or float(np.sqrt(np.mean(outputs**2)))
    return error / scale if scale > 0 else 0.0


def is_asymptotic(error: float) -> bool:
    """True where the relative error is small enough to say from it how many steps another needs."""
    return error <= _ASYMPTOTIC


def target(gap: float | None, error: float) -> float:
    """The error to aim at: a tenth of the gap, where that cannot be the numerical error alone."""
    if gap is None or gap <= _TELLS_APART * error:
        return _LARGEST_TARGET
    return min(max(gap * _PART_OF_GAP, _LEAST_TARGET), _LARGEST_TARGET)


def even(steps: float) -> int:
    """The next even number of steps: there is a run with half of them."""
    return max(2 * math.ceil(steps / 2), 2)


def steps_for(target: float, error: float, steps: int, before: float | None = None, *, least: int = 20) -> int:
    """How many steps the target needs when `steps` have this error, and half of them had that of `before`, if known."""
    if not math.isfinite(error):
        return _MOST_STEPS
    falls_by = _FALLS_BY[0] if not before or not error else min(max(before / error, _FALLS_BY[0]), _FALLS_BY[1])
    needed = even(steps * (error / target) ** (1 / math.log2(falls_by)))
    return min(max(needed, least), _MOST_STEPS)
