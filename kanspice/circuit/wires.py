"""What the wires of a crossbar lose, as a function of the currents at its crosspoints.

A row is a driver's resistance and then a chain of segments, one before each crosspoint, from left to right; a column a
chain of segments, one after each crosspoint, down to its amplifier at the bottom. Currents are sums of what branches
off farther on, losses are sums of those again: nothing needs to be factored, and a resistance may be 0.
"""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array, namespace
from kanspice.circuit.stages import Crossbar


def lost_v(crossbar: Crossbar, currents_a: Array, columns_v: Array) -> Array:
    """What crosspoints lose to drivers, wires and columns for currents (samples, rows, 2 * pairs) through them: volts.

    columns_v: (samples, 2 * pairs) where amplifiers hold the columns. A device then sees its row's voltage less this.
    Arrays may be NumPy's or torch's.
    """
    if not crossbar.has_wires:
        return columns_v[:, None, :] + 0 * currents_a
    if isinstance(currents_a, np.ndarray):
        return _lost_v(crossbar, currents_a, columns_v)
    xp = namespace(currents_a)
    lost: Array = columns_v[:, None, :] + xp.zeros_like(currents_a)
    if crossbar.row_ohm > 0 or crossbar.driver_ohm > 0:
        in_rows_a = xp.flip(xp.cumulative_sum(xp.flip(currents_a, axis=2), axis=2), axis=2)
        lost += crossbar.row_ohm * xp.cumulative_sum(in_rows_a, axis=2) + crossbar.driver_ohm * in_rows_a[:, :, :1]
    if crossbar.column_ohm > 0:
        in_columns_a = xp.cumulative_sum(currents_a, axis=1)
        in_columns_a = xp.cumulative_sum(xp.flip(in_columns_a, axis=1), axis=1)
        lost += crossbar.column_ohm * xp.flip(in_columns_a, axis=1)
    return lost


def _lost_v(crossbar: Crossbar, currents_a: Array, columns_v: Array) -> Array:
    from kanspice.circuit.wire_losses import lose  # noqa: PLC0415 - a compiler, which takes half a second to import

    lost = np.empty_like(currents_a, order="C", subok=False)
    ohms = float(crossbar.row_ohm), float(crossbar.driver_ohm), float(crossbar.column_ohm)
    lose(np.ascontiguousarray(currents_a), np.array(columns_v, order="C"), ohms, lost)
    return lost


def shared_losses(first_a: Array, second_a: Array) -> tuple[float, float, float]:
    """Products of two sets of currents (samples, rows, 2 * pairs) in every segment, summed: of drivers, rows, columns.

    What one set loses to 1 ohm there, weighted by the other. Arrays may be NumPy's or torch's.
    """
    if isinstance(first_a, np.ndarray):
        from kanspice.circuit.wire_losses import shared  # noqa: PLC0415 - as above

        return shared(np.ascontiguousarray(first_a), np.ascontiguousarray(second_a))
    xp = namespace(first_a)
    first, second = (xp.flip(xp.cumulative_sum(xp.flip(amps, axis=2), axis=2), axis=2) for amps in (first_a, second_a))
    drivers, in_rows = (first[:, :, 0] * second[:, :, 0]).sum(), (first * second).sum()
    first, second = (xp.cumulative_sum(amps, axis=1) for amps in (first_a, second_a))
    return float(drivers), float(in_rows), float((first * second).sum())
