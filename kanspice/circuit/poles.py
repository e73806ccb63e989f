"""How a column moves by itself when its amplifier has one pole: devices whose currents fall can make it oscillate.

A column with capacitance C to nodes that are driven and the devices' conductance g (negative where currents fall
together) is held through Y = 1 / R + s F, feedback resistor and capacitor, behind the output resistance Ro. With
w = 2 pi gain-bandwidth the amplifier has its pole at a = w / A, and a deviation grows or dies out with the roots of
`(C s + g) (1 + Ro Y) (s + a) + Y (s + a + w)`. For Ro = 0 and A = inf that is
`s^2 (C + F) + s (g + 1 / R + w F) + w / R`: the capacitor gives back what falling currents take. An amplifier at its
swing does not follow its column: in the last term there is no w then. That goes for A = inf as well, although such a
column stands at its amplifier's offset in the operating point, beyond the swing, too.

Left out are wires, which put resistance between a column's capacitances and its amplifier, and the rows' own motion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.circuit.design import Design
from kanspice.circuit.stages import Crossbar

FEEDBACK_F = np.array([0.0, *(float(f"{10 ** (step / 24 - 17):.1e}") for step in range(24 * 9))])
"""Capacitors that there are, farads: none, and 24 values a decade with two digits."""
_AT_A_TIME = 2**16
"""Voltages between rows and columns."""


@dataclass(frozen=True)
class FeedbackLoop:
    """Amplifiers with their feedback, one for all columns or (..., columns) of each. gain may be infinite.

    bandwidth_hz: gain-bandwidth product, finite. follows: False where an output is at its swing.
    """

    ohm: Array | float
    farads: Array | float
    output_ohm: float
    gain: float
    bandwidth_hz: float
    follows: npt.NDArray[np.bool_] | bool = True

    @classmethod
    def of(cls, crossbar: Crossbar, columns_v: Array, columns_a: Array) -> Self:
        """A crossbar's, with its columns (..., 2 * pairs) at these volts, and these currents flowing into them."""
        if crossbar.holds_columns:
            wanted_v = crossbar.offset_v - (crossbar.feedback_ohm + crossbar.output_ohm) * columns_a
        else:
            wanted_v = crossbar.open_loop_gain * (crossbar.offset_v - columns_v)
        follows = np.abs(wanted_v) < crossbar.swing_v
        parts = crossbar.feedback_ohm, crossbar.feedback_f, crossbar.output_ohm
        return cls(*parts, crossbar.open_loop_gain, crossbar.gbw_hz, follows)


def column_poles(siemens: Array, farads: Array, loop: FeedbackLoop) -> npt.NDArray[np.complex128]:
    """(..., 3) the rates at which deviations of columns grow (positive real parts) or die out, and turn: 1/s.

    siemens, farads: (...) of all devices of a column together, and of the column. Poles that are infinitely fast, as
    where nothing has capacitance, are -inf, or inf where a column runs away at once.
    """
    powers = _polynomials(siemens, farads, loop)
    poles = np.full((*powers[0].shape, 3), -np.inf, dtype=np.complex128)
    cubic = powers[3] > 0
    poles[..., :2] = _quadratic(*powers[:3])
    if cubic.any():
        poles[cubic] = _cubic(*(power[cubic] for power in powers), scale=2 * np.pi * loop.bandwidth_hz)
    return poles


