"""What devices beyond a breakpoint carry more than the piece that their row is on, summed over whole columns.

Breakpoints are looked for a little farther than columns reach, so that Newton's steps find them where they were. Those
that turn out not to be reached add exactly nothing, and a sample's come in an order of their own: what is found for it
depends neither on where it was looked nor on the samples beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.engine.batched.row_expansions import Rows

if TYPE_CHECKING:
    from kanspice.engine.batched.row_loops import Crossings

_FARTHER = 0.25
"""Of the farthest column."""


class BreakpointCurrents:
    """The breakpoints of one specimen's rows, for columns that move."""

    def __init__(self, rows: Rows, areas: Array) -> None:
        """areas: (known types * rows, columns), at least 0."""
        self.rows, self.areas = rows, areas
        self.lowest_v, self.highest_v = np.zeros(len(rows.rows_v)), np.zeros(len(rows.rows_v))
        self.reached = _room_for(0, len(rows.rows_v))

    def add(self, columns_v: Array, samples: Indices, to: tuple[Array, Array]) -> None:
        """Currents and their derivatives by the column voltage, (len(samples), columns), of columns (same) in volts."""
        from kanspice.engine.batched.row_loops import add_beyond  # noqa: PLC0415 - see `compiled`

        reached = self._within(columns_v, samples)
        if len(reached.at_v):
            add_beyond(columns_v, samples, reached, self.rows.tables.jumps, self.areas, to)

    def from_rows(self, columns_v: Array) -> Array:
        """The same currents summed over the columns, (samples, rows), for all samples: columns_v (samples, columns)."""
        from kanspice.engine.batched.row_loops import add_to_rows  # noqa: PLC0415

        columns_v = np.array(columns_v, order="C")
        total, reached = np.zeros_like(self.rows.rows_v), self._within(columns_v, np.arange(len(columns_v)))
        if len(reached.at_v):
            add_to_rows(columns_v, reached, self.rows.tables.jumps, self.areas, total)
        return total

    def pulled_back(self, columns_v: Array, weights: Array) -> tuple[Array, Array]:
        """How a sum of weights (samples, columns) times these currents changes with areas and with rows, per volt.

        (known types * rows, columns) and (samples, rows), for all samples: columns_v (samples, columns).
        """
        from kanspice.engine.batched.row_loops import pull_back  # noqa: PLC0415

        by_area, by_row = np.zeros_like(self.areas), np.zeros_like(self.rows.rows_v)
        columns_v, weights = np.array(columns_v, order="C"), np.array(weights, order="C")
        reached = self._within(columns_v, np.arange(len(columns_v)))
        if len(reached.at_v):
            pull_back(columns_v, weights, reached, self.rows.tables.jumps, self.areas, (by_area, by_row))
        return by_area, by_row

    def _within(self, columns_v: Array, samples: Indices) -> Crossings:
        """At least the breakpoints that these columns let devices cross."""
        lowest_v, highest_v = columns_v.min(axis=1), columns_v.max(axis=1)
        left = (lowest_v < self.lowest_v[samples]) | (highest_v > self.highest_v[samples])
        if left.any():
            farther_v = _FARTHER * np.maximum(np.abs(lowest_v), np.abs(highest_v))
            self.lowest_v[samples] = np.where(left, lowest_v - farther_v, self.lowest_v[samples])
            self.highest_v[samples] = np.where(left, highest_v + farther_v, self.highest_v[samples])
            self.reached = self._look()
        return self.reached

    def _look(self) -> Crossings:
        """Counted first, since there may be none or very many."""
        from kanspice.engine.batched.row_loops import find  # noqa: PLC0415

        where = (self.lowest_v, self.highest_v), self.rows.rows_v, self.rows.rooms, self.rows.tables.breakpoints
        counted = _room_for(0, len(self.lowest_v))
        find(*where, counted)
        reached = _room_for(int(counted.starts[-1]), len(self.lowest_v))
        find(*where, reached)
        return reached


def _room_for(crossings: int, samples: int) -> Crossings:
    from kanspice.engine.batched.row_loops import Crossings  # noqa: PLC0415

    starts = np.zeros(samples + 1, dtype=np.int64)
    places, volts = np.empty((2, crossings), dtype=np.int64), np.empty((2, crossings))
    return Crossings(starts, *places, *volts)
