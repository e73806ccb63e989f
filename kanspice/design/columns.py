"""What flows into a crossbar's columns, and what their amplifiers make of it."""

from __future__ import annotations

import numpy as np

from kanspice.design.stages import Array, Crossbar, Design


def by_column(area: Array) -> Array:
    """Signed areas (rows, pairs, devices) as what each column holds: (rows, 2 * pairs, devices), at least 0."""
    rows, pairs, devices = area.shape
    both = np.stack([np.maximum(area, 0), np.maximum(-area, 0)], axis=2)
    columns: Array = both.reshape(rows, 2 * pairs, devices)
    return columns


def bias_by_column_a(crossbar: Crossbar) -> Array:
    """The reference current into every column, (2 * pairs,), at least 0."""
    both: Array = np.stack([np.maximum(crossbar.bias_a, 0), np.maximum(-crossbar.bias_a, 0)], axis=1).ravel()
    return both


def column_currents_a(design: Design, crossbar: Crossbar, row_v: Array, columns_v: Array) -> Array:
    """Currents into every column, were all of them at each of the voltages (points,): (points, 2 * pairs), amps.

    row_v: (rows,), volts.
    """
    units = (row_v[None, :] - columns_v[:, None]) / design.input_v_per_unit
    basis = np.stack([device.curve.numpy(units)[0] for device in design.devices], axis=-1)
    area = by_column(crossbar.area).transpose(0, 2, 1).reshape(-1, 2 * crossbar.width)
    currents_a: Array = basis.reshape(len(columns_v), -1) @ area * crossbar.current_unit_a
    return currents_a + bias_by_column_a(crossbar)


def amplifier_outputs_v(design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array) -> Array:
    """Outputs of the columns' amplifiers, positive and negative in turn: (samples, 2 * pairs), volts.

    rows_v: (samples, rows) and columns_v: (samples, 2 * pairs), volts.
    """
    if not crossbar.holds_columns:
        return crossbar.open_loop_gain * (crossbar.offset_v - columns_v)
    if crossbar.holds_virtual_ground:
        currents_a = [column_currents_a(design, crossbar, row_v, np.zeros(1))[0] for row_v in rows_v]
    else:
        pairs = zip(rows_v, columns_v, strict=True)
        currents_a = [_own_currents_a(design, crossbar, row_v, column_v) for row_v, column_v in pairs]
    outputs_v: Array = crossbar.offset_v - crossbar.feedback_ohm * np.stack(currents_a)
    return outputs_v


def _own_currents_a(design: Design, crossbar: Crossbar, row_v: Array, columns_v: Array) -> Array:
    """Currents (2 * pairs,) into every column at its own voltage (2 * pairs,)."""
    units = (row_v[:, None] - columns_v[None, :]) / design.input_v_per_unit
    basis = np.stack([device.curve.numpy(units)[0] for device in design.devices], axis=-1)
    currents_a: Array = np.sum(by_column(crossbar.area) * basis, axis=(0, 2)) * crossbar.current_unit_a
    return currents_a + bias_by_column_a(crossbar)
