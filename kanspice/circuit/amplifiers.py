"""What a crossbar's amplifiers make of their columns, in one place for every engine and every check.

A column at voltage c is held by an amplifier of gain A and offset V0, whose output stage gives e = A (V0 - c), at most
the swing either way, behind the output resistance Ro; the feedback resistor R leads from there back to the column. It
draws I = (c - e) / (R + Ro) from the column, and its output stands at c - R I. With A = inf the column stays at V0 and
the output at V0 - R I, as far as the swing allows.

Arrays may be NumPy's or torch's, if those of the crossbar are the same.
"""

from __future__ import annotations

import math

import numpy as np

from kanspice.base.arrays import Array, namespace
from kanspice.circuit.stages import Crossbar


def drawn_a(crossbar: Crossbar, columns_v: Array) -> tuple[Array, Array]:
    """What amplifiers of finite gain draw from columns at these voltages, and its slope: (..., 2 * pairs), A and S."""
    xp, gain, swing_v = namespace(columns_v), crossbar.open_loop_gain, crossbar.swing_v
    siemens = 1 / (crossbar.feedback_ohm + crossbar.output_ohm)
    wanted_v = gain * (crossbar.offset_v - columns_v)
    if math.isinf(swing_v):
        return (columns_v - wanted_v) * siemens, xp.broadcast_to((1 + gain) * siemens, columns_v.shape)
    slopes = xp.where(xp.abs(wanted_v) < swing_v, (1 + gain) * siemens, siemens)
    return (columns_v - wanted_v.clip(-swing_v, swing_v)) * siemens, slopes


def held_v(crossbar: Crossbar, currents_a: Array) -> tuple[Array, Array]:
    """Where columns stand that these currents (..., 2 * pairs) flow into, and the slope: volts and ohms."""
    xp = namespace(currents_a)
    if crossbar.holds_columns:
        return xp.broadcast_to(crossbar.offset_v, currents_a.shape), xp.zeros_like(currents_a)
    gain, swing_v = crossbar.open_loop_gain, crossbar.swing_v
    ohm = crossbar.feedback_ohm + crossbar.output_ohm
    columns_v = (gain * crossbar.offset_v + ohm * currents_a) / (1 + gain)
    wanted_v = gain * (crossbar.offset_v - columns_v)
    free = xp.abs(wanted_v) < swing_v
    limited_v = ohm * currents_a + min(swing_v, np.finfo(np.float64).max) * xp.sign(wanted_v)
    return xp.where(free, columns_v, limited_v), xp.where(free, ohm / (1 + gain), ohm)


def outputs_v(crossbar: Crossbar, columns_v: Array, currents_a: Array) -> Array:
    """The amplifiers' outputs for columns at these voltages that these currents flow into, all (..., 2 * pairs)."""
    volts: Array = columns_v - crossbar.feedback_ohm * currents_a
    return volts.clip(-crossbar.swing_v, crossbar.swing_v) if crossbar.holds_columns else volts


def differences_v(crossbar: Crossbar, amplifiers_v: Array) -> Array:
    """The subtractors' outputs (..., pairs) for those of the amplifiers (..., 2 * pairs)."""
    volts = crossbar.subtractor_gain * (amplifiers_v[..., 1::2] - amplifiers_v[..., ::2]) + crossbar.subtractor_offset_v
    limited: Array = np.clip(volts, -crossbar.swing_v, crossbar.swing_v)
    return limited


def least_slope(crossbar: Crossbar) -> Array:
    """The least that what amplifiers of finite gain draw rises with their columns, (2 * pairs,), siemens."""
    steps = 1 + crossbar.open_loop_gain if math.isinf(crossbar.swing_v) else 1.0
    slopes: Array = steps / (crossbar.feedback_ohm + crossbar.output_ohm)
    return slopes


def largest_columns_v(crossbar: Crossbar, largest_a: Array) -> Array:
    """The largest |voltage| of columns into which at most these |currents| (2 * pairs,) flow, volts."""
    ohm = crossbar.feedback_ohm + crossbar.output_ohm
    free_v = ohm * largest_a / (1 + crossbar.open_loop_gain) + np.abs(crossbar.offset_v)
    limited_v: Array = np.maximum(free_v, ohm * largest_a - crossbar.swing_v)
    return free_v if crossbar.holds_columns else limited_v
