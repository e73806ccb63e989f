"""Currents of piecewise polynomial devices, compiled: at every crosspoint, or into whole columns.

At every crosspoint, a row's devices of one type share the polynomials around its voltage, so that most of a row is one
loop; those that are beyond the next breakpoint are located on the curve one by one. Into columns, all of them are: an
independent check.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.base.compiled import compiled
from kanspice.engine.batched.local_polynomials import CurveTables
from kanspice.engine.batched.row_loops import not_above

_WIDE = 12
"""Columns from which on a row at once is faster. What it finds is the same to the last bit."""


class Tables(NamedTuple):
    """What devices of every type are.

    rows_v: (samples, rows). above, below: (types, samples, rows, powers) around the rows' voltages, in powers of what
    is lost. rooms: (types, 2, samples, rows) volts to the next breakpoints below and above. area: (types, rows,
    columns), amps; shift_v: likewise, volts, or empty where there are no shifts.
    """

    curves: CurveTables
    rows_v: Array
    above: Array
    below: Array
    rooms: Array
    area: Array
    shift_v: Array


_NONE: Array = np.empty((0, 0, 0))


def add_currents(lost_v: Array, places: Indices, tables: Tables, current: Array, slope: Array) -> None:
    """Adds to current and, unless it is empty, to slope by what is lost, (samples, rows, columns), A and S.

    lost_v: likewise, volts. places: (samples,) which of the tables' samples they are.
    """
    _visit(lost_v, places, tables, (current, slope), (_NONE, _NONE, _NONE))


def pull_back(lost_v: Array, places: Indices, tables: Tables, weights: Array, to: tuple[Array, Array]) -> None:
    """Adds how a sum of weights (samples, rows, columns) times the currents changes with every device.

    to: by areas and by shifts, (types, rows, columns) each, of all samples together; the rest as above.
    """
    _visit(lost_v, places, tables, (_NONE, _NONE), (weights, *to))


@compiled
def add_to_columns(
    seen_v: tuple[Array, Array, Array],
    area: Array,
    breakpoints: Array,
    coefficients: Array,
    to: tuple[Array, Array],
) -> None:
    """Adds what devices of one type carry into columns, and how that changes with these, row after row.

    seen_v: rows (samples, rows), columns (samples, columns) and shifts (rows, columns), volts, the last empty where
    there are none. area: (rows, columns). breakpoints (n + 1,), coefficients (n, powers): as `PiecewisePolynomial`.
    to: (samples, columns) each, current and slope.
    """
    if area.shape[1] < _WIDE:
        _device_by_device(seen_v, area, breakpoints, coefficients, to)
    else:
        _row_by_row(seen_v, area, breakpoints, coefficients, to)


@compiled
def _device_by_device(
    seen_v: tuple[Array, Array, Array],
    area: Array,
    breakpoints: Array,
    coefficients: Array,
    to: tuple[Array, Array],
) -> None:
    (rows_v, columns_v, shift_v), (current, slope) = seen_v, to
    lo_v, hi_v, inner = breakpoints[0], breakpoints[-1], breakpoints[1:-1]
    for sample in range(len(rows_v)):
        for row in range(len(area)):
            row_v, piece = rows_v[sample, row], 0
            for column in range(area.shape[1]):
                volts = row_v - columns_v[sample, column]
                if shift_v.size > 0:
                    volts -= shift_v[row, column]
                inside = min(max(volts, lo_v), hi_v)
                if not breakpoints[piece] <= inside < breakpoints[piece + 1]:  # as the column before, most often
                    piece = not_above(inner, inside)
                value, fall = _polynomial(inside - breakpoints[piece], coefficients[piece])
                current[sample, column] += area[row, column] * value
                if inside == volts:
                    slope[sample, column] += area[row, column] * fall


@compiled
def _row_by_row(
    seen_v: tuple[Array, Array, Array],
    area: Array,
    breakpoints: Array,
    coefficients: Array,
    to: tuple[Array, Array],
) -> None:
    """A row's devices at once where they are on one piece of the curve or on two that meet, as they are most often."""
    (rows_v, columns_v, shift_v), (current, slope) = seen_v, to
    columns, pieces = area.shape[1], _with_ends(breakpoints, coefficients)
    volts, value, fall = np.empty(columns), np.empty(columns), np.empty(columns)
    for sample in range(len(rows_v)):
        column_low_v, column_high_v = _range(columns_v[sample])
        for row in range(len(area)):
            row_v = rows_v[sample, row]
            lowest_v, highest_v = row_v - column_high_v, row_v - column_low_v
            if shift_v.size > 0:
                least_v, most_v = _range(shift_v[row])
                lowest_v, highest_v = lowest_v - most_v, highest_v - least_v
            first, last = not_above(pieces.from_v, lowest_v), not_above(pieces.from_v, highest_v)
            if -np.inf < lowest_v and highest_v < np.inf and last - first <= 1:
                for column in range(columns):
                    volts[column] = row_v - columns_v[sample, column]
                if shift_v.size > 0:
                    for column in range(columns):
                        volts[column] -= shift_v[row, column]
                _on_neighbours(volts, pieces, (first, last), value, fall)
                _add(area[row], value, current[sample])
                _add(area[row], fall, slope[sample])
            else:
                one, here = slice(row, row + 1), slice(sample, sample + 1)
                seen_here_v = rows_v[here, one], columns_v[here], shift_v[one]
                _device_by_device(seen_here_v, area[one], breakpoints, coefficients, (current[here], slope[here]))


