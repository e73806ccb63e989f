"""What devices beyond a breakpoint carry more than the piece that their row is on, summed over whole columns.

Breakpoints are looked for a little farther than columns reach, so that Newton's steps find them where they were. Those
that turn out not to be reached add exactly nothing, and a sample's come in an order of their own: what is found for it
depends neither on where it was looked nor on the samples beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from kanspice.base.arrays import Array, Indices
from kanspice.engine.batched.local_polynomials import Crossings
from kanspice.engine.batched.row_expansions import Rows

_FARTHER = 0.25
"""Of the farthest column."""
_BLOCK_NUMBERS = 2**15
"""Crossings times columns at a time: 256 kB, which stay in the processor's cache and are not given back between."""


class BreakpointCurrents:
    """The breakpoints of one specimen's rows, for columns that move."""

    def __init__(self, rows: Rows, areas: Array) -> None:
        """areas: (types with pieces * rows, columns), at least 0."""
        samples, self.columns = len(rows.rows_v), areas.shape[1]
        self.rows, self.areas = rows, areas
        self.lowest_v, self.highest_v = np.zeros((samples, 1)), np.zeros((samples, 1))
        self.reached = _Reached.nothing(samples, self.columns)

    def currents(self, columns_v: Array, samples: Indices) -> tuple[Array, Array]:
        """Currents and their derivatives by the column voltage, (len(samples), columns), of columns (same) in volts."""
        current, slope = np.zeros_like(columns_v), np.zeros_like(columns_v)
        for part, reached in self._within(columns_v, samples).split(samples):
            if reached.size:
                value, derivative = reached.carried(columns_v[part])
                current[part], slope[part] = reached.by_sample @ value, reached.by_sample @ derivative
        return current, slope

    def from_rows(self, columns_v: Array) -> Array:
        """The same currents summed over the columns, (samples, rows), for all samples: columns_v (samples, columns)."""
        total = np.zeros_like(self.rows.rows_v)
        everyone = np.arange(len(total))
        for part, reached in self._within(columns_v, everyone).split(everyone):
            values = reached.carried(columns_v[part])[0].sum(axis=1)
            np.add.at(total, (part.start + reached.sample, reached.place % total.shape[1]), values)
        return total

    def pulled_back(self, columns_v: Array, weights: Array) -> tuple[Array, Array]:
        """How a sum of weights (samples, columns) times these currents changes with areas and with rows, per volt.

        (types with pieces * rows, columns) and (samples, rows), for all samples: columns_v (samples, columns).
        """
        by_area, by_row = np.zeros_like(self.areas), np.zeros_like(self.rows.rows_v)
        everyone = np.arange(len(by_row))
        for part, reached in self._within(columns_v, everyone).split(everyone):
            if reached.size:
                value, derivative = reached.of_unit_area(columns_v[part])
                weight = weights[part][reached.sample]
                by_area += reached.by_place @ (value * weight)
                changes = -(derivative * weight * self.areas[reached.place]).sum(axis=1)
                np.add.at(by_row, (part.start + reached.sample, reached.place % by_row.shape[1]), changes)
        return by_area, by_row

    def _within(self, columns_v: Array, samples: Indices) -> _Reached:
        """At least the breakpoints that these columns let devices cross."""
        lowest_v, highest_v = columns_v.min(axis=1, keepdims=True), columns_v.max(axis=1, keepdims=True)
        left = (lowest_v < self.lowest_v[samples]) | (highest_v > self.highest_v[samples])
        if left.any():
            farther_v = _FARTHER * np.maximum(np.abs(lowest_v), np.abs(highest_v))
            self.lowest_v[samples] = np.where(left, lowest_v - farther_v, self.lowest_v[samples])
            self.highest_v[samples] = np.where(left, highest_v + farther_v, self.highest_v[samples])
            self.reached = self._look()
        return self.reached

    def _look(self) -> _Reached:
        found: list[tuple[Indices, Crossings]] = []
        known = [pieces for pieces in self.rows.pieces if pieces is not None]
        rows = self.rows.rows_v.shape[1]
        for place, (pieces, rooms) in enumerate(zip(known, self.rows.rooms, strict=True)):
            crossings = pieces.crossings(self.rows.rows_v, self.lowest_v, self.highest_v, rooms)
            found.append((place * rows + crossings.row, crossings))
        return _Reached.of(found, self.areas, len(self.rows.rows_v))


