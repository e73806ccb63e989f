"""Noise at the outputs of crossbars, from their operating points: what limits the bits that a stage carries.

An amplifier of gain A and gain-bandwidth w / 2 pi, feedback R and F, a column of capacitance C whose devices have the
conductance g: with a = w / A and c = g + 1 / R its closed loop is
`Q = (C + F) s^2 + (c + (C + F) a + F w) s + c a + w / R`, as in `design.poles` without output resistance. White
currents into the column (thermal noise of R and of devices that are resistors, shot noise of the others) come to the
output as w / Q, the amplifier's own input voltage as w ((C + F) s + c) / Q. The mean square of
(p s + q) / (Q2 s^2 + Q1 s + Q0) for a density of 1 is (p^2 Q0 / Q2 + q^2) / (4 Q1 Q0).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import assert_never

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import (
    Crossbar,
    Design,
    DifferentialPairs,
    Drivers,
    LayerNorm,
    Limiter,
    Rectifier,
)
from kanspice.devices import is_resistance
from kanspice.engine.solution import Solution

BOLTZMANN, ELEMENTARY = 1.380649e-23, 1.602176634e-19
"""SI, exact."""
ZERO_C = 273.15


@dataclass(frozen=True)
class ColumnNoise:
    """Mean squares of columns' noise, (samples, columns), at their amplifiers' outputs by origin, V^2.

    Infinite where no feedback holds the column.
    """

    thermal: Array
    shot: Array
    amplifier: Array

    @property
    def square_v2(self) -> Array:
        """(samples, columns)."""
        return self.thermal + self.shot + self.amplifier


@dataclass(frozen=True)
class StageNoise:
    """Noise that a crossbar adds at its outputs, without what arrives from earlier stages.

    rms_v: root mean square over samples and outputs; largest_v: of the noisiest. bits: effective number, of the range
    that the outputs have over the samples, against rms_v. thermal, shot, amplifier: parts of the mean square.
    """

    name: str
    rms_v: float
    largest_v: float
    bits: float | None
    thermal: float
    shot: float
    amplifier: float


def stage_noises(
    design: Design, solution: Solution, *, noise_v_per_rthz: float, temperature_c: float
) -> tuple[StageNoise, ...]:
    """Of every crossbar with amplifiers of a finite bandwidth, at the operating points of the solved samples."""
    found, kelvin = [], ZERO_C + temperature_c
    for before, stage in pairwise(design.chain):
        match stage:
            case Crossbar():
                if math.isfinite(stage.gbw_hz):
                    rows_v = solution.stage_v[before.name][solution.solved]
                    columns_v = solution.column_v[stage.name][solution.solved]
                    noise = column_noise(
                        design, stage, rows_v, columns_v, noise_v_per_rthz=noise_v_per_rthz, kelvin=kelvin
                    )
                    found.append(_stage_noise(stage, noise, solution.stage_v[stage.name][solution.solved]))
            case Limiter() | Rectifier() | DifferentialPairs() | Drivers() | LayerNorm():
                pass
            case _:
                assert_never(stage)
    return tuple(found)


def column_noise(
    design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array, *, noise_v_per_rthz: float, kelvin: float
) -> ColumnNoise:
    """rows_v: (samples, rows), columns_v: (samples, columns), volts. Wires and output resistance are left out."""
    shot_a, siemens, resistors = _devices(design, crossbar, rows_v, columns_v)
    held = 1 / crossbar.feedback_ohm
    turn, total, farads = 2 * math.pi * crossbar.gbw_hz, siemens + held, crossbar.feedback_f
    corner, charged = turn / crossbar.open_loop_gain, crossbar.column_capacitance_f + crossbar.feedback_f
    constant, linear = total * corner + held * turn, total + charged * corner + farads * turn
    dies_out = (constant > 0) & (linear > 0)
    with np.errstate(over="ignore", invalid="ignore"):
        per_current = turn / np.where(dies_out, 4 * linear, np.inf) * (turn / np.where(dies_out, constant, np.inf))
        per_voltage = (charged * constant + total**2) * per_current
        squares = (
            4 * BOLTZMANN * kelvin * (held + resistors) * per_current,
            2 * ELEMENTARY * shot_a * per_current,
            noise_v_per_rthz**2 * per_voltage,
        )
    bounded = dies_out & np.isfinite(sum(squares))
    return ColumnNoise(*(np.where(bounded, square, np.inf) for square in squares))


def _devices(design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array) -> tuple[Array, Array, Array]:
    """Sums over each column's devices, (samples, columns): |currents| of those with shot noise, amps; slopes of all,
    and of those that are resistances, siemens.
    """
    areas = crossbar.column_area * crossbar.current_unit_a
    shifts_v = np.repeat(crossbar.shift_v, 2, axis=1)
    shot_a, siemens, resistors = (np.zeros_like(columns_v) for _ in range(3))
    for index, device in enumerate(design.devices):
        curve = device.curve.stretched(design.input_v_per_unit)
        is_resistor = is_resistance(curve)
        for sample, (row_v, column_v) in enumerate(zip(rows_v, columns_v, strict=True)):
            current, slope = curve.numpy(row_v[:, None] - column_v[None, :] - shifts_v[:, :, index])
            slopes = np.sum(areas[:, :, index] * slope, axis=0)
            siemens[sample] += slopes
            if is_resistor:
                resistors[sample] += slopes
            else:
                shot_a[sample] += np.sum(areas[:, :, index] * np.abs(current), axis=0)
    return shot_a, siemens, resistors


def _stage_noise(crossbar: Crossbar, noise: ColumnNoise, outputs_v: Array) -> StageNoise:
    square_v2 = crossbar.subtractor_gain**2 * (noise.square_v2[:, ::2] + noise.square_v2[:, 1::2])
    rms_v, largest_v = float(np.sqrt(square_v2.mean())), float(np.sqrt(square_v2.max()))
    total = float((noise.square_v2).sum())
    parts = [
        float(part.sum()) / total if 0 < total < math.inf else 0.0
        for part in (noise.thermal, noise.shot, noise.amplifier)
    ]
    range_v = float(np.ptp(outputs_v))
    bits = math.log2(range_v / rms_v / math.sqrt(12)) if range_v > 0 and 0 < rms_v < math.inf else None
    return StageNoise(crossbar.name, rms_v, largest_v, bits, *parts)