class _PiecesWithEnds(NamedTuple):
    """A curve's pieces between those of its ends, which carry what its first and its last voltage do.

    from_v: (n + 1,) where each but the first begins. origins: (n + 2,); coefficients: (n + 2, powers).
    """

    from_v: Array
    origins: Array
    coefficients: Array


@compiled
def _with_ends(breakpoints: Array, coefficients: Array) -> _PiecesWithEnds:
    """The curve's last voltage itself is on its last piece."""
    count = len(coefficients)
    from_v, origins = np.empty(count + 1), np.empty(count + 2)
    tables = np.zeros((count + 2, coefficients.shape[1]))
    from_v[:count], from_v[count] = breakpoints[:count], np.nextafter(breakpoints[count], np.inf)
    origins[0], origins[1:] = breakpoints[0], breakpoints
    tables[1:-1] = coefficients
    tables[0, 0] = coefficients[0, 0]
    tables[-1, 0] = _polynomial(breakpoints[count] - breakpoints[count - 1], coefficients[count - 1])[0]
    return _PiecesWithEnds(from_v, origins, tables)


@compiled
def _on_neighbours(volts: Array, pieces: _PiecesWithEnds, which: tuple[int, int], value: Array, fall: Array) -> None:
    """Into value and fall, what a curve carries at voltages that are all on two pieces of it which meet, or on one."""
    first, last = which
    low_v, high_v = pieces.origins[first], pieces.origins[last]
    from_v = pieces.from_v[first] if last > first else np.inf
    lower, upper = pieces.coefficients[first], pieces.coefficients[last]
    for place in range(len(volts)):
        value[place], fall[place] = 0.0, 0.0
    for power in range(len(lower) - 1, -1, -1):
        below, above = lower[power], upper[power]
        for place in range(len(volts)):
            is_above = volts[place] >= from_v
            x = volts[place] - (high_v if is_above else low_v)
            fall[place] = fall[place] * x - value[place]
            value[place] = value[place] * x + (above if is_above else below)


