"""How a column moves by itself when its amplifier has one pole: devices whose currents fall can make it oscillate.

A column with capacitance C to nodes that stand still and the devices' conductance g (negative where currents fall
together) sees its amplifier through R + Ro; the amplifier follows with A / (1 + s T), T = A / (2 pi gain-bandwidth).
`C s + g + (1 + A / (1 + s T)) / (R + Ro) = 0`, times 1 + s T, is a quadratic in s. Wires are left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kanspice.design.stages import Array


def column_poles(
    siemens: Array, farads: Array, ohm: Array, *, gain: float, bandwidth_hz: float
) -> npt.NDArray[np.complex128]:
    """(..., 2) the rates at which deviations of columns grow (positive real parts) or die out, and turn: 1/s.

    siemens, farads, ohm: (...) of all devices of a column together, of the column, and of R + Ro. gain may be infinite:
    the amplifier is an integrator then. bandwidth_hz: gain-bandwidth product, finite. Where nothing has capacitance,
    one of the poles is infinitely fast: -inf, or inf where the column runs away at once.
    """
    turn = 2 * np.pi * bandwidth_hz
    corner = turn / gain
    held = 1 / ohm
    square, linear = farads, farads * corner + siemens + held
    constant = (siemens + held) * corner + held * turn
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.asarray(linear**2 - 4 * square * constant, dtype=np.complex128))
        far = -(linear + np.where(linear >= 0, 1, -1) * root) / 2
        near = np.where(far == 0, 0, constant / far)
        far = np.where(square == 0, np.where(linear > 0, -np.inf, np.inf), far / np.where(square == 0, 1, square))
    return np.stack([near, far], axis=-1)


def least_bandwidth_hz(siemens: Array, farads: Array, ohm: Array, *, gain: float) -> Array:
    """The gain-bandwidth product (...) above which a column dies out by capacitance alone; 0 where any will do.

    Infinite where there is none: devices fall more steeply than the feedback takes, and the gain is infinite, or the
    column has no capacitance.
    """
    missing = np.maximum(-(siemens + 1 / ohm), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = missing * gain / (2 * np.pi * farads)
    return np.where(missing > 0, needed, 0.0)
