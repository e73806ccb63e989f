"""Loops of `row_expansions`, of `currents` and of `breakpoint_currents`, compiled.

Places are those of devices at their rows, (types * rows,), type by type.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.base.compiled import compiled
from kanspice.engine.batched.local_polynomials import CurveTables

_ROOM_SLACK = 1 + 1e-6
"""Where breakpoints are looked for: rounding must not hide any."""


class Crossings(NamedTuple):
    """Breakpoints between rows and their devices' voltages, sample after sample and within one always alike.

    starts: (samples + 1,) where each sample's begin. place, number: (crossings,) of the device at its row, and of the
    breakpoint. at_v: (crossings,) the column voltages at which devices are at their breakpoint. side: (crossings,) -1
    where those are above 0 V, 1 where they are below.
    """

    starts: Indices
    place: Indices
    number: Indices
    at_v: Array
    side: Array


@compiled
def expand(rows_v: Array, curves: CurveTables, sides: tuple[Array, Array], rooms: Array) -> None:
    """Into sides, `above` and `below`, and rooms, as `Rows` has them, for rows (samples, rows) in volts."""
    breakpoints, origins, coefficients, _ = curves
    above, below = sides
    for kind in range(len(breakpoints)):
        knots = breakpoints[kind]
        for sample in range(rows_v.shape[0]):
            for row in range(rows_v.shape[1]):
                row_v = rows_v[sample, row]
                first = end = _below(knots, row_v)
                while end < len(knots) and knots[end] == row_v:
                    end += 1
                rooms[kind, 0, sample, row] = row_v - knots[first - 1] if first > 0 else np.inf
                rooms[kind, 1, sample, row] = knots[end] - row_v if end < len(knots) else np.inf
                _shift(coefficients[kind, first], row_v - origins[kind, first], above[kind, sample, row])
                if end == first:
                    below[kind, sample, row] = above[kind, sample, row]
                else:
                    _shift(coefficients[kind, end], row_v - origins[kind, end], below[kind, sample, row])


@compiled
def find(ends_v: tuple[Array, Array], rows_v: Array, rooms: Array, breakpoints: Array, to: Crossings) -> None:
    """The breakpoints that columns between two voltages let devices cross: how many, and where there is room, which.

    ends_v: lowest and highest, (samples,). Into to, whose other arrays are empty where only `starts` is wanted.
    """
    lowest_v, highest_v = ends_v
    starts, place, number, at_v, side = to
    found, rows = 0, rows_v.shape[1]
    for sample in range(len(rows_v)):
        starts[sample] = found
        up_v, down_v = max(-lowest_v[sample], 0.0), max(highest_v[sample], 0.0)
        for kind in range(len(breakpoints)):
            knots = breakpoints[kind]
            for row in range(rows):
                row_v = rows_v[sample, row]
                for away in range(2):
                    reach_v = up_v if away == 0 else down_v
                    if rooms[kind, 1 - away, sample, row] < _ROOM_SLACK * reach_v:
                        low_v, high_v = (row_v, row_v + reach_v) if away == 0 else (row_v - reach_v, row_v)
                        for knot in range(_below(knots, high_v) - 1, not_above(knots, low_v) - 1, -1):
                            if place.size > 0:
                                place[found], number[found] = kind * rows + row, knot
                                at_v[found], side[found] = row_v - knots[knot], 1 - 2 * away
                            found += 1
    starts[len(rows_v)] = found


@compiled
def evaluate(columns_v: Array, samples: Indices, sides: tuple[Array, Array], to: tuple[Array, Array]) -> None:
    """Polynomials of whole columns, and their slopes, into to: columns_v, to (len(samples), columns).

    sides: (all samples, powers, columns), in powers of the column's voltage, where it is above 0 V, and elsewhere.
    """
    (above, below), (current, slope) = sides, to
    last = above.shape[1] - 1
    for place in range(len(samples)):
        sample = samples[place]
        for column in range(columns_v.shape[1]):
            x, value, change = columns_v[place, column], 0.0, 0.0
            if x > 0:
                for power in range(last, -1, -1):
                    change = change * x + value
                    value = value * x + above[sample, power, column]
            else:
                for power in range(last, -1, -1):
                    change = change * x + value
                    value = value * x + below[sample, power, column]
            current[place, column], slope[place, column] = value, change


@compiled
def add_beyond(  # noqa: PLR0917 - arrays, each of its own shape
    columns_v: Array, samples: Indices, crossings: Crossings, jumps: Array, areas: Array, to: tuple[Array, Array]
) -> None:
    """What devices carry beyond breakpoints, and how that changes with the column, summed into columns.

    columns_v, to: (len(samples), columns). jumps: (types, n, powers). areas: (places, columns).
    """
    current, slope = to
    rows = len(areas) // len(jumps)
    sums, slopes = np.empty(columns_v.shape[1]), np.empty(columns_v.shape[1])
    for sample in range(len(samples)):
        first, end = crossings.starts[samples[sample]], crossings.starts[samples[sample] + 1]
        if end == first:
            continue
        sums[:], slopes[:] = 0.0, 0.0
        for crossing in range(first, end):
            place, side, at_v = crossings.place[crossing], crossings.side[crossing], crossings.at_v[crossing]
            jump = jumps[place // rows, crossings.number[crossing]]
            for column in range(columns_v.shape[1]):
                past = (at_v - columns_v[sample, column]) * side
                if past > 0:
                    value, change = _beyond(past, side, jump)
                    sums[column] += value * areas[place, column]
                    slopes[column] += change * areas[place, column]
        for column in range(columns_v.shape[1]):
            current[sample, column] += sums[column]
            slope[sample, column] += slopes[column]


@compiled
def add_to_rows(columns_v: Array, crossings: Crossings, jumps: Array, areas: Array, total: Array) -> None:
    """The same currents summed over the columns, (samples, rows), of all samples."""
    rows = total.shape[1]
    for sample in range(len(total)):
        for crossing in range(crossings.starts[sample], crossings.starts[sample + 1]):
            place, side, at_v = crossings.place[crossing], crossings.side[crossing], crossings.at_v[crossing]
            jump, carried = jumps[place // rows, crossings.number[crossing]], 0.0
            for column in range(columns_v.shape[1]):
                past = (at_v - columns_v[sample, column]) * side
                if past > 0:
                    carried += _beyond(past, side, jump)[0] * areas[place, column]
            total[sample, place % rows] += carried


@compiled
def pull_back(  # noqa: PLR0917 - as `add_beyond`, backwards
    columns_v: Array, weights: Array, crossings: Crossings, jumps: Array, areas: Array, to: tuple[Array, Array]
) -> None:
    """How a sum of weights (samples, columns) times these currents changes: by areas, and by rows, (samples, rows)."""
    by_area, by_row = to
    rows = by_row.shape[1]
    for sample in range(len(by_row)):
        for crossing in range(crossings.starts[sample], crossings.starts[sample + 1]):
            place, side, at_v = crossings.place[crossing], crossings.side[crossing], crossings.at_v[crossing]
            jump, changes = jumps[place // rows, crossings.number[crossing]], 0.0
            for column in range(columns_v.shape[1]):
                past = (at_v - columns_v[sample, column]) * side
                if past > 0:
                    value, change = _beyond(past, side, jump)
                    by_area[place, column] += value * weights[sample, column]
                    changes += change * weights[sample, column] * areas[place, column]
            by_row[sample, place % rows] -= changes


@compiled
def _beyond(past: float, side: float, jump: Array) -> tuple[float, float]:
    """What a device of area 1, so many volts past a breakpoint, carries more, and how that changes with the column.

    jump: in powers of the distance from the breakpoint, going up; that at the breakpoint itself is left out.
    """
    value, change, sign = 0.0, 0.0, side if len(jump) % 2 == 0 else 1.0
    for power in range(len(jump) - 1, 0, -1):
        sign *= side
        change = change * past + value
        value = value * past + jump[power] * sign
    return value * past, (change * past + value) * -side


@compiled
def _shift(coefficients: Array, by: float, to: Array) -> None:
    """As `shifted`, in powers of -x."""
    last = len(to) - 1
    for power in range(last + 1):
        to[power] = coefficients[power]
    for first in range(last):
        for power in range(last - 1, first - 1, -1):
            to[power] += by * to[power + 1]
    for power in range(1, last + 1, 2):
        to[power] *= -1


@compiled
def _below(knots: Array, volts: float) -> int:
    """How many are below a voltage."""
    first, end = 0, len(knots)
    while first < end:
        middle = (first + end) // 2
        if knots[middle] < volts:
            first = middle + 1
        else:
            end = middle
    return first


@compiled
def not_above(knots: Array, volts: float) -> int:
    """How many are at a voltage or below it: the number of its piece."""
    first, end = 0, len(knots)
    while first < end:
        middle = (first + end) // 2
        if knots[middle] <= volts:
            first = middle + 1
        else:
            end = middle
    return first
