"""What the wires of a crossbar lose, as a function of the currents at its crosspoints.

A row is a driver's resistance and then a chain of segments, one before each crosspoint, from left to right; a column a
chain of segments, one after each crosspoint, down to its amplifier at the bottom. Currents are sums of what branches
off farther on, losses are sums of those again: nothing needs to be factored, and a resistance may be 0.
"""

from __future__ import annotations

from kanspice.base.arrays import Array, namespace
from kanspice.circuit.stages import Crossbar


def lost_v(crossbar: Crossbar, currents_a: Array) -> Array:
    """What crosspoints lose to drivers and wires for currents (samples, rows, 2 * pairs) through them: volts.

    A device then sees its row's voltage less its column's at the amplifier, less this. Arrays may be
    NumPy's or torch's.
    """
    xp = namespace(currents_a)
    lost: Array = xp.zeros_like(currents_a)
    if crossbar.row_ohm > 0 or crossbar.driver_ohm > 0:
        in_rows_a = xp.flip(xp.cumulative_sum(xp.flip(currents_a, axis=2), axis=2), axis=2)
        lost = xp.cumulative_sum(in_rows_a, axis=2)
        lost *= crossbar.row_ohm
        lost += crossbar.driver_ohm * in_rows_a[:, :, :1]
    if crossbar.column_ohm > 0:
        in_columns_a = xp.cumulative_sum(currents_a, axis=1)
        in_columns_a = xp.cumulative_sum(xp.flip(in_columns_a, axis=1), axis=1)
        in_columns_a *= crossbar.column_ohm
        lost += xp.flip(in_columns_a, axis=1)
    return lost
