"""Where what flows into a crossbar's columns and what their amplifiers draw are the same, over columns' voltages.

What is counted is counted on one grid of voltages for all columns, of which most points are never looked at: from one
to another far from it the excess of what flows in over what is drawn changes by no more than its steepest slopes
there allow. Where these cannot bring it to zero, or let it only fall, what is in between is known. The rest is parted,
and parted again, down to the grid. The counts are those that a look at every point would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kanspice.base.arrays import Array, Flags, Indices
from kanspice.circuit.amplifiers import drawn_a
from kanspice.circuit.columns import column_currents_a
from kanspice.circuit.design import Design
from kanspice.circuit.stages import Crossbar
from kanspice.circuit.steepness import Near, falls, rises

_PARTS = 8
SEARCHED_NUMBERS = 2**15
"""Voltages of columns that are looked at together: 256 kB, and a few times as much for what is made of them."""


def crossings(design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array, doubtful: Flags) -> Indices:
    """How often the excess current of columns passes zero from one voltage of a grid to the next.

    rows_v: (samples, rows) volts. columns_v: (points,) volts, evenly spaced and rising. doubtful: (samples, 2 * pairs),
    which columns are asked about; of the others it is 0. Returns (samples, 2 * pairs).
    """
    counts = np.zeros(doubtful.shape, dtype=np.int64)
    asked = np.flatnonzero(doubtful.any(axis=1))
    stretches = _Stretches(asked, np.zeros_like(asked), doubtful[asked])
    stride = _PARTS
    while stride < len(columns_v) - 1:
        stride *= _PARTS
    while len(stretches.sample):
        stride //= _PARTS
        search = _Search(design, crossbar, columns_v, stride)
        size = max(1, SEARCHED_NUMBERS // ((_PARTS + 1) * max(2 * crossbar.width, crossbar.rows)))
        left: list[_Stretches] = []
        for first in range(0, len(stretches.sample), size):
            part = stretches.between(first, first + size)
            found, rest = search.parted(part, rows_v[part.sample])
            np.add.at(counts, part.sample, found)
            left.append(rest)
        stretches = _Stretches.joined(left)
    return counts


class _Stretches(NamedTuple):
    """Stretches of the grid, of one sample each: where they begin, and which columns (n, 2 * pairs) are asked about."""

    sample: Indices
    first: Indices
    columns: Flags

    def between(self, start: int, end: int) -> _Stretches:
        """Some of them."""
        return _Stretches(self.sample[start:end], self.first[start:end], self.columns[start:end])

    @classmethod
    def joined(cls, parts: Sequence[_Stretches]) -> _Stretches:
        """One after the other."""
        sample, first, columns = zip(*parts, strict=True)
        return cls(np.concatenate(sample), np.concatenate(first), np.concatenate(columns))


@dataclass
class _Search:
    """Stretches of the grid in parts of `stride` points each."""

    design: Design
    crossbar: Crossbar
    columns_v: Array
    stride: int

    def __post_init__(self) -> None:
        crossbar, units = self.crossbar, self.design.input_v_per_unit
        self.width_v = self.stride * (self.columns_v[1] - self.columns_v[0])
        reach = (self.width_v / 2 + np.abs(crossbar.shift_v).max(initial=0.0)) / units
        self.near = [
            [Near(device, steepest(device), reach) for device in self.design.devices] for steepest in (falls, rises)
        ]
        siemens = crossbar.column_area * crossbar.current_unit_a / units
        self.siemens = siemens.transpose(0, 2, 1).reshape(-1, 2 * crossbar.width)

    def parted(self, stretches: _Stretches, rows_v: Array) -> tuple[Indices, _Stretches]:
        """Zeros passed (n, 2 * pairs) in those parts of stretches of which that is known, and the other parts.

        rows_v: (n, rows) volts.
        """
        places = stretches.first[:, None] + self.stride * np.arange(_PARTS + 1)
        ends = np.minimum(places, len(self.columns_v) - 1)
        columns_v = self.columns_v[ends]
        sides = self._ends(rows_v, columns_v)
        passed, known = sides.passed, ends[:, :-1, None] == ends[:, 1:, None]
        if self.stride > 1:
            centres_v = self.columns_v[0] + self.width_v / self.stride * (places[:, :-1] + self.stride / 2)
            known = known | sides.known(np.diff(columns_v)[:, :, None], *self._steepest(rows_v, centres_v))
        else:
            known = np.ones_like(passed)
        asked = stretches.columns[:, None]
        unknown = asked & ~known
        sample, part = np.nonzero(unknown.any(axis=2))
        rest = _Stretches(stretches.sample[sample], places[sample, part], unknown[sample, part])
        return np.count_nonzero(passed & asked & known, axis=1), rest

    def _ends(self, rows_v: Array, columns_v: Array) -> _Ends:
        """Of the parts of stretches: columns_v (n, parts + 1) is where they end."""
        n, points = columns_v.shape
        current_a = column_currents_a(self.design, self.crossbar, np.repeat(rows_v, points, axis=0), columns_v.ravel())
        current_a = current_a.reshape(n, points, -1)
        return _Ends(current_a, *drawn_a(self.crossbar, np.broadcast_to(columns_v[:, :, None], current_a.shape)))

    def _steepest(self, rows_v: Array, centres_v: Array) -> list[Array]:
        """By how much currents rise and fall with columns at most, in parts around voltages (n, parts): siemens."""
        units = (rows_v[:, None] - centres_v[:, :, None]) / self.design.input_v_per_unit
        found = []
        for near in self.near:
            slopes = np.stack([each.at(units) for each in near], axis=-1)
            found.append(slopes.reshape(*centres_v.shape, -1) @ self.siemens)
        return found


@dataclass
class _Ends:
    """At the ends of parts, (n, parts + 1, 2 * pairs): what flows into columns, what is drawn, its slope, A and S."""

    current_a: Array
    held_a: Array
    held_s: Array

    @property
    def passed(self) -> Flags:
        """(n, parts, 2 * pairs): whether the excess has another sign at the other end."""
        above = self.current_a > self.held_a
        return np.asarray(above[:, 1:] != above[:, :-1])

    def known(self, width_v: Array, rising_s: Array, falling_s: Array) -> Flags:
        """(n, parts, 2 * pairs): whether the excess certainly passes zero as often as its signs at the ends say.

        It does where it only falls, and where it has one sign from end to end. With a column's voltage, currents rise
        by at most rising_s and fall by at most falling_s, and what is drawn rises by at least the least of its slopes
        at the ends, as amplifiers hold columns within their swing only: so that the excess lies between two lines from
        its ends, of which the one that leads away from zero and the one that leads to it meet where it is nearest.
        """
        least_s = np.minimum(self.held_s[:, 1:], self.held_s[:, :-1])
        rising_s = rising_s - least_s
        towards_s = falling_s + least_s
        excess_a = self.current_a - self.held_a
        left_a, right_a = excess_a[:, :-1], excess_a[:, 1:]
        steps_a = self.held_a[:, 1:] - self.held_a[:, :-1] - least_s * width_v
        both_s = np.maximum(rising_s + towards_s, least_s)
        # above zero: it comes from the left end with towards_s, and to the right end with rising_s
        meets_v = (left_a - steps_a - right_a + rising_s * width_v) / both_s
        lowest_a = left_a - steps_a - towards_s * meets_v
        # below zero: it leaves the left end with rising_s, and comes to the right end with towards_s
        meets_v = (right_a + steps_a - left_a + towards_s * width_v) / both_s
        highest_a = left_a + rising_s * meets_v
        one_sign = ((left_a > 0) & (right_a > 0) & (lowest_a > 0)) | ((left_a < 0) & (right_a < 0) & (highest_a < 0))
        return np.asarray((rising_s <= 0) | one_sign)