@dataclass(frozen=True)
class _Reached:
    """Crossings of all device types, sorted by sample, and within one always alike.

    sample, place: (crossings,), the last into the areas. at_v, side, steps: as in `Crossings`. areas: (places,
    columns). starts: (samples + 1,) where each sample's begin.
    """

    sample: Indices
    place: Indices
    at_v: Array
    side: Array
    steps: Array
    areas: Array
    starts: Indices

    @classmethod
    def nothing(cls, samples: int, columns: int) -> _Reached:
        none, volts = np.empty(0, dtype=np.int64), np.empty(0)
        starts = np.zeros(samples + 1, dtype=np.int64)
        return cls(none, none, volts, volts, np.empty((0, 1)), np.empty((0, columns)), starts)

    @classmethod
    def of(cls, found: list[tuple[Indices, Crossings]], areas: Array, samples: int) -> _Reached:
        degree = max((crossings.steps.shape[1] for _, crossings in found), default=1)
        sample = np.concatenate([crossings.sample for _, crossings in found])
        place = np.concatenate([places for places, _ in found])
        at_v = np.concatenate([crossings.at_v for _, crossings in found])
        side = np.concatenate([crossings.side for _, crossings in found])
        widths = [(crossings.steps, degree - crossings.steps.shape[1]) for _, crossings in found]
        steps = np.concatenate([np.pad(each, ((0, 0), (0, more))) for each, more in widths])
        order = np.lexsort((at_v, place, sample))
        starts = np.searchsorted(sample[order], np.arange(samples + 1))
        return cls(sample[order], place[order], at_v[order], side[order], steps[order], areas, starts)

    @property
    def size(self) -> int:
        """How many."""
        return len(self.sample)

    def split(self, samples: Indices) -> list[tuple[slice, _Reached]]:
        """Those of these samples, some at a time: so many that they are worth their calls, and not too many."""
        if np.array_equal(samples, np.arange(len(self.starts) - 1)):
            return self._parts
        return [(part, self._among(samples[part])) for part in self._runs(samples)]

    @cached_property
    def _parts(self) -> list[tuple[slice, _Reached]]:
        everyone = np.arange(len(self.starts) - 1)
        return [(part, self._among(everyone[part])) for part in self._runs(everyone)]

    def _runs(self, samples: Indices) -> list[slice]:
        counts = (self.starts[samples + 1] - self.starts[samples]) * self.areas.shape[1]
        number = np.cumsum(counts) // _BLOCK_NUMBERS
        ends = [*(np.flatnonzero(np.diff(number)) + 1).tolist(), len(samples)]
        return [slice(first, last) for first, last in zip([0, *ends[:-1]], ends, strict=True)]

    def _among(self, samples: Indices) -> _Reached:
        """Those of these samples alone, which are numbered from 0."""
        counts = self.starts[samples + 1] - self.starts[samples]
        starts = np.concatenate([[0], np.cumsum(counts)])
        own = np.repeat(np.arange(len(samples)), counts)
        chosen = self.starts[samples][own] + np.arange(len(own)) - starts[own]
        return _Reached(
            own,
            self.place[chosen],
            self.at_v[chosen],
            self.side[chosen],
            self.steps[chosen],
            self.areas,
            starts,
        )

    def carried(self, columns_v: Array) -> tuple[Array, Array]:
        """What devices carry beyond these, and its derivative by the column voltage, (crossings, columns)."""
        value, derivative = self.of_unit_area(columns_v)
        areas = self.areas[self.place]
        value *= areas
        derivative *= areas
        return value, derivative

    def of_unit_area(self, columns_v: Array) -> tuple[Array, Array]:
        """The same of devices of area 1."""
        side = self.side[:, None]
        past = self.at_v[:, None] - columns_v[self.sample]
        past *= side
        is_past = past > 0
        np.maximum(past, 0.0, out=past)
        value, derivative = np.zeros_like(past), np.zeros_like(past)
        for power in range(self.steps.shape[1] - 1, -1, -1):
            derivative *= past
            derivative += value
            value *= past
            value += self.steps[:, power, None]
        derivative *= past
        derivative += value
        value *= past
        derivative *= -side
        derivative *= is_past
        return value, derivative

    @property
    def by_place(self) -> csr_array:
        """What sums (crossings, columns) into (places, columns)."""
        shape = len(self.areas), self.size
        return csr_array((np.ones(self.size), (self.place, np.arange(self.size))), shape=shape)

    @cached_property
    def by_sample(self) -> csr_array:
        """What sums (crossings, columns) into (samples, columns), one after the other."""
        shape = len(self.starts) - 1, self.size
        return csr_array((np.ones(self.size), np.arange(self.size), self.starts), shape=shape)
