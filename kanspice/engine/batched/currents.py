"""Currents into all columns of a crossbar, for a block of samples at once, and how they change with the columns.

Rows are located on the curves once per block; an array of areas, one specimen of the crossbar, turns that into one
polynomial per column by a matrix product. Nothing is approximated: see `local_polynomials`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Indices, namespace
from kanspice.devices import Curve, PiecewisePolynomial
from kanspice.engine.batched.array_devices import HOST, Processor, curve_values, host
from kanspice.engine.batched.breakpoint_currents import BreakpointCurrents
from kanspice.engine.batched.crosspoints import WholeCrosspoints
from kanspice.engine.batched.products import times
from kanspice.engine.batched.row_expansions import Rows

AT_A_TIME = 2**17
"""Devices whose curves are evaluated together: 1 MB, and a few times as much for what is made of them."""


class Currents(ABC):
    """Sums of area * phi(row - column) over the rows and device types of one specimen, in current units."""

    processor: Processor = HOST

    @abstractmethod
    def at(self, columns_v: Array, samples: Indices) -> tuple[Array, Array]:
        """Currents and their derivatives by the column voltage, (len(samples), columns), on the processor.

        columns_v: (len(samples), columns), volts, there too; samples: which of the rows' samples they are of.
        """

    @abstractmethod
    def from_rows(self, columns_v: Array) -> Array:
        """The same currents summed over the columns, (samples, rows), for all samples: columns_v (samples, columns)."""

    @abstractmethod
    def pulled_back(self, columns_v: Array, weights: Array) -> PulledBack:
        """How a weighted sum of the currents at columns_v changes: both NumPy's, (samples, columns), for all samples.

        At a breakpoint of a curve a change counts as it would on one of both sides.
        """


@dataclass(frozen=True)
class PulledBack:
    """What a weighted sum of all columns' currents changes by.

    rows_v: (samples, rows) per volt of each row. area: (rows, columns, devices) per unit of area of each device.
    shift_v: (rows, columns, devices) per volt of each device's shift; None where it was not looked for.
    """

    rows_v: Array
    area: Array
    shift_v: Array | None = None


class LocalCurrents(Currents):
    """From the rows' polynomials, with corrections for devices that are beyond a breakpoint."""

    def __init__(self, rows: Rows, area: Array) -> None:
        """area: (rows, columns, devices), at least 0."""
        self.rows, self.area = rows, _by_device(area)
        areas = np.concatenate([np.empty((0, area.shape[1])), *(self.area[place] for place in rows.known)])
        self.above, self.below = (self._summed(table, areas) for table in rows.stacked)
        self.corners = BreakpointCurrents(rows, areas)

    def _summed(self, table: Array, areas: Array) -> Array:
        """Polynomials of whole columns, (samples, powers, columns)."""
        return times(table, areas).reshape(len(self.rows.rows_v), self.rows.powers, areas.shape[1])

    def at(self, columns_v: Array, samples: Indices) -> tuple[Array, Array]:
        from kanspice.engine.batched.row_loops import evaluate  # noqa: PLC0415 - see `compiled`

        columns_v = np.array(columns_v, order="C")
        own = np.empty_like(columns_v), np.empty_like(columns_v)
        evaluate(columns_v, samples, (self.above, self.below), own)
        self.corners.add(columns_v, samples, own)
        for curve, area in self._others:
            more = _whole(curve, self.rows.rows_v[samples], area, columns_v)
            own = own[0] + more[0], own[1] + more[1]
        return own

    def from_rows(self, columns_v: Array) -> Array:
        total = np.zeros_like(self.rows.rows_v)
        for place, above, below in zip(self.rows.known, self.rows.above, self.rows.below, strict=True):
            total += _rows_of_polynomials(above, below, self.area[place], columns_v)
        total += self.corners.from_rows(columns_v)
        for curve, area in self._others:
            total += _whole_rows(curve, self.rows.rows_v, area, columns_v)
        return total

    def pulled_back(self, columns_v: Array, weights: Array) -> PulledBack:
        rows, columns = self.area[0].shape
        by_area, by_row = np.zeros((rows, columns, len(self.area))), np.zeros_like(self.rows.rows_v)
        if self.rows.known:
            place_area, place_row = self._pulled_back_by_polynomials(columns_v, weights)
            beyond_area, beyond_row = self.corners.pulled_back(columns_v, weights)
            by_row = place_row + beyond_row
            of_places = (place_area + beyond_area).reshape(-1, rows, columns)
            by_area[:, :, self.rows.known] = of_places.transpose(1, 2, 0)
        for place in self.rows.unknown:
            part = _whole_pulled_back(self.rows.curves[place], self.rows.rows_v, self.area[place], columns_v, weights)
            by_area[:, :, place] = part.area[:, :, 0]
            by_row = by_row + part.rows_v
        return PulledBack(by_row, by_area)

    def _pulled_back_by_polynomials(self, columns_v: Array, weights: Array) -> tuple[Array, Array]:
        """By areas (types with pieces * rows, columns), and by rows (samples, rows), of what no breakpoint changes.

        A polynomial in c = row - device changes with the row as it does, negative, with c.
        """
        samples, powers = len(columns_v), self.rows.powers
        weighted = np.empty((samples, powers, columns_v.shape[1]))
        weighted[:, 0] = weights
        for power in range(1, powers):
            weighted[:, power] = weighted[:, power - 1] * columns_v
        is_above = (columns_v > 0)[:, None, :]
        by_area, by_row = np.zeros_like(self.corners.areas), np.zeros_like(self.rows.rows_v)
        for table, own in zip(self.rows.stacked, (is_above, ~is_above), strict=True):
            here = np.where(own, weighted, 0.0)
            if not own.any():
                continue
            by_area += table.T @ here.reshape(samples * powers, -1)
            lower = here[:, : powers - 1].reshape(samples * (powers - 1), -1)
            through = (lower @ self.corners.areas.T).reshape(samples, powers - 1, -1)
            through *= -np.arange(1, powers)[None, :, None]
            through *= table.reshape(samples, powers, -1)[:, 1:]
            by_row += through.reshape(samples, powers - 1, -1, by_row.shape[1]).sum(axis=(1, 2))
        return by_area, by_row

    @property
    def _others(self) -> list[tuple[Curve, Array]]:
        """Curves without pieces, and the areas of their devices."""
        return [(self.rows.curves[place], self.area[place]) for place in self.rows.unknown]


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

    def pulled_back(self, columns_v: Array, weights: Array) -> PulledBack:
        devices = zip(self.curves, self.area, self.shift_v, strict=True)
        parts = [
            _whole_pulled_back(curve, self.rows_v, area, columns_v, weights, shift_v)
            for curve, area, shift_v in devices
        ]
        by_shift = [part.shift_v for part in parts if part.shift_v is not None]
        return PulledBack(
            np.asarray(np.sum([part.rows_v for part in parts], axis=0)),
            np.concatenate([part.area for part in parts], axis=2),
            np.concatenate(by_shift, axis=2),
        )


