"""What flows into a crossbar's columns."""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit.design import Design
from kanspice.circuit.stages import Crossbar

_AT_A_TIME = 2**17
"""Values of curves: 1 MB."""


def column_currents_a(design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array) -> Array:
    """Currents into every column, were all of them at each of the voltages (points,): (points, 2 * pairs), amps.

    rows_v: (points, rows), volts.
    """
    across_v = rows_v - columns_v[:, None]
    if crossbar.shift_v.any():
        currents_a = np.stack([_shifted_currents_a(design, crossbar, volts) for volts in across_v])
    else:
        size = max(1, _AT_A_TIME // (crossbar.rows * len(design.devices)))
        parts = [across_v[first : first + size] for first in range(0, len(columns_v), size)]
        currents_a = np.concatenate([_currents_a(design, crossbar, part) for part in parts])
    return np.asarray(currents_a + crossbar.bias_a)


def _currents_a(design: Design, crossbar: Crossbar, across_v: Array) -> Array:
    """Currents (points, 2 * pairs) of devices as they are, for voltages (points, rows) from rows to columns."""
    units = across_v / design.input_v_per_unit
    basis = np.stack([device.curve.numpy(units)[0] for device in design.devices], axis=-1)
    area = crossbar.column_area.transpose(0, 2, 1).reshape(-1, 2 * crossbar.width)
    return np.asarray(basis.reshape(len(across_v), -1) @ area * crossbar.current_unit_a)


def _shifted_currents_a(design: Design, crossbar: Crossbar, volts: Array) -> Array:
    """Currents (2 * pairs,) of devices that are each shifted by their own, for voltages (rows,) from row to column."""
    units = (volts[:, None, None] - crossbar.shift_v) / design.input_v_per_unit
    basis = np.stack([device.curve.numpy(units[:, :, k])[0] for k, device in enumerate(design.devices)], axis=-1)
    currents = np.sum(crossbar.column_area * np.repeat(basis, 2, axis=1), axis=(0, 2))
    return np.asarray(currents * crossbar.current_unit_a)
