"""How far two sets of outputs are apart. Pure functions of arrays.

"Relative" always means: divided by the reference's standard deviation over samples, taken per output and
pooled (root of the mean variance), so that constant differences between outputs do not make a gap look small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array

NEGLIGIBLE = 1e-6
"""Relative RMSE below which a gap and its numerical error are both called nothing."""


@dataclass(frozen=True)
class Gap:
    """The difference between outputs and their reference, in model units.

    The relative figures are None when the reference does not vary over the samples (one sample, say).
    argmax_agreement: fraction of samples whose largest output is the same one; None for a single output.
    """

    rmse: float
    max_abs: float
    relative_rmse: float | None
    max_relative: float | None
    argmax_agreement: float | None

    @property
    def is_finite(self) -> bool:
        """Whether every figure that there is is a finite number; squares of huge errors are not."""
        figures = (self.rmse, self.max_abs, self.relative_rmse, self.max_relative)
        return all(figure is None or math.isfinite(figure) for figure in figures)


def spread(reference: Array) -> float:
    """Pooled standard deviation over samples of the outputs (samples, width); exactly 0 where nothing varies.

    Samples whose outputs are not all finite have no say.
    """
    reference = reference[np.isfinite(reference).all(axis=1)]
    if len(reference) == 0:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.mean(np.var(reference - reference[:1], axis=0))))


def compare(
    outputs: Array, reference: Array, solved: npt.NDArray[np.bool_] | None = None, scale: float | None = None
) -> Gap:
    """The gap of outputs (samples, width) against a reference of the same shape.

    solved: (samples,) False where there is no output. Those samples have no error to average, but they
    count as disagreement; whoever prints these numbers prints the failures beside them.
    scale: what relative figures are divided by; the reference's `spread` if None.
    With no solved sample every figure is NaN or None; figures too large for a number are infinite.
    """
    mask = np.ones(len(outputs), dtype=bool) if solved is None else solved
    error = outputs[mask] - reference[mask]
    if error.size == 0:
        return gap_of(error, 0.0, None)
    scale = spread(reference) if scale is None else scale
    return gap_of(error, scale, agreement(outputs, reference, mask))


def gap_of(error: Array, scale: float, same: float | None) -> Gap:
    """The gap of so many errors, of any shape. scale: as in `compare`; same: its `argmax_agreement`."""
    if error.size == 0:
        return Gap(float("nan"), float("nan"), None, None, same)
    with np.errstate(over="ignore"):
        rmse, max_abs = float(np.sqrt(np.mean(error**2))), float(np.abs(error).max())
    if scale == 0:
        return Gap(rmse, max_abs, None, None, same)
    return Gap(rmse, max_abs, rmse / scale, max_abs / scale, same)


def agreement(outputs: Array, reference: Array, solved: npt.NDArray[np.bool_]) -> float | None:
    """Fraction of all samples, (samples, width) each, whose largest output is the same; None for a single output.

    A sample that is not solved is a disagreement.
    """
    if outputs.shape[1] == 1:
        return None
    return float(np.sum(outputs[solved].argmax(axis=1) == reference[solved].argmax(axis=1)) / len(outputs))


def squared_errors(outputs: Array, reference: Array, solved: npt.NDArray[np.bool_]) -> Array:
    """(samples,) mean over the outputs (samples, width) of the squared error; NaN where a sample is not solved."""
    with np.errstate(over="ignore"):
        return np.where(solved, np.mean((outputs - reference) ** 2, axis=1), np.nan)


def mean_squared_error(outputs: Array, targets: Array, solved: npt.NDArray[np.bool_]) -> float:
    """Mean over the solved samples (samples,) of the squared differences from the targets; NaN where none is solved."""
    with np.errstate(over="ignore"):
        return float(np.mean((outputs[solved] - targets[solved]) ** 2)) if solved.any() else float("nan")


def accuracy(outputs: Array, labels: npt.NDArray[np.int64], solved: npt.NDArray[np.bool_] | None = None) -> float:
    """Fraction of all samples whose largest output is the label's; a sample without a result is wrong."""
    mask = np.ones(len(outputs), dtype=bool) if solved is None else solved
    return float(np.sum(outputs[mask].argmax(axis=1) == labels[mask]) / len(outputs))
