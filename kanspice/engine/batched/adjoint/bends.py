"""Gradients by what bends the curves of devices: a resistance in series with each, and a factor of its voltages.

A device behind r volts per unit of current has the current i(v + r i(v)) = i(v), which falls by i i' for every volt of
r where the whole sees the same voltage. A curve i(v / k) falls by i' v / k for every unit of k.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Crossbar
from kanspice.devices import Device

AtDevices = Callable[[Indices, Indices], Array]
"""(samples, devices) of the devices in these rows and columns."""


def bend_gradients(
    crossbar: Crossbar, devices: Sequence[Device], unit_v: float, *, seen_v: AtDevices, counts: AtDevices
) -> tuple[Array, Array] | tuple[None, None]:
    """By `series` and `stretch` of all types, (device types,) each, summed over all devices of a crossbar.

    devices: all types of the design; nothing is looked for where they are left out. unit_v: volts that the unit of the
    curves' voltages is. seen_v: what devices see, with their shifts. counts: what an amp through each does to a loss.
    """
    if not devices:
        return None, None
    series, stretch = np.zeros(len(devices)), np.zeros(len(devices))
    for kind in crossbar.types:
        device, area = devices[kind], crossbar.column_area[:, :, kind]
        row, column = np.nonzero(area)
        volts = seen_v(row, column) - crossbar.shift_v[row, column // 2, kind]
        current, slope = device.curve.stretched(unit_v).numpy(volts)
        falls = counts(row, column) * slope * (area[row, column] * crossbar.current_unit_a)
        series[kind] = -float((falls * current).sum()) * unit_v * device.stretch
        stretch[kind] = -float((falls * volts).sum()) / device.stretch
    return series, stretch
