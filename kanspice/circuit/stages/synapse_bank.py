"""Connections of a MemKAN: synapses with a memdiode, whose implicit equation is Wright's omega function of its drive.

A connection leads from a row (an input) to a column (an output), where all that arrives is added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import wrightomega

from kanspice.base.arrays import Array, Indices
from kanspice.base.traced import asarray
from kanspice.circuit.stages.earlier import NONE_EARLIER

if TYPE_CHECKING:
    from kanspice.circuit.design import Design

LOW_PASS, BAND_PASS, HIGH_PASS = 0, 1, 2
"""Kinds of synapses."""
KIND_NAMES = ("low-pass", "band-pass", "high-pass")
_LARGEST_NOISE = 10.0
"""Standard deviations that no sample's noise exceeds."""
_BLOCK_NUMBERS = 2**20


@dataclass(frozen=True)
class SynapseBank:
    """Every connection is synapses: a memdiode with its series resistance, and a load that it drives current through.

    With V at the row plus its input bias, and U at the load, a memdiode carries
    I = saturation_a * exp(alpha_per_v * drive) where
    low-pass: U = load I, drive = reference - V - U - I series; high-pass: U = load I, drive = V - U - I series;
    band-pass: U = load ((V - U) / input - I), drive = U + V - I series. Output: the sum of gain * U, and the bias.
    """

    KIND: ClassVar[str] = "synapses"
    is_behavioural: ClassVar[bool] = False
    unknowns: ClassVar[int] = 0
    amplifies_rounding: ClassVar[bool] = True
    name: str
    compares_to: str
    kind: Indices
    """(rows, columns, synapses): LOW_PASS, BAND_PASS or HIGH_PASS. All that follow have the same shape."""
    gain: Array
    """Signed; there is no synapse where it is 0."""
    load_ohm: Array
    input_ohm: Array
    """Of band-pass synapses only."""
    series_ohm: Array
    alpha_per_v: Array
    saturation_a: Array
    input_bias_v: Array
    """What a synapse gets besides its row's voltage."""
    bias_v: Array
    """(columns,)"""
    reference_v: float
    output_v_per_unit: float
    read_noise_v: float = 0.0
    """Standard deviation of the noise on every output, drawn for every sample."""

    @property
    def is_noisy(self) -> bool:
        """True when samples differ in what is drawn for them."""
        return self.read_noise_v > 0

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
        """Synapses that exist."""
        return int(np.count_nonzero(self.gain))

    def fits(self, width: int, _devices: int) -> bool:
        """Whether it can stand behind so many outputs, and every synapse has its parts."""
        if self.gain.ndim != 3 or self.rows != width or self.bias_v.shape != (self.width,):
            return False
        if not self.kind.shape == self.input_bias_v.shape == self.gain.shape:
            return False
        if not np.isin(self.kind, (LOW_PASS, BAND_PASS, HIGH_PASS)).all():
            return False
        parts = (self.load_ohm, self.input_ohm, self.series_ohm, self.alpha_per_v, self.saturation_a)
        fitting = all(part.shape == self.gain.shape and bool((part > 0).all()) for part in parts)
        return fitting and self.output_v_per_unit > 0 and self.read_noise_v >= 0

    def ideal_v(self, _design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """Outputs (samples, columns) without noise for voltages (samples, rows), a block of samples at a time."""
        size = max(1, _BLOCK_NUMBERS // max(self.gain.size, 1))
        parts = [input_v[first : first + size] for first in range(0, len(input_v), size)]
        blocks = [np.einsum("srcu,rcu->sc", loads_v(self, part), self.gain) + self.bias_v for part in parts]
        return np.concatenate(blocks) if blocks else np.empty((0, self.width))

    def lasts_s(self, _design: Design) -> None:
        """It follows what is before it at once."""

    def largest_v(self, _design: Design, before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(columns,) what no voltages of at most |before_v| (rows,) can exceed.

        A memdiode's current never moves a load beyond the drive that it has at rest.
        """
        largest = np.abs(before_v)[:, None, None] + np.abs(self.input_bias_v)
        is_high, is_low = self.kind == HIGH_PASS, self.kind == LOW_PASS
        drive = np.where(is_high, largest, np.where(is_low, largest + abs(self.reference_v), 2 * largest))
        loads = drive + largest * (self.kind == BAND_PASS)
        columns_v = (np.abs(self.gain) * loads).sum(axis=(0, 2)) + np.abs(self.bias_v)
        return np.asarray(columns_v + _LARGEST_NOISE * self.read_noise_v)


@dataclass(frozen=True)
class SynapseState:
    """Of every synapse, each (samples, rows, columns, synapses): the voltage at its input and at its load, volts, and
    the memdiode's current, amps.
    """

    input_v: Array
    load_v: Array
    diode_a: Array


def loads_v(bank: SynapseBank, rows_v: Array) -> Array:
    """Voltages of the loads, (samples, rows, columns, synapses), for voltages (samples, rows)."""
    return synapse_state(bank, rows_v).load_v


def synapse_state(bank: SynapseBank, rows_v: Array) -> SynapseState:
    """What voltages (samples, rows) make of every synapse.

    Without its memdiode a load is at `idle`, and the memdiode's drive is `drive`; its current I lowers the drive by
    `resistance` * I and moves the load by `pull` * I. With w = alpha resistance I the memdiode's law is
    w + ln w = ln(alpha resistance saturation) + alpha drive.
    """
    volts = rows_v[:, :, None, None] + bank.input_bias_v
    series, load = bank.series_ohm, bank.load_ohm
    is_band, is_low = bank.kind == BAND_PASS, bank.kind == LOW_PASS
    share = np.where(is_band, load / (bank.input_ohm + load), 0.0)
    parallel = np.where(is_band, share * bank.input_ohm, load)
    resistance, pull = parallel + series, np.where(is_band, -parallel, load)
    idle = share * volts
    drive = np.where(is_low, bank.reference_v - volts, volts + idle)
    strength = bank.alpha_per_v * resistance
    current = np.real(wrightomega(np.log(strength * bank.saturation_a) + bank.alpha_per_v * drive)) / strength
    return SynapseState(volts, asarray(idle + pull * current), asarray(current))
