"""The clips of a layer's inputs as precision rectifiers: a diode inside an op-amp's loop, for each level."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import wrightomega

from kanspice.base.arrays import Array
from kanspice.circuit.stages.earlier import NONE_EARLIER

if TYPE_CHECKING:
    from kanspice.circuit.design import Design


@dataclass(frozen=True)
class Rectifier:
    """What arrives, lowered by `shift_v`, goes through a rectifier at `low_v`, and then one at `high_v`.

    The first follows what is above its level: an op-amp of gain A and offset V0 drives a diode, whose other end is both
    the output v and the op-amp's inverting input, and has a load to the level L. So

        knee ln(1 + (v - L) / (load saturation)) = A (input + V0 - v) - v,

    which Wright's omega function solves. The second has its diode the other way round. Without a level (infinite) there
    is no rectifier. With A infinite, or no knee, the diode takes nothing: max(A / (1 + A) (input + V0), L).
    """

    KIND: ClassVar[str] = "input"
    device_count: ClassVar[int] = 0
    is_behavioural: ClassVar[bool] = False
    unknowns: ClassVar[int] = 0
    name: str
    compares_to: str
    low_v: float
    high_v: float
    shift_v: Array
    """(width,)"""
    low_offset_v: Array
    """(width,), input-referred, of the first op-amps."""
    high_offset_v: Array
    """(width,), of the second."""
    open_loop_gain: float
    knee_v: float
    """n k T / q of the diodes, volts."""
    saturation_a: float
    """What a diode leaks when it blocks."""
    load_ohm: float
    output_v_per_unit: float
    rail_v: float
    """What the op-amps are supplied with, either sign."""
    switch_ohm: float = 0.0
    """Of the transistor that holds the upper level where there is one amplifier: it carries the load's current."""
    one_amplifier: bool = False
    """One op-amp follows between both levels: the second has none, and is exact."""

    @property
    def width(self) -> int:
        """Number of outputs."""
        return int(self.shift_v.shape[0])

    @property
    def amplifiers(self) -> int:
        """One for each level of each output, or one for both."""
        return self.width if self.one_amplifier else self.width * sum(map(math.isfinite, (self.low_v, self.high_v)))

    @property
    def upper_v(self) -> float:
        """What the upper level comes to."""
        if not self.one_amplifier or self.switch_ohm == 0 or not math.isfinite(self.high_v - self.low_v):
            return self.high_v
        return self.high_v - (self.high_v - self.low_v) * self.switch_ohm / (self.switch_ohm + self.load_ohm)

    @property
    def closed_loop_gain(self) -> float:
        """Of a conducting rectifier, but for what its diode takes: V/V."""
        return 1.0 if math.isinf(self.open_loop_gain) else self.open_loop_gain / (1 + self.open_loop_gain)

    @property
    def amplifies_rounding(self) -> bool:
        """True where the op-amps do: the differences that they amplify are of volts."""
        return self.has_drop

    @property
    def has_drop(self) -> bool:
        """Whether what its diodes take is seen behind its op-amps."""
        return self.knee_v > 0 and math.isfinite(self.open_loop_gain) and not self.one_amplifier

    def fits(self, width: int, _devices: int) -> bool:
        """Whether it can stand behind so many outputs."""
        leaks = self.load_ohm > 0 and self.load_ohm * self.saturation_a > 0  # 0 where it is too small for a number
        parts = self.open_loop_gain > 1 and min(self.knee_v, self.switch_ohm) >= 0 and self.rail_v > 0 and leaks
        shapes = {part.shape for part in (self.shift_v, self.low_offset_v, self.high_offset_v)}
        levels = self.low_v <= self.high_v and self.amplifiers > 0
        return parts and levels and shapes == {(width,)} and self.output_v_per_unit > 0

    def ideal_v(self, _design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """What it makes of voltages (samples, width)."""
        volts = input_v - self.shift_v
        if math.isfinite(self.low_v):
            volts = self._rectified_v(volts + self.low_offset_v, self.low_v)
        if math.isfinite(self.high_v) and self.one_amplifier and math.isfinite(self.low_v):
            return np.minimum(volts, self.upper_v)
        if math.isfinite(self.high_v):
            volts = -self._rectified_v(-(volts + self.high_offset_v), -self.high_v)
        return volts

    def op_amps_v(self, output_v: Array) -> Array:
        """The most that its op-amps give, either sign, for outputs (samples, width): what diodes take comes on top."""
        leak_v, most_v = self.load_ohm * self.saturation_a, np.abs(output_v)
        if math.isfinite(self.low_v):
            above = np.maximum(output_v - self.low_v, 0.0)
            most_v = np.maximum(most_v, output_v + self.knee_v * np.log1p(above / leak_v))
        if math.isfinite(self.high_v):
            below = np.maximum(self.high_v - output_v, 0.0)
            most_v = np.maximum(most_v, self.knee_v * np.log1p(below / leak_v) - output_v)
        return most_v

    def lasts_s(self, _design: Design) -> None:
        """It follows what is before it at once."""

    def largest_v(self, _design: Design, before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(width,) what its outputs cannot exceed, either sign, for inputs of at most |before_v| (width,)."""
        most = before_v + np.abs(self.shift_v) + np.abs(self.low_offset_v) + np.abs(self.high_offset_v)
        levels = [abs(level) for level in (self.low_v, self.high_v) if math.isfinite(level)]
        limits: Array = np.maximum(most, max(levels, default=0.0))
        if len(levels) == 2:
            limits = np.minimum(limits, max(levels) + np.abs(self.high_offset_v))
        return limits + (self.saturation_a * self.load_ohm if self.has_drop else 0.0)

    def _rectified_v(self, driving_v: Array, level_v: float) -> Array:
        """What follows `driving_v` above a level."""
        if not self.has_drop:
            return np.maximum(self.closed_loop_gain * driving_v, level_v)
        gain, knee_v, leak_v = self.open_loop_gain, self.knee_v, self.load_ohm * self.saturation_a
        knees = (gain * driving_v - (1 + gain) * (level_v - leak_v)) / knee_v
        conducting = np.real(wrightomega(knees + np.log((1 + gain) * leak_v / knee_v)))
        rectified: Array = level_v - leak_v + knee_v / (1 + gain) * conducting
        return rectified
