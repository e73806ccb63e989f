"""Currents into all columns of a crossbar, for a block of samples at once, and how they change with the columns.

Rows are located on the curves once per block; an array of areas, one specimen of the crossbar, turns that into one
polynomial per column by a matrix product. Nothing is approximated: see `pieces`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from kanspice.devices import Curve, PiecewisePolynomial
from kanspice.solver.pieces import Crossings, Indices, Pieces

Array = npt.NDArray[np.float64]

_BLOCK_NUMBERS = 2**20


@dataclass(frozen=True)
class Rows:
    """Voltages of a crossbar's rows, and the curves seen from there.

    rows_v: (samples, rows) volts. curves: of the device types, in volts.
    """

    rows_v: Array
    curves: tuple[Curve, ...]
    pieces: tuple[Pieces | None, ...]
    """Of each device type; None where the curve is no piecewise polynomial."""
    above: tuple[Array, ...]
    below: tuple[Array, ...]
    """Per device type with pieces, (samples, rows, degree + 1): the curve in powers of the column voltage."""
    rooms: tuple[Array, ...]
    """Per device type with pieces, (2, samples, rows): how far the next breakpoints are, volts."""

    @classmethod
    def at(cls, rows_v: Array, curves: Sequence[Curve]) -> Rows:
        pieces = tuple(Pieces.of(curve) if isinstance(curve, PiecewisePolynomial) else None for curve in curves)
        known = [part for part in pieces if part is not None]
        above = tuple(part.around(rows_v, "left") for part in known)
        below = tuple(part.around(rows_v, "right") for part in known)
        rooms = tuple(part.rooms(rows_v) for part in known)
        return cls(rows_v, tuple(curves), pieces, above, below, rooms)


class Currents(ABC):
    """Sums of area * phi(row - column) over the rows and device types of one specimen, in current units."""

    @abstractmethod
    def at(self, columns_v: Array, samples: Indices) -> tuple[Array, Array]:
        """Currents and their derivatives by the column voltage, (len(samples), columns).

        columns_v: (len(samples), columns), volts; samples: which of the rows' samples they are of.
        """

    @abstractmethod
    def from_rows(self, columns_v: Array) -> Array:
        """The same currents summed over the columns, (samples, rows), for all samples: columns_v (samples, columns)."""


class LocalCurrents(Currents):
    """From the rows' polynomials, with corrections for devices that are beyond a breakpoint."""

    def __init__(self, rows: Rows, area: Array) -> None:
        """area: (rows, columns, devices), at least 0."""
        self.rows, self.area = rows, _by_device(area)
        self.above = _summed(rows.above, self._known_areas)
        self.below = _summed(rows.below, self._known_areas)

    @property
    def _known_areas(self) -> list[Array]:
        return [area for area, pieces in zip(self.area, self.rows.pieces, strict=True) if pieces is not None]

    def at(self, columns_v: Array, samples: Indices) -> tuple[Array, Array]:
        current, slope = np.zeros_like(columns_v), np.zeros_like(columns_v)
        if self.above.size:
            current, slope = _polynomials(
                np.where(columns_v[:, None, :] > 0, self.above[samples], self.below[samples]), columns_v
            )
        rows_v = self.rows.rows_v[samples]
        lowest_v, highest_v = columns_v.min(axis=1, keepdims=True), columns_v.max(axis=1, keepdims=True)
        rooms = iter(self.rows.rooms)
        for curve, pieces, area in zip(self.rows.curves, self.rows.pieces, self.area, strict=True):
            if pieces is None:
                part = _whole(curve, rows_v, area, columns_v)
            else:
                crossings = pieces.crossings(rows_v, lowest_v, highest_v, next(rooms)[:, samples])
                part = _beyond_breakpoints(crossings, area, columns_v)
            current, slope = current + part[0], slope + part[1]
        return current, slope

    def from_rows(self, columns_v: Array) -> Array:
        rows_v, total = self.rows.rows_v, np.zeros_like(self.rows.rows_v)
        lowest_v, highest_v = columns_v.min(axis=1, keepdims=True), columns_v.max(axis=1, keepdims=True)
        tables = iter(zip(self.rows.above, self.rows.below, strict=True))
        for curve, pieces, area in zip(self.rows.curves, self.rows.pieces, self.area, strict=True):
            if pieces is None:
                total += _whole_rows(curve, rows_v, area, columns_v)
                continue
            total += _rows_of_polynomials(*next(tables), area, columns_v)
            crossings = pieces.crossings(rows_v, lowest_v, highest_v)
            seen_v = partial(_columns_of, columns_v)
            for crossing, column, value, _ in beyond(crossings, columns_v.shape[1], seen_v):
                sample, row = crossings.sample[crossing], crossings.row[crossing]
                np.add.at(total, (sample, row), area[row, column] * value)
        return total


