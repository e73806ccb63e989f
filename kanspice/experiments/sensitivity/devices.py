"""What the devices of a crossbar do to the currents into its columns, and how their random numbers move these.

Where rows differ from specimen to specimen, a slope is that between a standard deviation of them to either side, and
what the curve bends between these is a current that there is on average.
At a corner of a curve two one-sided slopes stand beside each other: the root of their mean square, weighed by how often
a specimen is on either side, is what error has on average. Inputs at exactly 0 V are at one where curves are clamped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

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
            yield place, *self._curves.at(place, column, self._columns_v[:, column])


_Place = tuple[Indices, int, int]
_MovedCurrents = tuple[str, int, _Place, npt.NDArray[np.floating]]
"""An array of numbers, a column, its devices of one type, and by how much these numbers move their currents."""


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

    sigma_v: (2 * pairs,) by how much columns differ from specimen to specimen. at_rows: where all columns are near 0 V,
    of each type with its column at 0 V, (samples, rows): amps, and slopes below and above, siemens.
    """

    design: Design
    crossbar: Crossbar
    rows: Arriving
    sigma_v: Array
    at_rows: tuple[tuple[Array, Array, Array], ...]

    @classmethod
    def of(
        cls, design: Design, crossbar: Crossbar, rows: Arriving, columns_v: Array, slopes: Sequence[Slopes]
    ) -> _Curves:
        sigma_v = np.zeros(2 * crossbar.width)
        for each in slopes:
            sigma_v = sigma_v + np.abs(each.field.get("offset_v", 0.0))
        near = np.abs(columns_v).max() <= _NEAR_V * design.input_v_per_unit and not crossbar.shift_v.any()
        near = near and not any("shift_v" in each.field for each in slopes)
        made = cls(design, crossbar, rows, sigma_v, ())
        if not near:
            return made
        step_v = rows.step_v(made.least_v)
        kinds = range(crossbar.area.shape[2])
        return replace(made, at_rows=tuple(made._sides(kind, rows.volts, step_v) for kind in kinds))

    @property
    def least_v(self) -> float:
        return LEAST_V * self.design.input_v_per_unit

    def at(self, place: _Place, column: int, column_v: Array) -> tuple[Array, Array, Array]:
        """(samples, devices) of those at a place, whose column is at column_v (samples,): amps, siemens, and amps more

        that there are on average.
        """
        rows = place[0]
        values, slope, below, above = self._one_sided(place, column, column_v)
        if not self.rows.differ:
            return values, slope, np.zeros_like(values)
        varies = self.rows.varies(self.least_v)[:, rows]
        bent_a = (above - below) * self.rows.step_v(self.least_v)[:, rows] / 2
        return values, np.where(varies, (below + above) / 2, slope), np.where(varies, bent_a, 0.0)

    def _one_sided(self, place: _Place, column: int, column_v: Array) -> tuple[Array, Array, Array, Array]:
        """The first two where rows do not differ, and slopes below and above."""
        rows, _, kind = place
        if not self.at_rows:
            shift_v = self.crossbar.shift_v[place]
            step_v = np.maximum(self.rows.step_v(self.least_v)[:, rows], self.sigma_v[column])
            values, below, above = self._sides(kind, self.rows.volts[:, rows] - column_v[:, None] - shift_v, step_v)
            return values, two_sided(-below, above), below, above
        values, below, above = (each[:, rows] for each in self.at_rows[kind])
        sigma_v = max(float(self.sigma_v[column]), 1e-9 * self.design.input_v_per_unit)
        higher = ndtr(column_v / sigma_v)[:, None]
        """How often a column is above 0 V: its devices are then on the lower side."""
        slope = np.sign(below + above) * np.sqrt(higher * below**2 + (1 - higher) * above**2)
        return values - np.where(column_v[:, None] > 0, below, above) * column_v[:, None], slope, below, above

    def _sides(self, kind: int, volts: Array, step_v: Array) -> tuple[Array, Array, Array]:
        unit_a, unit_v = self.crossbar.current_unit_a, self.design.input_v_per_unit
        curve = self.design.devices[kind].curve
        low, here, high = (curve.numpy((volts + off) / unit_v)[0] * unit_a for off in (-step_v, 0.0, step_v))
        return here, (here - low) / step_v, (high - here) / step_v
