"""What rows have left where they cross columns, of crossbars whose rows have resistances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import SimulatorError
from kanspice.circuit import Crossbar, Design
from kanspice.circuit.wires import lost_v
from kanspice.engine.batched.crosspoints import WholeCrosspoints
from kanspice.engine.batched.wired import settle_wires


def crosspoint_rows_v(design: Design, crossbar: Crossbar, rows_v: Array) -> Array:
    """(samples, rows, 2 * pairs) volts at every crosspoint's end at its row, for what drives rows, (samples, rows).

    Raises SimulatorError where a sample has no state.
    """
    columns = 2 * crossbar.width
    if max(crossbar.row_ohm, crossbar.driver_ohm) == 0:
        return np.repeat(rows_v[:, :, None], columns, axis=2)
    curves = [device.curve.stretched(design.input_v_per_unit) for device in design.devices]
    crosspoints = WholeCrosspoints(
        rows_v, curves, crossbar.column_area * crossbar.current_unit_a, np.repeat(crossbar.shift_v, 2, axis=1)
    )
    settled, lost = settle_wires(crossbar, crosspoints, rows_v)
    if not settled.converged.all():
        raise SimulatorError("no state was found", where=crossbar.name)
    currents_a, _ = crosspoints.at(lost, np.arange(len(rows_v)))
    in_rows_v = lost_v(replace(crossbar, column_ohm=0.0), currents_a, np.zeros((len(rows_v), columns)))
    return np.asarray(rows_v[:, :, None] - in_rows_v)
