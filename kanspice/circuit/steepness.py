"""How steeply devices' currents can change near a voltage."""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import maximum_filter1d

from kanspice.base.arrays import Array
from kanspice.devices import Device

_SLACK = 1.05
"""For slopes between the voltages that curves are sampled at."""


def falls(device: Device) -> Array:
    """-d phi / dv, at least 0, over the device's range, in current units per model unit, (points,)."""
    return np.maximum(-device.sampled[1], 0.0) * _SLACK


def rises(device: Device) -> Array:
    """d phi / dv likewise."""
    return np.maximum(device.sampled[1], 0.0) * _SLACK


class Near:
    """The largest of slopes, over a device's range from end to end, within reach of any voltage; 0 beyond the range."""

    def __init__(self, device: Device, slopes: Array, reach: float) -> None:
        """slopes: (points,), at least 0. reach: in model units."""
        self._low = device.curve.lo_v
        self._step = (device.curve.hi_v - self._low) / (len(slopes) - 1)
        steps = math.ceil(reach / self._step) + 1
        if steps >= len(slopes):  # taken to reach everything
            self._outside, self._largest = 0, np.full(1, slopes.max())
        else:
            self._outside = steps + 1
            padded = np.pad(slopes, self._outside)
            self._largest = maximum_filter1d(padded, 2 * steps + 1, mode="constant", cval=0.0)

    def at(self, units: Array) -> Array:
        """For voltages in model units, in their shape."""
        places = np.rint((units - self._low) / self._step).astype(np.int64)
        places += self._outside
        return np.asarray(self._largest[places.clip(0, len(self._largest) - 1)])
