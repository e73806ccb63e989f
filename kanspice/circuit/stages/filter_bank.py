"""Connections of a PhyKAN: sines whose frequencies rows set, and filters that leave more or less of them.

A connection leads from a row (an input) to a column (an output), where all that arrives is added.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.traced import asarray
from kanspice.circuit.stages.earlier import NONE_EARLIER

if TYPE_CHECKING:
    from kanspice.circuit.design import Design

RESET_SHARE = 0.6
"""Of a bank's slot: then its detectors are let go."""
_LARGEST_DECADE = 30.0
_FOLLOWERS = 2
_BLOCK_NUMBERS = 2**20


@dataclass(frozen=True)
class FilterBank:
    """Rows drive sines by their frequency; every connection is filters, and an amplitude is what they leave of it.

    A row at v has a sine of amplitude sine_v and frequency f0 = 10^(decade + decades * v / control_v), at most
    10^most_decades, as an array
    clocked at clock_hz gives it: (clock / pi) atan(pi f0 / clock). A filter is a high-pass of high_ohm and high_f, a
    low-pass of low_ohm and low_f, a follower behind each, and an amplifier of gain |gain|; a detector, off by offset_v,
    gives the amplitude; the sign of the gain says with which sign the column adds it. Output: what is added, times
    sum_gain and the column's own scale, and a bias.
    """

    KIND: ClassVar[str] = "filters"
    is_behavioural: ClassVar[bool] = False
    unknowns: ClassVar[int] = 0
    amplifies_rounding: ClassVar[bool] = False
    name: str
    compares_to: str
    gain: Array
    """(rows, columns, filters), signed; there is no filter where it is 0."""
    high_ohm: Array
    """This and the next four have the shape of `gain`."""
    high_f: Array
    low_ohm: Array
    low_f: Array
    offset_v: Array
    scale: Array
    """(columns,), signed, dimensionless: 1 unless sums are normalised."""
    bias_v: Array
    """(columns,), at the output: 0 unless sums are normalised."""
    sine_v: float
    decade: float
    decades: float
    control_v: float
    clock_hz: float
    """`inf`: tones have the frequency that they should."""
    sum_gain: float
    slot_s: float
    """How long the bank has from the moment when its rows are what they will be. Until `RESET_SHARE` of it is over its
    detectors are kept empty, and filters settle."""
    amplifier_hz: float = math.inf
    """Gain-bandwidth product of the amplifiers inside the filters."""
    hold_s: float = math.inf
    """Time constant with which a detector forgets the last peak."""
    gain_ohm: float = 1e4
    """Input resistor of a filter's inverting amplifier, and from a detector to its sum: it changes no voltage."""

    @property
    def rows(self) -> int:
        """Number of inputs."""
        return int(self.gain.shape[0])

    @property
    def width(self) -> int:
        """Number of outputs."""
        return int(self.gain.shape[1])

    @property
    def device_count(self) -> int:
        """Filters that exist."""
        return int(np.count_nonzero(self.gain))

    @property
    def output_v_per_unit(self) -> float:
        """Volts at the output per model unit."""
        return self.sum_gain * self.sine_v

    @property
    def most_decades(self) -> float:
        """Power of ten of the fastest tone that any voltage sets: no filter passes anything of one as fast."""
        return max(_LARGEST_DECADE, self.decade + self.decades)

    @property
    def highest_hz(self) -> float:
        """Of all tones."""
        wanted = 10 ** (self.decade + self.decades)
        return (
            wanted
            if math.isinf(self.clock_hz)
            else self.clock_hz / math.pi * math.atan(math.pi * wanted / self.clock_hz)
        )

    def fits(self, width: int, _devices: int) -> bool:
        """Whether it can stand behind so many outputs, and every filter has its parts."""
        if self.gain.ndim != 3 or self.rows != width:
            return False
        if self.offset_v.shape != self.gain.shape or not self.scale.shape == self.bias_v.shape == (self.width,):
            return False
        least = min(self.sine_v, self.control_v, self.clock_hz, self.sum_gain, self.amplifier_hz, self.hold_s)
        least = min(least, self.gain_ohm)
        parts = (self.high_ohm, self.high_f, self.low_ohm, self.low_f)
        fitting = all(part.shape == self.gain.shape and bool((part > 0).all()) for part in parts)
        return fitting and min(least, self.slot_s) > 0

    def ideal_v(self, _design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """Outputs (samples, columns) for voltages (samples, rows), a block of samples at a time."""
        size = max(1, _BLOCK_NUMBERS // max(self.gain.size, 1))
        tones = [tones_hz(self, input_v[first : first + size]) for first in range(0, len(input_v), size)]
        blocks = [added_v(self, hz, amplitudes_v(self, hz)) for hz in tones]
        return np.concatenate(blocks) if blocks else np.empty((0, self.width))

    def lasts_s(self, _design: Design) -> float:
        """Seconds that the design has for it."""
        return self.slot_s

    def largest_v(self, _design: Design, _before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(columns,) what no input can exceed: no filter passes more than all of its sine."""
        amplitudes = self.sine_v * np.abs(self.gain) + np.abs(self.offset_v) * (self.gain != 0)
        return np.asarray(self.sum_gain * np.abs(self.scale) * amplitudes.sum(axis=(0, 2)) + np.abs(self.bias_v))


def tones_hz(bank: FilterBank, rows_v: Array) -> Array:
    """Frequencies (samples, rows) of the rows' sines at these voltages."""
    decades = np.minimum(bank.decade + bank.decades * rows_v / bank.control_v, bank.most_decades)
    wanted: Array = 10**decades
    if math.isinf(bank.clock_hz):
        return wanted
    return asarray(bank.clock_hz / np.pi * np.arctan(np.pi * wanted / bank.clock_hz))


def amplitudes_v(bank: FilterBank, hz: Array) -> Array:
    """What the detectors of filters get at tones (samples, rows): (samples, rows, columns, filters), volts."""
    hz = hz[:, :, None, None]
    high = 2 * np.pi * hz * (bank.high_ohm * bank.high_f)
    low = 2 * np.pi * hz * (bank.low_ohm * bank.low_f)
    amplitude: Array = bank.sine_v * np.abs(bank.gain) * high / np.sqrt((1 + high**2) * (1 + low**2))
    if math.isfinite(bank.amplifier_hz):
        follower, inverting = hz / bank.amplifier_hz, hz * (1 + np.abs(bank.gain)) / bank.amplifier_hz
        amplitude = amplitude / ((1 + follower**2) ** (_FOLLOWERS / 2) * np.sqrt(1 + inverting**2))
    return amplitude


def held(bank: FilterBank, hz: Array) -> Array:
    """What a detector shows of an amplitude on average, (samples, rows): it forgets until the next of two peaks a
    period."""
    if math.isinf(bank.hold_s):
        return np.ones_like(hz)
    passed = 1 / (2 * hz * bank.hold_s)
    return asarray(-np.expm1(-passed) / passed)


def added_v(bank: FilterBank, hz: Array, amplitude_v: Array) -> Array:
    """Outputs (samples, columns) for the amplitudes at the detectors, (samples, rows, columns, filters)."""
    detected = amplitude_v * held(bank, hz)[:, :, None, None] + bank.offset_v
    added = np.einsum("srcf,rcf->sc", detected, np.sign(bank.gain))
    outputs: Array = bank.sum_gain * bank.scale * added + bank.bias_v
    return outputs
