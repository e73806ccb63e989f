"""What a circuit has besides its stages: how branches are built, switched and loaded, and converters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.subcircuits.amplifier import Amplifier
from kanspice.subcircuits.subcircuit import SubcircuitDefinition


@dataclass(frozen=True)
class Schematic:
    """Branches built as Fig. 5 of the KirchhoffNet paper draws them; without one they are ideal sources.

    Resistances of the one-sided switches of ReLUs, the output resistance of a general ReLU's current sources, a
    differential pair's tail current and a VCCS's largest current in units of current.
    """

    switch_on_ohm: float
    switch_off_ohm: float
    source_ohm: float
    pair_saturation: float
    vccs_saturation: float


@dataclass(frozen=True)
class Switching:
    """All periods in one circuit: switches between the nodes and the banks, and clocks that do not overlap.

    A bank is switched on and off along a straight line that takes rise_s, so that it is on for its period if rise and
    fall count half; then every node is left alone for hold_s, less what its clock is late. A bank that is on is behind
    on_ohm; one that is off draws v / off_ohm from each of its nodes. Where voltages are held for later, sampling them
    takes transfer_s after that, and adding them another.
    """

    on_ohm: float
    off_ohm: float
    rise_s: float
    hold_s: float
    transfer_s: float = 0.0
    """Above 0 where there is a `HeldSum`."""


@dataclass(frozen=True)
class NodeLosses:
    """What hangs on every node of a KirchhoffNet besides its capacitor and its branches, at all times.

    A node at v loses v / leak_ohm; beyond supply_v, of either sign, also (|v| - supply_v) / clamp_ohm towards it.
    """

    leak_ohm: float
    supply_v: float
    clamp_ohm: float

    @property
    def clamps(self) -> bool:
        """True where there is a supply that nodes can come to."""
        return math.isfinite(self.supply_v)


@dataclass(frozen=True)
class Realised:
    """Parts that are more than their numbers: amplifiers that ngspice has as subcircuits, and clips of transistors.

    The stages' own numbers are those of a macro-model of these parts, which every other engine solves.
    """

    amplifier: Amplifier
    """At every column, as subtractor of every pair, and in front of every row."""
    clip: SubcircuitDefinition | None = None
    """Instead of rectifiers, and with the amplifiers that drive rows: pins in, out, low, high, vdd, vss."""
    rectifier: SubcircuitDefinition | None = None
    """The same with one level: pins in, out, level, vdd, vss."""
    own_amplifier: Amplifier | None = None
    """What clips are made of, where it is another one."""
    input_bias_a: float = 0.0
    """What figures say that the amplifier's inputs take, which the stages' reference currents are less by."""


@dataclass(frozen=True)
class Converter:
    """An ideal DAC or ADC: 2**bits levels from low_v to high_v, both included; what is beyond them becomes an end."""

    bits: int
    low_v: float
    high_v: float

    def convert(self, volts: Array) -> Array:
        """The nearest levels."""
        step_v = (self.high_v - self.low_v) / (2**self.bits - 1)
        levels = np.round((np.clip(volts, self.low_v, self.high_v) - self.low_v) / step_v)
        converted: Array = self.low_v + levels * step_v
        return converted
