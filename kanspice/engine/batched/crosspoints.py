"""Currents at every crosspoint of a crossbar with wires, for a block of samples, and how they change with what is lost.

A device sees its row's voltage less what drivers, wires and the column's amplifier lose of it. As in `currents`, curves
are located once for the rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.arrays import Array, Indices, namespace
from kanspice.devices import Curve
from kanspice.engine.batched.array_devices import HOST, Processor, curve_values, host
from kanspice.engine.batched.row_expansions import Rows

if TYPE_CHECKING:
    from kanspice.engine.batched.crosspoint_currents import Tables


class Crosspoints(ABC):
    """Sums of area * phi(row - lost) over the device types of one specimen at every crosspoint.

    area: (rows, columns, devices), at least 0: what a device carries where its curve is 1.
    """

    processor: Processor = HOST

    @abstractmethod
    def at(self, lost_v: Array, samples: Indices) -> tuple[Array, Array]:
        """Currents and their derivatives by what is lost, (len(samples), rows, columns), on the processor.

        lost_v: (len(samples), rows, columns), volts, there too; samples: which of the rows' samples they are of.
        """

    def currents(self, lost_v: Array, samples: Indices) -> Array:
        """The first of them."""
        return self.at(lost_v, samples)[0]

    @abstractmethod
    def pulled_back(self, lost_v: Array, samples: Indices, weights: Array) -> tuple[Array, Array]:
        """How a sum of weights times the currents changes with every device's area and shift, (rows, columns, devices).

        weights: as lost_v, on the processor; what comes back is NumPy's, per unit of area and per volt. Devices of
        area 0 count as well. At a breakpoint of a curve a change counts as on one of its sides.
        """


class WholeCrosspoints(Crosspoints):
    """From the curves themselves, for every device by itself: slow, and an independent check."""

    def __init__(
        self, rows_v: Array, curves: Sequence[Curve], area: Array, shift_v: Array, processor: Processor = HOST
    ) -> None:
        """rows_v: (samples, rows) volts. shift_v: (rows, columns, devices)."""
        self.processor, self.rows_v = processor, processor.array(rows_v)
        self.area, self.shift_v = area, shift_v
        self.devices = []
        for device, curve in enumerate(curves):
            row, column = np.nonzero(area[:, :, device])
            tables = row, column, area[row, column, device], shift_v[row, column, device]
            self.devices.append((curve, *(processor.array(table) for table in tables)))

    def at(self, lost_v: Array, samples: Indices) -> tuple[Array, Array]:
        volts = self.rows_v[samples, :, None] - lost_v
        xp = namespace(volts)
        current, slope = xp.zeros_like(volts), xp.zeros_like(volts)
        for curve, row, column, area, shift_v in self.devices:
            value, derivative = curve_values(curve, volts[:, row, column] - shift_v)
            current[:, row, column] += area * value
            slope[:, row, column] -= area * derivative
        return current, slope

    def pulled_back(self, lost_v: Array, samples: Indices, weights: Array) -> tuple[Array, Array]:
        seen_v = self.rows_v[samples, :, None] - lost_v
        by_area, by_shift = np.zeros_like(self.area), np.zeros_like(self.area)
        for device, (curve, *_) in enumerate(self.devices):
            value, derivative = curve_values(curve, seen_v - self.processor.array(self.shift_v[:, :, device]))
            by_area[:, :, device] = host((value * weights).sum(axis=0))
            by_shift[:, :, device] = -self.area[:, :, device] * host((derivative * weights).sum(axis=0))
        return by_area, by_shift


class LocalCrosspoints(Crosspoints):
    """From the polynomials around the rows' voltages; devices beyond a breakpoint are located on their curves."""

    def __init__(self, rows: Rows, area: Array, shift_v: Array | None = None) -> None:
        """shift_v: (rows, columns, devices); none if None."""
        known, unknown = rows.known, rows.unknown
        self.places = known, unknown
        shift_v = np.zeros_like(area) if shift_v is None else shift_v
        self.tables = _tables(rows, area[:, :, known], shift_v[:, :, known])
        others = [rows.curves[place] for place in unknown]
        self.whole = WholeCrosspoints(rows.rows_v, others, area[:, :, unknown], shift_v[:, :, unknown])

    def at(self, lost_v: Array, samples: Indices) -> tuple[Array, Array]:
        return self._at(lost_v, samples, np.zeros_like(lost_v))

    def currents(self, lost_v: Array, samples: Indices) -> Array:
        return self._at(lost_v, samples, np.empty((0, 0, 0)))[0]

    def _at(self, lost_v: Array, samples: Indices, slope: Array) -> tuple[Array, Array]:
        from kanspice.engine.batched.crosspoint_currents import add_currents  # noqa: PLC0415 - see `compiled`

        current = np.zeros_like(lost_v)
        add_currents(np.ascontiguousarray(lost_v), samples, self.tables, current, slope)
        if self.whole.devices:
            others = self.whole.at(lost_v, samples)
            current += others[0]
            slope += others[1] if slope.size else 0
        return current, slope

    def pulled_back(self, lost_v: Array, samples: Indices, weights: Array) -> tuple[Array, Array]:
        from kanspice.engine.batched.crosspoint_currents import pull_back  # noqa: PLC0415 - see `compiled`

        parts = np.zeros((2, *self.tables.area.shape))
        pull_back(
            np.ascontiguousarray(lost_v), samples, self.tables, np.ascontiguousarray(weights), (parts[0], parts[1])
        )
        shape = *lost_v.shape[1:], sum(map(len, self.places))
        pulled = np.empty(shape), np.empty(shape)
        for whole, part, others in zip(pulled, parts, self.whole.pulled_back(lost_v, samples, weights), strict=True):
            whole[:, :, self.places[0]] = part.transpose(1, 2, 0)
            whole[:, :, self.places[1]] = others
        return pulled


def _tables(rows: Rows, area: Array, shift_v: Array) -> Tables:
    """area, shift_v: (rows, columns, known types)."""
    from kanspice.engine.batched.crosspoint_currents import Tables  # noqa: PLC0415

    return Tables(
        curves=rows.tables,
        rows_v=rows.rows_v,
        above=rows.above,
        below=rows.below,
        rooms=rows.rooms,
        area=np.array(area.transpose(2, 0, 1), order="C"),
        shift_v=np.array(shift_v.transpose(2, 0, 1), order="C") if shift_v.any() else np.empty((0, 0, 0)),
    )
