"""What a chip's builder sets on it after it was measured: gains and offsets, fitted to nothing but what it gave.

The network's own answers for the same samples are known, and so is the circuit as it was meant to be; what is inside of
the chip is not. A fit is the least mean squared error, output by output.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Crossbar, Design
from kanspice.gap import NumericalGap

_LEAST_SPREAD = 1e-9
"""Of an output's magnitude: one that varies by less says nothing of a gain."""
_ANY = -math.inf, math.inf
_FEWEST = 3
"""Samples that it takes to tell a gain and an offset from nothing."""
_WITH_GAIN = 2
_TRIM_RANGE = 0.1, 10.0
"""What a column's feedback resistor can be made, of what it is."""

Measured = Callable[[Design], Mapping[str, Array]]
"""What a chip gives at each stage, (samples, outputs) by its name in volts; NaN where it has no answer."""


@dataclass(frozen=True)
class Affine:
    """gain * output + offset, (outputs,) each."""

    gain: Array
    offset: Array

    @classmethod
    def fitted(cls, measured: Array, wanted: Array, gains: tuple[float, float] = _ANY) -> Affine:
        """What takes measured outputs nearest to those that are wanted, (samples, outputs) each.

        Each output is left alone, or gets an offset, or a gain and an offset: whichever tells every sample best from
        the others. gains: what they can be, smallest and largest. Samples without an answer have no say; where fewer
        than three have one, nothing is set.
        """
        known = np.isfinite(measured).all(axis=1) & np.isfinite(wanted).all(axis=1)
        outputs, count = measured.shape[1], int(known.sum())
        gain, offset = np.ones(outputs), np.zeros(outputs)
        if count < _FEWEST:
            return cls(gain, offset)
        found, meant = measured[known], wanted[known]
        centred, aims = found - found.mean(axis=0), meant - meant.mean(axis=0)
        spread = (centred**2).sum(axis=0)
        varies = spread > count * (_LEAST_SPREAD * np.abs(found).max(axis=0)) ** 2
        spread = np.where(varies, spread, 1.0)
        slope = np.clip(np.where(varies, (centred * aims).sum(axis=0) / spread, 1.0), *gains)
        # A sample's error where the others are fitted is its error divided by what of the fit is not its own.
        alone = 1 - 1 / count
        errors = np.stack(
            [meant - found, (aims - centred) / alone, (aims - slope * centred) / (alone - centred**2 / spread)]
        )
        best = np.argmin((errors**2).sum(axis=1), axis=0)
        gain = np.where(best == _WITH_GAIN, slope, 1.0)
        return cls(gain, np.where(best == 0, 0.0, meant.mean(axis=0) - gain * found.mean(axis=0)))

    def applied(self, outputs: Array) -> Array:
        """The outputs (samples, outputs), trimmed."""
        return outputs * self.gain + self.offset

    def of_error(self, error: NumericalGap | None) -> NumericalGap | None:
        """What a numerical error of the outputs becomes at most."""
        if error is None:
            return None
        most = float(np.abs(self.gain).max())
        relative = None if error.relative_rmse is None else most * error.relative_rmse
        return NumericalGap(error.samples, most * error.rmse, most * error.max_abs, relative)


def fitted_columns(design: Design, measured: Measured, wanted: Mapping[str, Array]) -> dict[str, Affine]:
    """Gain and offset of every column pair, crossbar by crossbar, each measured with those before it trimmed.

    measured: what the chip gives with these trims set. wanted: reference stages by name, (samples, width) in model
    units.
    """
    trims = dict[str, Affine]()
    for crossbar in (stage for stage in design.stages if isinstance(stage, Crossbar)):
        meant_v = wanted[crossbar.compares_to] * crossbar.output_v_per_unit
        found_v = measured(with_columns(design, trims))[crossbar.name]
        trims[crossbar.name] = Affine.fitted(found_v, meant_v, _TRIM_RANGE)
    return trims


def with_columns(design: Design, trims: Mapping[str, Affine]) -> Design:
    """The chip with feedback resistors and reference currents of its column pairs trimmed. trims: by crossbar."""
    stages = tuple(
        _with_columns(stage, trims[stage.name]) if isinstance(stage, Crossbar) and stage.name in trims else stage
        for stage in design.stages
    )
    return replace(design, stages=stages)


def _with_columns(crossbar: Crossbar, trim: Affine) -> Crossbar:
    """Its outputs are gain * what they were + offset, but for what amplifiers of a finite gain make of it."""
    feedback_ohm = crossbar.feedback_ohm * np.repeat(trim.gain, 2)
    bias_a = crossbar.bias_a.copy()
    bias_a[::2] += trim.offset / (feedback_ohm[::2] * crossbar.subtractor_gain)
    return replace(crossbar, feedback_ohm=feedback_ohm, bias_a=bias_a)
