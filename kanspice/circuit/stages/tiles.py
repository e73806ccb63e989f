"""A convolution: a small crossbar over what its window sees, at every position of an image."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit.stages.crossbar import Crossbar
from kanspice.circuit.stages.earlier import NONE_EARLIER
from kanspice.circuit.stages.limiter import Limiter

if TYPE_CHECKING:
    from kanspice.circuit.design import Design

GROUND = -1
"""A row that sees no output: beyond an image's edge."""


@dataclass(frozen=True)
class TileGroup:
    """Crossbars that are the same, and the positions (in order) that they are at."""

    crossbar: Crossbar
    positions: Indices


@dataclass(frozen=True)
class Tiles:
    """Crossbars side by side, each behind drivers of its own, that see parts of what the stage before it gives.

    `crossbars` are as many as there are positions, of equal shape; or there is one, which positions come to one after
    the other, and what they give is held. Outputs are position after position, of each its crossbar's.
    """

    KIND: ClassVar[str] = "tiles"
    is_behavioural: ClassVar[bool] = False
    name: str
    compares_to: str
    seen: Indices
    """(positions, rows), the output of the stage before that drives a row; `GROUND` for none."""
    crossbars: tuple[Crossbar, ...]
    position_s: float
    """How long a crossbar takes for a position, seconds; 0 where that is not known."""

    @property
    def positions(self) -> int:
        """How many there are."""
        return int(self.seen.shape[0])

    @property
    def is_reused(self) -> bool:
        """Whether positions share a crossbar."""
        return len(self.crossbars) == 1

    @property
    def width(self) -> int:
        """Number of outputs."""
        return self.positions * self.crossbars[0].width

    @property
    def output_v_per_unit(self) -> float:
        """Volts at the output per model unit."""
        return self.crossbars[0].output_v_per_unit

    @property
    def device_count(self) -> int:
        """Devices that exist."""
        return sum(crossbar.device_count for crossbar in self.crossbars)

    @property
    def unknowns(self) -> int:
        """Voltages that are solved for."""
        return sum(crossbar.unknowns for crossbar in self.crossbars)

    @property
    def amplifies_rounding(self) -> bool:
        """Whether its crossbars do."""
        return self.crossbars[0].amplifies_rounding

    @property
    def feedback_ohm(self) -> Array:
        """Of all amplifiers, crossbar after crossbar."""
        return np.concatenate([crossbar.feedback_ohm for crossbar in self.crossbars])

    @property
    def feedback_f(self) -> Array:
        """The same, of their capacitors."""
        return np.concatenate([crossbar.feedback_f for crossbar in self.crossbars])

    @property
    def column_swing_v(self) -> float:
        """Largest output of an amplifier expected, volts."""
        return self.crossbars[0].column_swing_v

    @property
    def has_slow_amplifiers(self) -> bool:
        """True when amplifiers have a bandwidth."""
        return self.crossbars[0].has_slow_amplifiers

    @property
    def takes_time(self) -> bool:
        """True when outputs follow inputs with a delay."""
        return self.crossbars[0].takes_time

    @cached_property
    def groups(self) -> tuple[TileGroup, ...]:
        """The crossbars that differ, with their positions: one group where one is reused, or where all are alike."""
        if self.is_reused:
            return (TileGroup(self.crossbars[0], np.arange(self.positions)),)
        alike: dict[bytes, list[int]] = {}
        for position, crossbar in enumerate(self.crossbars):
            alike.setdefault(_digest(crossbar), []).append(position)
        return tuple(TileGroup(self.crossbars[found[0]], np.array(found)) for found in alike.values())

    def rows_v(self, before_v: Array) -> Array:
        """(samples, positions, rows) at the drivers of the rows, for the stage before, (samples, outputs)."""
        grounded = np.concatenate([before_v, np.zeros((len(before_v), 1))], axis=1)
        return grounded[:, self.seen]

    def fits(self, width: int, devices: int) -> bool:
        """Whether it can stand behind so many outputs, with so many types of devices."""
        if self.seen.ndim != 2 or 0 in self.seen.shape or len(self.crossbars) not in (1, self.positions):
            return False
        if self.seen.min() < GROUND or self.seen.max() >= width or not 0 <= self.position_s < np.inf:
            return False
        first, rows = self.crossbars[0], self.seen.shape[1]
        return all(
            crossbar.fits(rows, devices)
            and (crossbar.width, crossbar.output_v_per_unit) == (first.width, first.output_v_per_unit)
            for crossbar in self.crossbars
        )

    def ideal_v(self, design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """The outputs (samples, width) for outputs before it where every column is at 0 V."""
        rows_v = self.rows_v(input_v)
        outputs_v = np.empty((len(input_v), self.positions, self.crossbars[0].width))
        for group in self.groups:
            seen_v = rows_v[:, group.positions].reshape(-1, rows_v.shape[2])
            found_v = group.crossbar.ideal_v(design, seen_v)
            outputs_v[:, group.positions] = found_v.reshape(len(input_v), len(group.positions), -1)
        return outputs_v.reshape(len(input_v), -1)

    def lasts_s(self, _design: Design) -> float | None:
        """Until the last position is read; None where it is not known."""
        return (self.positions if self.is_reused else 1) * self.position_s or None

    def largest_v(self, design: Design, before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(width,) what its outputs cannot exceed, either sign, whatever the rows do."""
        outputs_v = np.empty((self.positions, self.crossbars[0].width))
        for group in self.groups:
            outputs_v[group.positions] = group.crossbar.largest_v(design, before_v, NONE_EARLIER)
        return outputs_v.reshape(-1)


def drivers_of(crossbar: Crossbar) -> Limiter:
    """What stands before a tile: drivers that pass on to its rows what they see."""
    name, rows = f"{crossbar.name.partition('.')[0]}.input", crossbar.rows
    return Limiter(name, name, rows, "none", -math.inf, math.inf, 1.0, 1.0, np.zeros(rows))


def _digest(crossbar: Crossbar) -> bytes:
    """Of all that a crossbar is but for its name."""
    found = blake2b()
    for field in dataclasses.fields(crossbar):
        value = getattr(crossbar, field.name)
        if field.name != "name":
            plain = (value + 0.0).tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
            found.update(plain)  # + 0.0: what is nothing times a random number is zero, of either sign
    return found.digest()
