"""The sigmoid or tanh of a layer's inputs as differential pairs of bipolar transistors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, assert_never, get_args

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit.stages.earlier import NONE_EARLIER

if TYPE_CHECKING:
    from kanspice.circuit.design import Design

PairShape = Literal["sigmoid", "tanh"]
_MOST_STEPS = 200
_LOGISTIC_KNEES = {"sigmoid": 1.0, "tanh": 2.0}
"""By how many k T / q the bases differ where the function's argument is 1."""


@dataclass(frozen=True)
class DifferentialPairs:
    """One pair of bipolar transistors for every output, whose emitters share a tail current.

    With VT = k T / q the collector of a pair whose bases differ by x carries alpha tail / (1 + exp(-x / VT)), the other
    one the rest, alpha = B / (1 + B) for a current gain B. A sigmoid is what the first drops across its load, a tanh
    the difference of both. A divider brings what arrives, lowered by `shift_v`, down to the bases; each sees
    `source_ohm`, and their currents, tail / (1 + B) in all, move them:

        x = attenuation (input - shift) + offset - source_ohm tail / (1 + B) tanh(x / (2 VT)).

    Loads are such that pairs of the nominal tail current reach `unit_v`.
    """

    KIND: ClassVar[str] = "input"
    device_count: ClassVar[int] = 0
    is_behavioural: ClassVar[bool] = False
    unknowns: ClassVar[int] = 0
    amplifies_rounding: ClassVar[bool] = False
    name: str
    compares_to: str
    shape: PairShape
    input_v_per_unit: float
    unit_v: float
    shift_v: Array
    """(width,)"""
    offset_v: Array
    """(width,), by which a pair's bases seem to differ."""
    tail_a: Array
    """(width,)"""
    nominal_tail_a: float
    thermal_v: float
    """k T / q, volts."""
    current_gain: float
    """Of the transistors: collector over base current."""
    source_ohm: float
    rail_v: float
    """What loads hang on; tails go to the other rail."""

    @property
    def width(self) -> int:
        """Number of outputs."""
        return int(self.shift_v.shape[0])

    @property
    def output_v_per_unit(self) -> float:
        """Volts at the output per model unit."""
        return self.unit_v

    @property
    def attenuation(self) -> float:
        """Volts between the bases per volt at the input."""
        return _LOGISTIC_KNEES[self.shape] * self.thermal_v / self.input_v_per_unit

    @property
    def upper_ohm(self) -> float:
        """Of the divider, at the input's end."""
        return self.source_ohm / self.attenuation

    @property
    def lower_ohm(self) -> float:
        """Of the divider, at ground."""
        return self.source_ohm / (1 - self.attenuation)

    @property
    def base_part(self) -> float:
        """Of the emitters' currents, what comes through the bases."""
        return 1 / (1 + self.current_gain)

    @property
    def load_ohm(self) -> float:
        """From each collector to the rail."""
        return self.unit_v / (self.nominal_tail_a * (1 - self.base_part))

    def fits(self, width: int, _devices: int) -> bool:
        """Whether it can stand behind so many outputs."""
        numbers = min(self.input_v_per_unit, self.unit_v, self.nominal_tail_a, self.thermal_v, self.source_ohm)
        known = self.shape in get_args(PairShape) and numbers > 0 and self.current_gain > 0 and self.attenuation < 1
        shapes = {part.shape for part in (self.shift_v, self.offset_v, self.tail_a)}
        return known and shapes == {(width,)} and bool((self.tail_a > 0).all()) and self.rail_v > self.unit_v

    def ideal_v(self, _design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """What it makes of voltages (samples, width)."""
        bases_v = self._bases_v(self.attenuation * (input_v - self.shift_v) + self.offset_v)
        reached: Array = self.unit_v * self.tail_a / self.nominal_tail_a
        steered: Array = np.tanh(bases_v / (2 * self.thermal_v))
        match self.shape:
            case "tanh":
                return reached * steered
            case "sigmoid":
                return reached * 0.5 * (1 + steered)
            case _:
                assert_never(self.shape)

    def saturated_v(self, input_v: Array) -> Array:
        """By how much a transistor's base is above its collector at most, for voltages (samples, width) before it.

        Where that is above 0 it is no pair of transistors that steer a current any more.
        """
        driven_v = self.attenuation * (input_v - self.shift_v) + self.offset_v
        first = 0.5 * (1 + np.tanh(self._bases_v(driven_v) / (2 * self.thermal_v)))
        dropped_v = self.unit_v * self.tail_a / self.nominal_tail_a
        moved_v = self.source_ohm * self.base_part * self.tail_a
        other_drop_v = dropped_v if self.shape == "tanh" else 0.0
        first_v = driven_v - moved_v * first - (self.rail_v - dropped_v * first)
        other_v = -moved_v * (1 - first) - (self.rail_v - other_drop_v * (1 - first))
        most_v: Array = np.maximum(first_v, other_v)
        return most_v

    def lasts_s(self, _design: Design) -> None:
        """It follows what is before it at once."""

    def largest_v(self, _design: Design, _before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(width,) what its outputs cannot exceed, either sign."""
        return np.asarray(self.unit_v * self.tail_a / self.nominal_tail_a)

    def _bases_v(self, driven_v: Array) -> Array:
        """By how much bases differ that are driven `driven_v` apart: Newton's steps from 0, which do not overshoot.

        What is left of the drive falls and bends away from 0, so that every step ends between 0 and the solution.
        """
        moved_v = self.source_ohm * self.base_part * self.tail_a
        if not moved_v.any():
            return driven_v
        twice_v, bases_v = 2 * self.thermal_v, np.zeros_like(driven_v)
        for _ in range(_MOST_STEPS):
            steered = np.tanh(bases_v / twice_v)
            left_v = driven_v - bases_v - moved_v * steered
            step_v = left_v / (1 + moved_v / twice_v * (1 - steered**2))
            bases_v = bases_v + step_v
            if np.abs(step_v).max(initial=0.0) <= 1e-15 * (np.abs(bases_v).max(initial=0.0) + twice_v):
                break
        return bases_v