def damping(poles: npt.NDArray[np.complex128]) -> Array:
    """(...) how far columns with these poles (..., 3) are from swinging: of the pair that swings most.

    1 where nothing swings, 0 where something swings on for ever, below 0 where it grows.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(np.isfinite(poles.real), -poles.real / np.abs(poles), -np.sign(poles.real))
    least: Array = np.nan_to_num(parts).min(axis=-1)
    return least


def least_feedback_f(siemens: Array, farads: Array, loop: FeedbackLoop, wanted: float) -> tuple[float, float]:
    """The smallest feedback capacitor with which all columns (columns,) have the wanted damping, and the one they get.

    Farads, of 24 values a decade; 0 where none is needed. Where no capacitor is enough, the one that damps most.
    """
    each = replace(loop, farads=FEEDBACK_F[:, None])
    reached = damping(column_poles(siemens, farads, each)).min(axis=1)
    enough = reached >= wanted
    best = int(np.argmax(enough) if enough.any() else np.argmax(reached))
    return float(FEEDBACK_F[best]), float(reached[best])


@dataclass(frozen=True)
class ColumnPoles:
    """How a specimen's columns move by themselves at operating points, all (samples, 2 * pairs).

    poles: (samples, 2 * pairs, 3), 1/s. siemens: of the devices of each column together. loop: what holds it.
    """

    poles: npt.NDArray[np.complex128]
    siemens: Array
    loop: FeedbackLoop


def crossbar_poles(design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array) -> ColumnPoles:
    """Poles of a specimen's columns. rows_v: (samples, rows), columns_v: (samples, 2 * pairs), volts."""
    amps, siemens = np.empty_like(columns_v), np.empty_like(columns_v)
    size = max(1, _AT_A_TIME // crossbar.column_area[:, :, 0].size)
    for first in range(0, len(rows_v), size):
        block = slice(first, first + size)
        amps[block], siemens[block] = _into_columns(design, crossbar, rows_v[block], columns_v[block])
    loop = FeedbackLoop.of(crossbar, columns_v, amps)
    farads = np.broadcast_to(crossbar.column_capacitance_f, siemens.shape)
    return ColumnPoles(column_poles(siemens, farads, loop), siemens, loop)


def _into_columns(design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array) -> tuple[Array, Array]:
    """Currents into every column, (samples, 2 * pairs) amps, and the conductance of all its devices, siemens.

    For rows (samples, rows) and columns in volts.
    """
    amps, siemens = np.zeros_like(columns_v), np.zeros_like(columns_v)
    across_v = rows_v[:, :, None] - columns_v[:, None, :]
    for kind in crossbar.types.tolist():
        shift_v, area = np.repeat(crossbar.shift_v[:, :, kind], 2, axis=1), crossbar.column_area[:, :, kind]
        currents, slopes = design.devices[kind].curve.numpy((across_v - shift_v) / design.input_v_per_unit)
        amps += np.sum(area * currents, axis=1)
        siemens += np.sum(area * slopes, axis=1)
    unit_a = crossbar.current_unit_a
    return amps * unit_a + crossbar.bias_a, siemens * (unit_a / design.input_v_per_unit)


def _polynomials(siemens: Array, farads: Array, loop: FeedbackLoop) -> tuple[Array, Array, Array, Array]:
    """Coefficients of the powers 0 to 3 of s, each (...)."""
    turn, held, leak = 2 * np.pi * loop.bandwidth_hz, 1 / loop.ohm, 1 / loop.gain
    slow = np.where(loop.follows, turn * leak, turn * (1 + leak))
    fast = turn * (1 + leak)
    divided, behind_f = 1 + loop.output_ohm * held, loop.output_ohm * loop.farads
    zeroth, first, second = siemens * divided, farads * divided + siemens * behind_f, farads * behind_f
    powers = (
        zeroth * slow + held * fast,
        zeroth + first * slow + held + loop.farads * fast,
        first + second * slow + loop.farads,
        second,
    )
    return tuple(np.broadcast_arrays(*powers))  # type: ignore[return-value]


def _quadratic(constant: Array, linear: Array, square: Array) -> npt.NDArray[np.complex128]:
    """(..., 2) the roots; where there is no square, one is infinite, with the sign that a little of it would give."""
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.asarray(linear**2 - 4 * square * constant, dtype=np.complex128))
        far = -(linear + np.where(linear >= 0, 1, -1) * root) / 2
        near = np.where(far == 0, 0, constant / far)
        far = np.where(square == 0, np.where(linear > 0, -np.inf, np.inf), far / np.where(square == 0, 1, square))
    return np.stack([near, far], axis=-1)


def _cubic(constant: Array, linear: Array, square: Array, cube: Array, *, scale: float) -> npt.NDArray[np.complex128]:
    """(n, 3) the roots of n polynomials. scale: of their size, 1/s."""
    companion = np.zeros((len(cube), 3, 3))
    companion[:, 1, 0] = companion[:, 2, 1] = 1.0
    for row, (power, part) in enumerate(((3, constant), (2, linear), (1, square))):
        companion[:, row, 2] = -part / cube / scale**power
    return np.asarray(np.linalg.eigvals(companion) * scale, dtype=np.complex128)
