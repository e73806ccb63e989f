"""What flows into a crossbar's columns."""

from __future__ import annotations

import numpy as np

from kanspice.design.stages import Array, Crossbar, Design


def by_column(area: Array) -> Array:
    """Signed areas (rows, pairs, devices) as what each column holds: (rows, 2 * pairs, devices), at least 0."""
    rows, pairs, devices = area.shape
    both = np.stack([np.maximum(area, 0), np.maximum(-area, 0)], axis=2)
    columns: Array = both.reshape(rows, 2 * pairs, devices)
    return columns


def column_currents_a(design: Design, crossbar: Crossbar, row_v: Array, columns_v: Array) -> Array:
    """Currents into every column, were all of them at each of the voltages (points,): (points, 2 * pairs), amps.

    row_v: (rows,), volts.
    """
    units = (row_v[None, :] - columns_v[:, None]) / design.input_v_per_unit
    basis = np.stack([device.curve.numpy(units)[0] for device in design.devices], axis=-1)
    area = by_column(crossbar.area).transpose(0, 2, 1).reshape(-1, 2 * crossbar.width)
    currents_a: Array = basis.reshape(len(columns_v), -1) @ area * crossbar.current_unit_a
    return currents_a + crossbar.bias_a