class WholeCurves(Currents):
    """From the curves themselves, for every device by itself: slow, and an independent check."""

    def __init__(self, rows_v: Array, curves: Sequence[Curve], area: Array, shift_v: Array) -> None:
        """rows_v: (samples, rows) volts. area, at least 0, and shift_v: (rows, columns, devices)."""
        self.rows_v, self.curves, self.area, self.shift_v = rows_v, curves, _by_device(area), _by_device(shift_v)

    def at(self, columns_v: Array, samples: Indices) -> tuple[Array, Array]:
        devices = zip(self.curves, self.area, self.shift_v, strict=True)
        parts = [_whole(curve, self.rows_v[samples], area, columns_v, shift_v) for curve, area, shift_v in devices]
        currents, slopes = zip(*parts, strict=True)
        return np.sum(currents, axis=0), np.sum(slopes, axis=0)

    def from_rows(self, columns_v: Array) -> Array:
        devices = zip(self.curves, self.area, self.shift_v, strict=True)
        parts = [_whole_rows(curve, self.rows_v, area, columns_v, shift_v) for curve, area, shift_v in devices]
        return np.asarray(np.sum(parts, axis=0))


class AtRows(Currents):
    """The same for devices that see their rows alone: columns at 0 V, or taken for it."""

    def __init__(self, rows_v: Array, curves: Sequence[Curve], area: Array) -> None:
        bases = [curve.numpy(rows_v)[0] for curve in curves]
        basis = np.concatenate(bases, axis=1)
        self.row_current = sum(part * area[:, :, device].sum(axis=1) for device, part in enumerate(bases))
        self.current = basis @ area.transpose(2, 0, 1).reshape(basis.shape[1], -1)

    def at(self, columns_v: Array, samples: Indices) -> tuple[Array, Array]:
        return self.current[samples], np.zeros_like(columns_v)

    def from_rows(self, columns_v: Array) -> Array:
        return np.asarray(self.row_current)


def _columns_of(columns_v: Array, crossings: Crossings) -> Array:
    return columns_v[crossings.sample]


def _rows_of_polynomials(above: Array, below: Array, area: Array, columns_v: Array) -> Array:
    """Sums over the columns of area (rows, columns) times polynomials of rows, (samples, rows, degree + 1), there."""
    total = np.zeros(above.shape[:2])
    for table, on_side in ((above, columns_v > 0), (below, columns_v <= 0)):
        powers = on_side.astype(np.float64)
        for power in range(table.shape[2]):
            total += table[:, :, power] * (powers @ area.T)
            powers = powers * columns_v
    return total


