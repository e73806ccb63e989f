"""How a column moves by itself when its amplifier has one pole: devices whose currents fall can make it oscillate.

A column with capacitance C to nodes that stand still and the devices' conductance g (negative where currents fall
together) sees its amplifier through R + Ro; the amplifier follows with A / (1 + s T), T = A / (2 pi gain-bandwidth).
`C s + g + (1 + A / (1 + s T)) / (R + Ro) = 0`, times 1 + s T, is a quadratic in s. Wires are left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kanspice.design.stages import Array, Crossbar, Design


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


def restless(
    design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array
) -> tuple[npt.NDArray[np.bool_], float]:
    """Which samples have a column that its amplifier cannot hold still, and the gain-bandwidth that would hold all.

    rows_v: (samples, rows), columns_v: (samples, 2 * pairs), volts, of operating points; wires are left out. Returns
    (samples,) and hertz: infinite where no bandwidth would do.
    """
    area = crossbar.column_area
    siemens = np.stack([_slopes(design, crossbar, area, *sample) for sample in zip(rows_v, columns_v, strict=True)])
    farads = crossbar.column_f * crossbar.rows + crossbar.junction_f * area.sum(axis=(0, 2))
    shape = siemens.shape
    farads, ohm = (np.broadcast_to(part, shape) for part in (farads, crossbar.feedback_ohm + crossbar.output_ohm))
    poles = column_poles(siemens, farads, ohm, gain=crossbar.open_loop_gain, bandwidth_hz=crossbar.gbw_hz)
    grows = np.asarray((poles.real > 0).any(axis=-1))
    needed = least_bandwidth_hz(siemens, farads, ohm, gain=crossbar.open_loop_gain)
    return np.asarray(grows.any(axis=1)), float(needed[grows].max(initial=0.0))


def _slopes(design: Design, crossbar: Crossbar, area: Array, row_v: Array, column_v: Array) -> Array:
    """Conductance of all devices of every column, (2 * pairs,) siemens, for rows (rows,) and columns in volts."""
    shifts_v = np.repeat(crossbar.shift_v, 2, axis=1)
    units = (row_v[:, None, None] - column_v[None, :, None] - shifts_v) / design.input_v_per_unit
    slopes = np.stack([device.curve.numpy(units[:, :, k])[1] for k, device in enumerate(design.devices)], axis=-1)
    siemens: Array = np.sum(area * slopes, axis=(0, 2)) * crossbar.current_unit_a / design.input_v_per_unit
    return siemens