class EveryDevice(Currents):
    """The same as sums of the crosspoints' currents: for processors that have the room for all of them at once."""

    def __init__(
        self, rows_v: Array, curves: Sequence[Curve], area: Array, shift_v: Array, processor: Processor
    ) -> None:
        """As `WholeCrosspoints`."""
        self.processor, self.curves, self.area, self.shift_v = processor, curves, _by_device(area), _by_device(shift_v)
        self.crosspoints = WholeCrosspoints(rows_v, curves, area, shift_v, processor)

    def at(self, columns_v: Array, samples: Indices) -> tuple[Array, Array]:
        current, slope = self.crosspoints.at(columns_v[:, None, :], samples)
        return current.sum(axis=1), slope.sum(axis=1)

    def from_rows(self, columns_v: Array) -> Array:
        lost_v = self.processor.array(columns_v)[:, None, :]
        return host(self.crosspoints.at(lost_v, np.arange(len(columns_v)))[0].sum(axis=2))

    def pulled_back(self, columns_v: Array, weights: Array) -> PulledBack:
        array, rows_v = self.processor.array, self.crosspoints.rows_v
        lost_v, weight = array(columns_v)[:, None, :], array(weights)[:, None, :]
        by_row, by_area, by_shift = [], [], []
        for curve, area, shift_v in zip(self.curves, self.area, self.shift_v, strict=True):
            current, slope = curve_values(curve, rows_v[:, :, None] - lost_v - array(shift_v))
            carried = slope * weight * array(area)
            by_row.append(carried.sum(axis=2))
            by_area.append(host((current * weight).sum(axis=0)))
            by_shift.append(-host(carried.sum(axis=0)))
        return PulledBack(host(sum(by_row)), np.stack(by_area, axis=2), np.stack(by_shift, axis=2))


