"""What the devices of a crossbar do to the currents into its columns, and how their random numbers move these.

Where rows differ from specimen to specimen, a slope is that between a standard deviation of them to either side, and
what the curve bends between these is a current that there is on average.
At a corner of a curve two one-sided slopes stand beside each other: the root of their mean square, weighed by how often
a specimen is on either side, is what error has on average. Inputs at exactly 0 V are at one where curves are clamped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array, Flags, Indices
from kanspice.circuit import Crossbar, Design

LEAST_V = 1e-6
"""Of a unit: the step of one-sided slopes."""
_KEPT = 50_000_000
"""So many numbers are kept, and not computed twice."""
_NEAR_V = 0.02
"""Columns within so many units of 0: devices' curves are followed from there by their slopes."""


@dataclass(frozen=True)
class Arriving:
    """Voltages of the specimen that numbers are counted from, and by how much others differ, (samples, width) volts."""

    volts: Array
    sigma_v: Array

    @cached_property
    def differ(self) -> bool:
        """Whether specimens differ at all."""
        return bool(self.sigma_v.any())

    def step_v(self, least_v: float) -> Array:
        """Over which slopes are taken."""
        return np.maximum(self.sigma_v, least_v)

    def varies(self, least_v: float) -> Flags:
        """Where specimens differ."""
        return np.asarray(self.sigma_v > least_v)


class Slopes(Protocol):
    """By how much a stage's fields change with the numbers of one part, of this name."""

    @property
    def name(self) -> str: ...

    @property
    def field(self) -> Mapping[str, Array]: ...


def two_sided(below: Array, above: Array) -> Array:
    """Of changes by a step down and a step up: with the sign of both together, the root of their mean square."""
    return np.sign(above - below) * np.sqrt((below**2 + above**2) / 2)


def bent(function: Callable[[Array], Array], step: Array) -> Array:
    """By how much the mean of a function of normal numbers is more than where they are 0; step: standard deviations.

    function: of offsets. The mean of what two points (one deviation off) and three (root three) say, which are both
    right for parabolas; of corners one finds a quarter too much, the other as much too little.
    """
    here, far = function(np.zeros_like(step)), np.sqrt(3.0) * step
    two = (function(-step) + function(step)) / 2 - here
    three = (function(-far) + function(far) - 2 * here) / 6
    return (two + three) / 2


