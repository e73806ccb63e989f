"""The mean of what is at many positions: resistors that meet in a node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit.stages.earlier import NONE_EARLIER

if TYPE_CHECKING:
    from kanspice.circuit.design import Design


@dataclass(frozen=True)
class Average:
    """A node for each channel, which resistors of all its positions meet in and nothing loads.

    The stage before gives position after position, of each its channels. A node is at the mean of them, weighted with
    1 / `ohm`.
    """

    KIND: ClassVar[str] = "average"
    device_count: ClassVar[int] = 0
    is_behavioural: ClassVar[bool] = False
    amplifies_rounding: ClassVar[bool] = False
    unknowns: ClassVar[int] = 0
    name: str
    compares_to: str
    ohm: Array
    """(positions, channels)"""
    output_v_per_unit: float

    @property
    def width(self) -> int:
        """Number of channels."""
        return int(self.ohm.shape[1])

    def fits(self, width: int, _devices: int) -> bool:
        """Whether it can stand behind so many outputs."""
        resistors = self.ohm.ndim == 2 and self.ohm.size == width > 0 and bool((self.ohm > 0).all())
        return resistors and self.output_v_per_unit > 0

    def ideal_v(self, _design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """The means (samples, channels) of voltages (samples, positions x channels)."""
        siemens = 1 / self.ohm
        positions_v = input_v.reshape(-1, *self.ohm.shape)
        means_v: Array = np.sum(positions_v * siemens, axis=1) / siemens.sum(axis=0)
        return means_v

    def lasts_s(self, _design: Design) -> None:
        """It follows what is before it at once."""

    def largest_v(self, _design: Design, before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(channels,) what its outputs cannot exceed, either sign."""
        largest_v: Array = before_v.reshape(self.ohm.shape).max(axis=0)
        return largest_v
