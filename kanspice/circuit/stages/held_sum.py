"""A residual of a KirchhoffNet: voltages held since an earlier period are added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kanspice.base.arrays import Array
from kanspice.circuit.stages.earlier import NONE_EARLIER

if TYPE_CHECKING:
    from kanspice.circuit.design import Design

FOLLOWS = 100.0
"""How many times faster than its clock falls what is to be held follows its node."""


@dataclass(frozen=True)
class HeldSum:
    """A residual: the voltages of the period before, and those that an earlier one ended with, which were held since.

    A node's capacitor stands on a buffer of the voltage that was held for it, which is switched on here and left on: so
    its upper plate rises by that voltage, and no charge flows into it.
    """

    KIND: ClassVar[str] = "residual"
    device_count: ClassVar[int] = 0
    is_behavioural: ClassVar[bool] = False
    unknowns: ClassVar[int] = 0
    amplifies_rounding: ClassVar[bool] = False
    name: str
    compares_to: str
    held: str
    """The name of the period whose ends are held."""
    width: int
    unit_v: float

    @property
    def output_v_per_unit(self) -> float:
        """Volts at a node per model unit."""
        return self.unit_v

    def fits(self, width: int, _devices: int) -> bool:
        """Whether it can stand behind so many nodes."""
        return self.width == width > 0 and self.unit_v > 0

    def ideal_v(self, _design: Design, input_v: Array, earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """The nodes' voltages (samples, nodes), raised by what was held. earlier_v: what earlier stages ended with."""
        return input_v + earlier_v[self.held]

    def lasts_s(self, design: Design) -> float:
        """Seconds that the design has for it."""
        return 0.0 if design.switching is None else design.switching.transfer_s

    def largest_v(self, _design: Design, before_v: Array, earlier_v: Mapping[str, Array]) -> Array:
        """(nodes,) what they cannot exceed, either sign, if earlier stages do not exceed `earlier_v`."""
        return before_v + earlier_v[self.held]
