"""The input stage of a layer: clipper, sigmoid, tanh, or a plain wire."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, assert_never, get_args

import numpy as np
from scipy.special import wrightomega

from kanspice.base.arrays import Array
from kanspice.circuit.stages.earlier import NONE_EARLIER

if TYPE_CHECKING:
    from kanspice.circuit.design import Design

LimiterKind = Literal["none", "clip", "sigmoid", "tanh"]
_CLAMP_STEPS = 6


@dataclass(frozen=True)
class Limiter:
    """Element-wise input stage of a layer: clipper, sigmoid, tanh or a plain wire.

    What arrives is first lowered by `shift_v`. `none` passes it on; `clip` limits to [low_v, high_v]; `sigmoid` and
    `tanh` act on the voltage in units of `input_v_per_unit` and give units of `unit_v`. With a knee k a clip is a
    resistor and two diodes: its output v solves `v + k exp((v - high) / k) - k exp((low - v) / k) = input`.
    """

    KIND: ClassVar[str] = "input"
    device_count: ClassVar[int] = 0
    unknowns: ClassVar[int] = 0
    amplifies_rounding: ClassVar[bool] = False
    name: str
    compares_to: str
    width: int
    kind: LimiterKind
    low_v: float
    high_v: float
    input_v_per_unit: float
    unit_v: float
    shift_v: Array
    """(width,)"""
    knee_v: float = 0.0
    """n k T / q of a clip's diodes, volts; 0 is an ideal clip."""
    reach: float = math.inf
    """What a sigmoid acts on is limited to so many units of `input_v_per_unit`, of either sign."""

    @property
    def output_v_per_unit(self) -> float:
        """Volts at the output per model unit."""
        return self.unit_v

    @property
    def is_behavioural(self) -> bool:
        """Whether it is its formula, and no circuit."""
        return self.kind in ("sigmoid", "tanh")

    def fits(self, width: int, _devices: int) -> bool:
        """Whether it can stand behind so many outputs."""
        known = self.kind in get_args(LimiterKind) and self.knee_v >= 0 and self.input_v_per_unit > 0
        known = known and self.reach > 0 and (self.kind == "sigmoid" or math.isinf(self.reach))
        return known and self.width == width and self.shift_v.shape == (width,)

    def ideal_v(self, _design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """What it makes of voltages (samples, width)."""
        volts = input_v - self.shift_v
        units = volts / self.input_v_per_unit
        match self.kind:
            case "none":
                return volts
            case "clip":
                return self._clamped_v(volts) if self.knee_v > 0 else np.clip(volts, self.low_v, self.high_v)
            case "sigmoid":
                return self.unit_v * 0.5 * (1 + np.tanh(np.clip(units, -self.reach, self.reach) / 2))
            case "tanh":
                return self.unit_v * np.tanh(units)
            case _:
                assert_never(self.kind)

    def lasts_s(self, _design: Design) -> None:
        """It follows what is before it at once."""

    def largest_v(self, _design: Design, before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(width,) what its outputs cannot exceed, either sign, for inputs of at most |before_v| (width,)."""
        before_v = before_v + np.abs(self.shift_v)
        if self.kind == "none":
            return before_v
        limit = max(abs(self.low_v), abs(self.high_v)) if self.kind == "clip" else self.unit_v
        limits: Array = np.full(self.width, limit)
        if math.isinf(limit):  # one level only, as of a rectifier
            limits = np.maximum(before_v, min(abs(self.low_v), abs(self.high_v)))
        # beyond its level a clamp loses knee * exp(how far beyond / knee), which is at most what it gets
        return limits + self.knee_v * np.log1p(before_v / self.knee_v) if self.knee_v > 0 else limits

    def _clamped_v(self, volts: Array) -> Array:
        """With diodes: of each by itself Wright's omega function is the answer, Newton's method adds the other."""
        knee_v, high_v, low_v = self.knee_v, self.high_v, self.low_v
        above = volts > 0.5 * (low_v + high_v)
        beyond_v = np.where(above, volts - high_v, low_v - volts)
        left_v = knee_v * np.real(wrightomega(beyond_v / knee_v))
        clamped_v: Array = np.where(above, volts - left_v, volts + left_v)
        for _ in range(_CLAMP_STEPS):
            upper, lower = np.exp((clamped_v - high_v) / knee_v), np.exp((low_v - clamped_v) / knee_v)
            clamped_v = clamped_v - (clamped_v + knee_v * (upper - lower) - volts) / (1 + upper + lower)
        return clamped_v