def _whole_rows(curve: Curve, rows_v: Array, area: Array, columns_v: Array, shift_v: Array | float = 0.0) -> Array:
    """(samples, rows) of a curve evaluated for every device. shift_v: (rows, columns), volts."""
    total = np.empty_like(rows_v)
    size = max(1, _BLOCK_NUMBERS // area.size)
    for first in range(0, len(rows_v), size):
        part = slice(first, first + size)
        seen_v = rows_v[part, :, None] - columns_v[part, None, :] - shift_v
        total[part] = np.einsum("sij,ij->si", curve.numpy(seen_v)[0], area)
    return total


def _by_device(area: Array) -> list[Array]:
    return [np.ascontiguousarray(area[:, :, device]) for device in range(area.shape[2])]


def _summed(tables: Sequence[Array], areas: Sequence[Array]) -> Array:
    """Polynomials of whole columns, (samples, degree + 1, columns), from those of rows, (samples, rows, degree + 1)."""
    if not tables:
        return np.empty(0)
    degree = max(table.shape[2] for table in tables)
    samples = len(tables[0])
    padded = [np.pad(table, ((0, 0), (0, 0), (0, degree - table.shape[2]))) for table in tables]
    stacked = np.concatenate(padded, axis=1).transpose(0, 2, 1).reshape(samples * degree, -1)
    summed: Array = stacked @ np.concatenate(areas)
    return summed.reshape(samples, degree, -1)


def _polynomials(coefficients: Array, x: Array) -> tuple[Array, Array]:
    """Values and slopes, (samples, columns), of polynomials with coefficients (samples, degree + 1, columns)."""
    value, slope = np.zeros_like(x), np.zeros_like(x)
    for power in range(coefficients.shape[1] - 1, -1, -1):
        slope = slope * x + value
        value = value * x + coefficients[:, power]
    return value, slope


def _beyond_breakpoints(crossings: Crossings, area: Array, columns_v: Array) -> tuple[Array, Array]:
    """What the devices beyond a breakpoint carry more than the piece that their row is on."""
    current, slope = np.zeros(columns_v.size), np.zeros(columns_v.size)
    columns = columns_v.shape[1]
    for crossing, column, value, derivative in beyond(crossings, columns, lambda part: columns_v[part.sample]):
        areas = area[crossings.row[crossing], column]
        place = crossings.sample[crossing] * columns + column
        current += np.bincount(place, areas * value, columns_v.size)
        slope += np.bincount(place, areas * derivative, columns_v.size)
    return current.reshape(columns_v.shape), slope.reshape(columns_v.shape)


def beyond(
    crossings: Crossings, columns: int, lost_v: Callable[[Crossings], Array]
) -> Iterator[tuple[Indices, Indices, Array, Array]]:
    """Which crossings happen at which columns, and what they add to a unit device's current and its derivative by lost.

    lost_v: what devices lose of their rows' voltages, (crossings, columns), at a part of the crossings.
    """
    size = max(1, _BLOCK_NUMBERS // columns)
    for first in range(0, len(crossings.sample), size):
        part = crossings[first : first + size]
        distance = part.side[:, None] * (part.at_v[:, None] - lost_v(part))
        crossing, column = np.nonzero(distance > 0)
        past = distance[crossing, column]
        value, derivative = np.zeros_like(past), np.zeros_like(past)
        for power in range(part.steps.shape[1] - 1, -1, -1):
            derivative = derivative * past + value
            value = value * past + part.steps[crossing, power]
        derivative = derivative * past + value
        yield first + crossing, column, value * past, -derivative * part.side[crossing]


def _whole(
    curve: Curve, rows_v: Array, area: Array, columns_v: Array, shift_v: Array | None = None
) -> tuple[Array, Array]:
    """The curve evaluated for every device that exists, column by column. shift_v: (rows, columns), volts."""
    current, slope = np.zeros_like(columns_v), np.zeros_like(columns_v)
    column, row = np.nonzero(area.T)
    if column.size == 0:
        return current, slope
    own, starts = np.unique(column, return_index=True)
    areas, shifts_v = area[row, column], 0.0 if shift_v is None else shift_v[row, column]
    size = max(1, _BLOCK_NUMBERS // column.size)
    for first in range(0, len(rows_v), size):
        part = slice(first, first + size)
        values, slopes = curve.numpy(rows_v[part, row] - columns_v[part, column] - shifts_v)
        current[part, own] = np.add.reduceat(areas * values, starts, axis=1)
        slope[part, own] = -np.add.reduceat(areas * slopes, starts, axis=1)
    return current, slope
