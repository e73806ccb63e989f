"""Currents at every crosspoint of a crossbar with wires, for a block of samples, and how they change with what is lost.

A device sees its row's voltage less what drivers, wires and the column's amplifier lose of it. As in `currents`, curves
are located once for the rows; the devices of a crosspoint together are then one polynomial in what is lost there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from kanspice.base.arrays import Array, Flags, Indices, namespace
from kanspice.devices import Curve
from kanspice.engine.batched.array_devices import HOST, Processor, curve_values
from kanspice.engine.batched.local_polynomials import Crossings
from kanspice.engine.batched.row_expansions import Rows

_AT_A_TIME = 2**17
"""Crossings times columns that are looked at together."""
_MANY = 0.05
"""Of the crosspoints: so many are faster changed with all the others than one by one."""


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


class WholeCrosspoints(Crosspoints):
    """From the curves themselves, for every device by itself: slow, and an independent check."""

    def __init__(
        self, rows_v: Array, curves: Sequence[Curve], area: Array, shift_v: Array, processor: Processor = HOST
    ) -> None:
        """rows_v: (samples, rows) volts. shift_v: (rows, columns, devices)."""
        self.processor, self.rows_v = processor, processor.array(rows_v)
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


class LocalCrosspoints(Crosspoints):
    """From the rows' polynomials, with corrections for devices that are beyond a breakpoint."""

    def __init__(self, rows: Rows, area: Array) -> None:
        self.rows, self.area = rows, area
        self.others = [curve for curve, pieces in zip(rows.curves, rows.pieces, strict=True) if pieces is None]
        known = [place for place, pieces in enumerate(rows.pieces) if pieces is not None]
        self.above, self.below = (self._together(tables, known) for tables in (rows.above, rows.below))
        self.sided, self.is_above = self.below.copy(), np.zeros(self.below.shape[1:], dtype=bool)
        unknown = [place for place, pieces in enumerate(rows.pieces) if pieces is None]
        left = area[:, :, unknown]
        self.whole = WholeCrosspoints(rows.rows_v, self.others, left, np.zeros_like(left))

    def _together(self, tables: Sequence[Array], known: Sequence[int]) -> Array:
        """Polynomials of crosspoints, (degree + 1, samples, rows, columns), from those of rows."""
        samples, (rows, columns, _) = len(self.rows.rows_v), self.area.shape
        powers = max((table.shape[2] for table in tables), default=0)
        together = np.zeros((powers, samples, rows, columns))
        for place, table in zip(known, tables, strict=True):
            for power in range(table.shape[2]):
                together[power] += table[:, :, power, None] * self.area[:, :, place]
        return together

    def at(self, lost_v: Array, samples: Indices) -> tuple[Array, Array]:
        current, slope = self._polynomials(lost_v, samples)
        lowest_v, highest_v = lost_v.min(axis=2), lost_v.max(axis=2)
        columns, rooms = lost_v.shape[2], iter(self.rows.rooms)
        for place, pieces in enumerate(self.rows.pieces):
            if pieces is None:
                continue
            crossings = pieces.crossings(self.rows.rows_v[samples], lowest_v, highest_v, next(rooms)[:, samples])
            area = self.area[:, :, place]
            for crossing, column, value, derivative in _beyond(crossings, columns, lambda p: lost_v[p.sample, p.row]):
                sample, row = crossings.sample[crossing], crossings.row[crossing]
                areas = area[row, column]
                np.add.at(current, (sample, row, column), areas * value)
                np.add.at(slope, (sample, row, column), areas * derivative)
        if self.others:
            parts = self.whole.at(lost_v, samples)
            current, slope = current + parts[0], slope + parts[1]
        return current, slope

    def _polynomials(self, lost_v: Array, samples: Indices) -> tuple[Array, Array]:
        current, slope = np.zeros_like(lost_v), np.zeros_like(lost_v)
        for coefficient in self._sided(lost_v > 0, samples)[::-1]:
            slope *= lost_v
            slope += current
            current *= lost_v
            current += coefficient
        return current, slope

    def _sided(self, is_above: Flags, samples: Indices) -> Array:
        """The polynomials of the sides that crosspoints are on: most are where they were when last asked."""
        everyone = samples.size == len(self.is_above)
        changed = is_above != (self.is_above if everyone else self.is_above[samples])
        count = np.count_nonzero(changed)
        if count > _MANY * changed.size:
            self.is_above[samples] = is_above
            self.sided[:, samples] = np.where(is_above, self.above[:, samples], self.below[:, samples])
        elif count:
            sample, row, column = np.nonzero(changed)
            place = samples[sample], row, column
            self.is_above[place] = now = is_above[sample, row, column]
            self.sided[:, *place] = np.where(now, self.above[:, *place], self.below[:, *place])
        return self.sided if everyone else self.sided[:, samples]


def _beyond(
    crossings: Crossings, columns: int, lost_v: Callable[[Crossings], Array]
) -> Iterator[tuple[Indices, Indices, Array, Array]]:
    """Which crossings happen at which columns, and what they add to a unit device's current and its derivative by lost.

    lost_v: what devices lose of their rows' voltages, (crossings, columns), at a part of the crossings.
    """
    size = max(1, _AT_A_TIME // columns)
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
