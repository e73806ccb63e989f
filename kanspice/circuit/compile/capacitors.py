"""The feedback capacitors of a crossbar's amplifiers: as small as lets its columns come to rest well damped.

The slope of a column's devices is negative where their currents fall together. The most negative one of a crossbar is
found over the samples that the circuit is sized for, or, without samples, over all voltages that its rows can have:
then no input whatever makes a column grow. Areas are those wanted and columns at 0 V; what specimens differ by has the
margin that the damping leaves. Wires are left out, as in `design.poles`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit.poles import FeedbackLoop, least_feedback_f
from kanspice.devices import Device

DAMPING = 0.7
"""Of every pair of poles, at least: a step overshoots by 5 %, the phase margin of the loop is 65 degrees."""
_BLOCK = 512
"""Samples whose slopes are held at a time."""
_VOLTAGES = 2001
"""At so many voltages of a row's range slopes are looked at."""


def least_slopes(devices: Sequence[Device], area: Array, volts: Array) -> Array:
    """The most negative slope of every column, (columns,), over samples (samples, rows), all in model units.

    area: (rows, columns, devices), at least 0.
    """
    least = np.full(area.shape[1], np.inf)
    for start in range(0, len(volts), _BLOCK):
        block = volts[start : start + _BLOCK]
        slopes = sum(device.curve.numpy(block)[1] @ area[:, :, k] for k, device in enumerate(devices))
        least = np.minimum(least, np.min(slopes, axis=0))
    return least


def least_slopes_anywhere(devices: Sequence[Device], area: Array, low: float, high: float) -> Array:
    """The same, whatever voltages from low to high rows have, each by itself; infinite ends are those of the curves."""
    low = max(low, min(device.curve.lo_v for device in devices))
    high = min(high, max(device.curve.hi_v for device in devices))
    volts = np.linspace(low, high, _VOLTAGES)
    slopes = np.stack([device.curve.numpy(volts)[1] for device in devices])
    least = [float((area[:, column] @ slopes).min(axis=1).sum()) for column in range(area.shape[1])]
    return np.array(least)


def chosen_feedback_f(siemens: Array, farads: Array, loop: FeedbackLoop) -> float:
    """The capacitor for all columns (columns,) of a crossbar, farads: for the steepest fall, at every capacitance."""
    steepest = np.full(2, float(siemens.min()))
    return least_feedback_f(steepest, np.array([farads.min(), farads.max()]), loop, DAMPING)[0]
