"""What a computer makes of the outputs that were read."""

from __future__ import annotations

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
class DigitalLayer:
    """A linear layer that a computer makes of what the read-out gives: no part of the circuit, and in no netlist.

    `out_j = sum_i weight[i, j] in_i + offset_v[j]`. Its outputs are numbers; they are kept in volts, `unit_v` each, as
    those of the stages before are.
    """

    KIND: ClassVar[str] = "projector"
    device_count: ClassVar[int] = 0
    is_behavioural: ClassVar[bool] = False
    unknowns: ClassVar[int] = 0
    amplifies_rounding: ClassVar[bool] = False
    name: str
    compares_to: str
    weight: Array
    """(inputs, outputs)"""
    offset_v: Array
    """(outputs,)"""
    unit_v: float

    @property
    def width(self) -> int:
        """Number of outputs."""
        return int(self.offset_v.shape[0])

    @property
    def output_v_per_unit(self) -> float:
        """Volts per model unit."""
        return self.unit_v

    def computed_v(self, volts: Array) -> Array:
        """Its outputs (samples, outputs) for voltages read out, (samples, inputs)."""
        return asarray(volts @ self.weight + self.offset_v)

    def fits(self, width: int, _devices: int) -> bool:
        """Whether it can stand behind so many outputs."""
        shape = (width, *self.offset_v.shape)
        return self.offset_v.ndim == 1 and self.weight.shape == shape and self.width > 0 and self.unit_v > 0

    def ideal_v(self, _design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """Its outputs (samples, outputs)."""
        return self.computed_v(input_v)

    def lasts_s(self, _design: Design) -> None:
        """It follows what is before it at once."""

    def largest_v(self, _design: Design, before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(outputs,) what they cannot exceed, either sign."""
        from_inputs: Array = before_v @ np.abs(self.weight)
        return from_inputs + np.abs(self.offset_v)
