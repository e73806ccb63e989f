"""Noise at the outputs of crossbars, from their operating points: what limits the bits that a stage carries.

An amplifier of gain A and gain-bandwidth product B, with feedback R and columns whose devices have the conductance G,
has the noise gain N = 1 + R G. White currents into its column (thermal noise of R, shot noise of the devices) come to
its output times R / (1 + N / A), its own input voltage times N / (1 + N / A), both up to the closed loop's one pole at
B (1 / N + 1 / A), over pi / 2 of that as noise counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.design import Crossbar, Design, Limiter
from kanspice.solution import Solution

Array = npt.NDArray[np.float64]

BOLTZMANN, ELEMENTARY = 1.380649e-23, 1.602176634e-19
"""SI, exact."""
ZERO_C = 273.15


@dataclass(frozen=True)
class ColumnNoise:
    """White noise of columns, (samples, columns), at their amplifiers' outputs: V^2/Hz by origin, and the bandwidth."""

    thermal: Array
    shot: Array
    amplifier: Array
    bandwidth_hz: Array

    @property
    def square_v2(self) -> Array:
        """(samples, columns); infinite where no feedback holds the column."""
        density = self.thermal + self.shot + self.amplifier
        return np.where(self.bandwidth_hz > 0, density * self.bandwidth_hz, np.inf)


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
    found = []
    for before, crossbar in zip(design.stages, design.stages[1:], strict=False):
        if isinstance(before, Limiter) and isinstance(crossbar, Crossbar) and math.isfinite(crossbar.gbw_hz):
            rows_v = solution.stage_v[before.name][solution.solved]
            columns_v = solution.column_v[crossbar.name][solution.solved]
            noise = column_noise(
                design, crossbar, rows_v, columns_v, noise_v_per_rthz=noise_v_per_rthz, kelvin=ZERO_C + temperature_c
            )
            found.append(_stage_noise(crossbar, noise, solution.stage_v[crossbar.name][solution.solved]))
    return tuple(found)


def column_noise(
    design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array, *, noise_v_per_rthz: float, kelvin: float
) -> ColumnNoise:
    """rows_v: (samples, rows), columns_v: (samples, columns), volts. Wires and capacitances are left out."""
    shot_a, siemens = _devices(design, crossbar, rows_v, columns_v)
    ohm = crossbar.feedback_ohm
    noise_gain = 1 + ohm * siemens
    loop = 1 + noise_gain / crossbar.open_loop_gain
    ones = np.ones_like(noise_gain)
    return ColumnNoise(
        thermal=4 * BOLTZMANN * kelvin * ohm / loop**2 * ones,
        shot=2 * ELEMENTARY * shot_a * (ohm / loop) ** 2,
        amplifier=(noise_v_per_rthz * noise_gain / loop) ** 2,
        bandwidth_hz=math.pi / 2 * crossbar.gbw_hz * (1 / noise_gain + 1 / crossbar.open_loop_gain),
    )


def _devices(design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array) -> tuple[Array, Array]:
    """Sums over each column's devices, (samples, columns): of |currents|, amps, and of slopes, siemens."""
    areas = crossbar.column_area * crossbar.current_unit_a
    shifts_v = np.repeat(crossbar.shift_v, 2, axis=1)
    shot_a, siemens = np.zeros_like(columns_v), np.zeros_like(columns_v)
    for index, device in enumerate(design.devices):
        curve = device.curve.stretched(design.input_v_per_unit)
        for sample, (row_v, column_v) in enumerate(zip(rows_v, columns_v, strict=True)):
            current, slope = curve.numpy(row_v[:, None] - column_v[None, :] - shifts_v[:, :, index])
            shot_a[sample] += np.sum(areas[:, :, index] * np.abs(current), axis=0)
            siemens[sample] += np.sum(areas[:, :, index] * slope, axis=0)
    return shot_a, siemens


def _stage_noise(crossbar: Crossbar, noise: ColumnNoise, outputs_v: Array) -> StageNoise:
    square_v2 = crossbar.subtractor_gain**2 * (noise.square_v2[:, ::2] + noise.square_v2[:, 1::2])
    rms_v, largest_v = float(np.sqrt(square_v2.mean())), float(np.sqrt(square_v2.max()))
    total = float((noise.square_v2).sum())
    parts = [float((part * noise.bandwidth_hz).sum()) / total for part in (noise.thermal, noise.shot, noise.amplifier)]
    range_v = float(np.ptp(outputs_v))
    bits = math.log2(range_v / rms_v / math.sqrt(12)) if range_v > 0 and 0 < rms_v < math.inf else None
    return StageNoise(crossbar.name, rms_v, largest_v, bits, *parts)
