"""Stages whose every connection is a circuit with parameters of its own: filters, and synapses with a memdiode.

A connection leads from a row (an input) to a column (an output), where all that arrives is added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

LOW_PASS, BAND_PASS, HIGH_PASS = 0, 1, 2
"""Kinds of synapses."""
KIND_NAMES = ("low-pass", "band-pass", "high-pass")
_LARGEST_DECADE = 30.0
RESET_SHARE = 0.6
"""Of a bank's slot: then its detectors are let go."""


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

    @property
    def rows(self) -> int:
        """Number of inputs."""
        return int(self.gain.shape[0])

    @property
    def width(self) -> int:
        """Number of outputs."""
        return int(self.gain.shape[1])

    @property
    def connections(self) -> int:
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


@dataclass(frozen=True)
class SynapseBank:
    """Every connection is synapses: a memdiode with its series resistance, and a load that it drives current through.

    With V at the row plus its input bias, and U at the load, a memdiode carries
    I = saturation_a * exp(alpha_per_v * drive) where
    low-pass: U = load I, drive = reference - V - U - I series; high-pass: U = load I, drive = V - U - I series;
    band-pass: U = load ((V - U) / input - I), drive = U + V - I series. Output: the sum of gain * U, and the bias.
    """

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
    def connections(self) -> int:
        """Synapses that exist."""
        return int(np.count_nonzero(self.gain))