class AtRows(Currents):
    """The same for devices that see their rows alone: columns at 0 V, or taken for it."""

    def __init__(self, rows_v: Array, curves: Sequence[Curve], area: Array, processor: Processor = HOST) -> None:
        self.processor, self.curves, self.area = processor, curves, _by_device(area)
        rows_v, by_device = processor.array(rows_v), area.transpose(2, 0, 1)
        self.rows_v = rows_v
        bases = [curve_values(curve, rows_v)[0] for curve in curves]
        taken = processor.array(by_device.sum(axis=2))
        self.row_current = host(sum(part * taken[device] for device, part in enumerate(bases)))
        basis = namespace(rows_v).concat(bases, axis=1)
        self.current = times(basis, processor.array(by_device.reshape(basis.shape[1], -1)))

    def at(self, columns_v: Array, samples: Indices) -> tuple[Array, Array]:
        return self.current[samples], namespace(columns_v).zeros_like(columns_v)

    def from_rows(self, columns_v: Array) -> Array:
        return np.asarray(self.row_current)

    def pulled_back(self, columns_v: Array, weights: Array) -> PulledBack:
        by_row, by_area, weight = [], [], self.processor.array(weights)
        for curve, area in zip(self.curves, self.area, strict=True):
            current, slope = curve_values(curve, self.rows_v)
            by_area.append(host(current.T @ weight))
            by_row.append(slope * (weight @ self.processor.array(area).T))
        return PulledBack(host(sum(by_row)), np.stack(by_area, axis=2))


def _rows_of_polynomials(above: Array, below: Array, area: Array, columns_v: Array) -> Array:
    """Sums over the columns of area (rows, columns) times polynomials of rows, (samples, rows, degree + 1), there."""
    total = np.zeros(above.shape[:2])
    for table, on_side in ((above, columns_v > 0), (below, columns_v <= 0)):
        powers = on_side.astype(np.float64)
        for power in range(table.shape[2]):
            total += table[:, :, power] * times(powers, area.T)
            powers = powers * columns_v
    return total


def _whole_rows(curve: Curve, rows_v: Array, area: Array, columns_v: Array, shift_v: Array | float = 0.0) -> Array:
    """(samples, rows) of a curve evaluated for every device. shift_v: (rows, columns), volts."""
    total = np.empty_like(rows_v)
    size = max(1, AT_A_TIME // area.size)
    for first in range(0, len(rows_v), size):
        part = slice(first, first + size)
        seen_v = rows_v[part, :, None] - columns_v[part, None, :] - shift_v
        total[part] = np.einsum("sij,ij->si", curve.numpy(seen_v)[0], area)
    return total


def _whole_pulled_back(  # noqa: PLR0917 - as `_whole`
    curve: Curve, rows_v: Array, area: Array, columns_v: Array, weights: Array, shift_v: Array | float = 0.0
) -> PulledBack:
    """Of one type of devices, a curve evaluated for every one. area, shift_v: (rows, columns)."""
    by_row, by_area, by_shift = np.empty_like(rows_v), np.zeros_like(area), np.zeros_like(area)
    size = max(1, AT_A_TIME // area.size)
    for first in range(0, len(rows_v), size):
        part = slice(first, first + size)
        currents, slopes = curve.numpy(rows_v[part, :, None] - columns_v[part, None, :] - shift_v)
        slopes *= weights[part, None, :]
        by_row[part] = np.einsum("sij,ij->si", slopes, area)
        by_area += np.einsum("sij,sj->ij", currents, weights[part])
        by_shift -= slopes.sum(axis=0) * area
    return PulledBack(by_row, by_area[:, :, None], by_shift[:, :, None])


def _by_device(area: Array) -> list[Array]:
    return [np.ascontiguousarray(area[:, :, device]) for device in range(area.shape[2])]


def _whole(
    curve: Curve, rows_v: Array, area: Array, columns_v: Array, shift_v: Array | None = None
) -> tuple[Array, Array]:
    """The curve evaluated for every device that exists, column by column. shift_v: (rows, columns), volts."""
    current, slope = np.zeros_like(columns_v), np.zeros_like(columns_v)
    if isinstance(curve, PiecewisePolynomial):
        from kanspice.engine.batched.crosspoint_currents import add_to_columns  # noqa: PLC0415 - see `compiled`

        moved_v = np.empty((0, 0)) if shift_v is None or not shift_v.any() else shift_v
        seen_v = np.ascontiguousarray(rows_v), np.ascontiguousarray(columns_v), np.ascontiguousarray(moved_v)
        add_to_columns(seen_v, area, curve.breakpoints, curve.coefficients, (current, slope))
        return current, slope
    column, row = np.nonzero(area.T)
    if column.size == 0:
        return current, slope
    own, starts = np.unique(column, return_index=True)
    areas, shifts_v = area[row, column], 0.0 if shift_v is None else shift_v[row, column]
    size = max(1, AT_A_TIME // column.size)
    for first in range(0, len(rows_v), size):
        part = slice(first, first + size)
        values, slopes = curve.numpy(rows_v[part, row] - columns_v[part, column] - shifts_v)
        current[part, own] = np.add.reduceat(areas * values, starts, axis=1)
        slope[part, own] = -np.add.reduceat(areas * slopes, starts, axis=1)
    return current, slope
