"""A sample's outputs of a layer, normalised."""

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
class LayerNorm:
    """Behavioural block: normalises a sample over the layer's outputs (no circuit for it exists in the papers).

    `out_j = gain_v[j] * (in_j - mean) / sqrt(variance + eps_v2) + offset_v[j]`, biased variance.
    """

    KIND: ClassVar[str] = "norm"
    device_count: ClassVar[int] = 0
    is_behavioural: ClassVar[bool] = True
    unknowns: ClassVar[int] = 0
    amplifies_rounding: ClassVar[bool] = False
    name: str
    compares_to: str
    gain_v: Array
    offset_v: Array
    eps_v2: float
    output_v_per_unit: float

    @property
    def width(self) -> int:
        """Number of outputs."""
        return int(self.gain_v.shape[0])

    def fits(self, width: int, _devices: int) -> bool:
        """Whether it can stand behind so many outputs."""
        return self.gain_v.shape == self.offset_v.shape == (width,)

    def ideal_v(self, _design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """What it makes of voltages (samples, width)."""
        centred: Array = input_v - input_v.mean(axis=1, keepdims=True)
        variance = np.mean(centred**2, axis=1, keepdims=True)
        outputs: Array = self.gain_v * centred / np.sqrt(variance + self.eps_v2) + self.offset_v
        return outputs

    def lasts_s(self, _design: Design) -> None:
        """It follows what is before it at once."""

    def largest_v(self, _design: Design, _before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(width,) what its outputs cannot exceed, either sign."""
        largest: Array = np.abs(self.gain_v) * np.sqrt(self.width) + np.abs(self.offset_v)
        return largest
