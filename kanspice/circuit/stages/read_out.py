"""Which nodes of a KirchhoffNet are its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kanspice.base.arrays import Array
from kanspice.circuit.stages.earlier import NONE_EARLIER

if TYPE_CHECKING:
    from kanspice.circuit.design import Design


@dataclass(frozen=True)
class ReadOut:
    """The outputs: `width` nodes of the stage before, the first of them its output `start` (from 0)."""

    KIND: ClassVar[str] = "readout"
    device_count: ClassVar[int] = 0
    is_behavioural: ClassVar[bool] = False
    unknowns: ClassVar[int] = 0
    amplifies_rounding: ClassVar[bool] = False
    name: str
    compares_to: str
    start: int
    width: int
    unit_v: float

    @property
    def output_v_per_unit(self) -> float:
        """Volts per model unit."""
        return self.unit_v

    def fits(self, width: int, _devices: int) -> bool:
        """Whether it can stand behind so many nodes."""
        return self.start + self.width <= width and self.width > 0 and self.unit_v > 0

    def ideal_v(self, _design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """The outputs (samples, width) of nodes (samples, nodes)."""
        return self._chosen(input_v)

    def lasts_s(self, _design: Design) -> None:
        """It follows what is before it at once."""

    def largest_v(self, _design: Design, before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(width,) what the outputs cannot exceed, either sign."""
        return self._chosen(before_v)

    def _chosen(self, nodes_v: Array) -> Array:
        """Of (..., nodes)."""
        return nodes_v[..., self.start : self.start + self.width]