class Devices:
    """What the devices of a crossbar do to the currents into its columns.

    by_row: (samples, rows, 2 * pairs), siemens. bent_a: (samples, 2 * pairs) amps, what currents are larger by on
    average than those of the rows' own voltages. kernels: (2 * pairs, samples, samples), squared amps.
    """

    def __init__(
        self, design: Design, crossbar: Crossbar, rows: Arriving, columns_v: Array, slopes: Sequence[Slopes]
    ) -> None:
        self._crossbar, self._columns_v = crossbar, columns_v
        self._slopes = [each for each in slopes if "area" in each.field or "shift_v" in each.field]
        self._curves = _Curves.of(design, crossbar, rows, columns_v, slopes)
        samples, columns = columns_v.shape
        self.by_row = np.zeros((samples, crossbar.rows, columns))
        self.bent_a = np.zeros((samples, columns))
        self.kernels = np.zeros((columns, samples, samples), np.float32)
        self._kept: list[_MovedCurrents] = []
        keeps = samples * crossbar.device_count * len(self._slopes) <= _KEPT
        for column in range(columns):
            for place, values, by_volt, bent_a in self._of_column(column):
                area = np.abs(crossbar.area[place])
                self.by_row[:, place[0], column] += area * by_volt
                self.bent_a[:, column] += bent_a @ area
                for each in self._slopes:
                    moved = _moved(crossbar, each, place, values, by_volt).astype(np.float32)
                    self.kernels[column] += moved @ moved.T
                    if keeps:
                        self._kept.append((each.name, column, place, moved))

    @property
    def are_random(self) -> bool:
        """Whether any number is behind a device."""
        return bool(self._slopes)

    def squares(self, weights: Array) -> dict[str, Array]:
        """By the name of a random array, (rows, pairs, types): sums over samples of squares of what its numbers move.

        weights: (samples, 2 * pairs) of the squares, per squared amp.
        """
        found = {each.name: np.zeros_like(self._crossbar.area) for each in self._slopes}
        by_column = np.ascontiguousarray(weights.T)
        for name, column, place, moved in self._kept or self._once_more():
            found[name][place] += by_column[column] @ moved**2
        return found

    def _once_more(self) -> Iterator[_MovedCurrents]:
        for column in range(self._columns_v.shape[1]):
            for place, values, by_volt, _ in self._of_column(column):
                for each in self._slopes:
                    yield each.name, column, place, _moved(self._crossbar, each, place, values, by_volt)

    def _of_column(self, column: int) -> Iterator[tuple[_Place, Array, Array, Array]]:
        """Where its devices of each type are in `area`; what each of area 1 carries, slopes, and what curves bend."""
        area, sign = self._crossbar.area, 1 - 2 * (column % 2)
        for kind in range(area.shape[2]):
            there = np.flatnonzero(np.sign(area[:, column // 2, kind]) == sign)
            place = there, column // 2, kind
            yield place, *self._curves.at(place, self._columns_v[:, column])


_Place = tuple[Indices, int, int]
_MovedCurrents = tuple[str, int, _Place, npt.NDArray[np.floating]]
"""An array of numbers, a column, its devices of one type, and by how much these numbers move their currents."""


def _largest(slopes: Slopes, field: str, *kind: int) -> float:
    """What a field changes by with a number of a part, at most: all of its elements are much the same."""
    change = slopes.field.get(field)
    if change is None:
        return 0.0
    return float(np.abs(change[..., list(kind)] if kind else change).max(initial=0.0))


def _moved(crossbar: Crossbar, slopes: Slopes, place: _Place, values: Array, by_volt: Array) -> Array:
    """(samples, devices) amps by which the number behind each device moves its current."""
    area, moved = crossbar.area[place], np.zeros_like(values)
    if "area" in slopes.field:
        moved += values * (np.sign(area) * slopes.field["area"][place])
    if "shift_v" in slopes.field:
        moved -= by_volt * (np.abs(area) * slopes.field["shift_v"][place])
    return moved


@dataclass(frozen=True)
class _Curves:
    """What devices of area 1 carry, and its slopes.

    seen: of each type, its rows, which differ by more where its shifts do, or columns. at_rows: where all columns are
    near 0 V, of each type with its column at 0 V, (samples, rows): amps, slopes below and above, siemens, and amps more
    on average.
    """

    design: Design
    crossbar: Crossbar
    seen: tuple[Arriving, ...]
    at_rows: tuple[tuple[Array, Array, Array, Array], ...]

    @classmethod
    def of(
        cls, design: Design, crossbar: Crossbar, rows: Arriving, columns_v: Array, slopes: Sequence[Slopes]
    ) -> _Curves:
        kinds = range(crossbar.area.shape[2])
        columns_sigma_v = max((_largest(each, "offset_v") for each in slopes), default=0.0)
        seen = []
        for kind in kinds:
            shift_v = max((_largest(each, "shift_v", kind) for each in slopes), default=0.0)
            own_v = np.hypot(columns_sigma_v, shift_v)
            seen.append(Arriving(rows.volts, np.hypot(rows.sigma_v, own_v)))
        near = np.abs(columns_v).max() <= _NEAR_V * design.input_v_per_unit and not crossbar.shift_v.any()
        near = near and not any("shift_v" in each.field for each in slopes)
        made = cls(design, crossbar, tuple(seen), ())
        if not near:
            return made
        least_v = made.least_v
        sides = (made._sides(k, rows.volts, seen[k].step_v(least_v), seen[k].varies(least_v)) for k in kinds)
        return replace(made, at_rows=tuple(sides))

    @property
    def least_v(self) -> float:
        return LEAST_V * self.design.input_v_per_unit

    def at(self, place: _Place, column_v: Array) -> tuple[Array, Array, Array]:
        """(samples, devices) of those at a place, whose column is at column_v (samples,): amps, siemens, and amps more

        that there are on average.
        """
        rows, _, kind = place
        seen = self.seen[kind]
        varies = seen.varies(self.least_v)[:, rows]
        if self.at_rows:
            values, below, above, bent_a = (each[:, rows] for each in self.at_rows[kind])
            slope = np.where(varies, (below + above) / 2, np.where(column_v[:, None] > 0, below, above))
            return values - slope * column_v[:, None], slope, bent_a
        volts = seen.volts[:, rows] - column_v[:, None] - self.crossbar.shift_v[place]
        values, below, above, bent_a = self._sides(kind, volts, seen.step_v(self.least_v)[:, rows], varies)
        return values, np.where(varies, (below + above) / 2, two_sided(-below, above)), bent_a

    def _sides(self, kind: int, volts: Array, step_v: Array, varies: Flags) -> tuple[Array, Array, Array, Array]:
        unit_a, unit_v = self.crossbar.current_unit_a, self.design.input_v_per_unit
        curve = self.design.devices[kind].curve

        def current_a(off_v: Array) -> Array:
            return curve.numpy((volts + off_v) / unit_v)[0] * unit_a

        low, here, high = (current_a(off_v) for off_v in (-step_v, np.zeros_like(step_v), step_v))
        bent_a = np.where(varies, bent(current_a, step_v), 0.0) if varies.any() else np.zeros_like(here)
        return here, (here - low) / step_v, (high - here) / step_v, bent_a