@compiled
def _visit(  # noqa: PLR0912 - a function for each would take as long to call as to run
    lost_v: Array,
    places: Indices,
    tables: Tables,
    forward: tuple[Array, Array],
    backward: tuple[Array, Array, Array],
) -> None:
    """Every device once, for what is not empty of forward and backward.

    forward: current and slope. backward: weights, and what changes with areas and with shifts.
    """
    (breakpoints, origins, coefficients, _), rows_v, above, below, rooms, area, shift_v = tables
    (current, slope), (weights, by_area, by_shift) = forward, backward
    samples, rows, columns = lost_v.shape
    wants_current, wants_back, is_shifted = current.size > 0, weights.size > 0, shift_v.size > 0
    wants_slope = slope.size > 0 or wants_back
    x, value, rise = np.empty(columns), np.empty(columns), np.empty(columns)
    lowest_v, highest_v = 0.0, 0.0
    for sample in range(samples):
        place = places[sample]
        for row in range(rows):
            for kind in range(len(area)):
                if is_shifted or kind == 0:
                    for column in range(columns):
                        x[column] = lost_v[sample, row, column]
                    if is_shifted:
                        for column in range(columns):
                            x[column] += shift_v[kind, row, column]
                    lowest_v, highest_v = _range(x)
                _polynomials(x, (above[kind, place, row], below[kind, place, row]), value, rise, wants_slope)
                down_v, up_v = rooms[kind, 0, place, row], rooms[kind, 1, place, row]
                if highest_v > down_v or lowest_v < -up_v:
                    row_v = rows_v[place, row]
                    for column in range(columns):
                        if x[column] > down_v or x[column] < -up_v:
                            volts = row_v - x[column]
                            piece = not_above(breakpoints[kind], volts)
                            distance = volts - origins[kind, piece]
                            value[column], rise[column] = _polynomial(distance, coefficients[kind, piece])
                if wants_current:
                    _add(area[kind, row], value, current[sample, row])
                if slope.size > 0:
                    _add(area[kind, row], rise, slope[sample, row])
                if wants_back:
                    _add(weights[sample, row], value, by_area[kind, row])
                    for column in range(columns):
                        by_shift[kind, row, column] += (
                            area[kind, row, column] * rise[column] * weights[sample, row, column]
                        )


@compiled
def _add(area: Array, per_area: Array, to: Array) -> None:
    for place in range(len(to)):
        to[place] += area[place] * per_area[place]


@compiled
def _range(x: Array) -> tuple[float, float]:
    lowest, highest = x[0], x[0]
    for place in range(len(x)):
        lowest, highest = min(lowest, x[place]), max(highest, x[place])
    return lowest, highest


@compiled
def _polynomials(x: Array, sides: tuple[Array, Array], value: Array, rise: Array, wants_slope: bool) -> None:
    """Into value and, if it is wanted, rise: one side where x is above 0, one elsewhere; two powers at a time."""
    above, below = sides
    last = len(above) - 1
    c, d, e, f = above[last - 1], above[last], below[last - 1], below[last]
    for place in range(len(x)):
        value[place] = d * x[place] + c if x[place] > 0 else f * x[place] + e
    if wants_slope:
        for place in range(len(x)):
            rise[place] = d if x[place] > 0 else f
    for power in range(last - 3, -1, -2):
        c, d, e, f = above[power], above[power + 1], below[power], below[power + 1]
        if wants_slope:
            for place in range(len(x)):
                half = value[place] * x[place] + (d if x[place] > 0 else f)
                rise[place] = (rise[place] * x[place] + value[place]) * x[place] + half
        for place in range(len(x)):
            half = value[place] * x[place] + (d if x[place] > 0 else f)
            value[place] = half * x[place] + (c if x[place] > 0 else e)


@compiled
def _polynomial(x: float, coefficients: Array) -> tuple[float, float]:
    """A device's current, and how that changes with what is lost."""
    value, rise = 0.0, 0.0
    for power in range(len(coefficients) - 1, -1, -1):
        rise = rise * x + value
        value = value * x + coefficients[power]
    return value, -rise
