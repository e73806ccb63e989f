"""What drives the rows of a crossbar where that is no ideal follower: amplifiers whose outputs are fed back."""

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


@dataclass(frozen=True)
class Drivers:
    """A follower for each row: (input + offset) / (1 + leak), as far as the swing allows."""

    KIND: ClassVar[str] = "drivers"
    device_count: ClassVar[int] = 0
    is_behavioural: ClassVar[bool] = False
    unknowns: ClassVar[int] = 0
    amplifies_rounding: ClassVar[bool] = False
    name: str
    compares_to: str
    leak: Array
    """(width,), one over the open-loop gain with the load of each row, which takes a part of it."""
    offset_v: Array
    """(width,), input-referred."""
    output_v_per_unit: float
    swing_v: float = math.inf
    """Where their outputs stop, volts, either sign."""

    @property
    def width(self) -> int:
        """Number of outputs."""
        return int(self.offset_v.shape[0])

    def fits(self, width: int, _devices: int) -> bool:
        """Whether they can stand behind so many outputs."""
        parts = bool((self.leak >= 0).all()) and self.swing_v > 0 and self.output_v_per_unit > 0
        return parts and self.offset_v.shape == self.leak.shape == (width,)

    def ideal_v(self, _design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """What they make of voltages (samples, width)."""
        volts = (input_v + self.offset_v) / (1 + self.leak)
        return asarray(np.clip(volts, -self.swing_v, self.swing_v))

    def lasts_s(self, _design: Design) -> None:
        """They follow what is before them at once."""

    def largest_v(self, _design: Design, before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(width,) what their outputs cannot exceed, either sign, for inputs of at most |before_v| (width,)."""
        return np.asarray(np.minimum(before_v + np.abs(self.offset_v), self.swing_v))
