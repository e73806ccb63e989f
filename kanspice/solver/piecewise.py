"""Many piecewise linear functions of one number each, evaluated where they were a moment ago."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


class Piecewise:
    """Sums of rectifiers, (functions,): each a straight line between its corners.

    The piece that a number was last found on is tried first, and the ones beside it only where it is left; while an
    integrator follows voltages a few in a hundred leave theirs. What is tried first changes the time that an answer
    takes, never the answer.
    """

    def __init__(self, owner: Indices, corner: Array, left: tuple[Array, Array], right: tuple[Array, Array]) -> None:
        """owner: (rectifiers,), not decreasing, every function from 0 on: which function a rectifier is part of.

        corner: (rectifiers,). left, right: slopes and offsets, (rectifiers,), of its line below the corner and from it
        on. NaN for a corner is none: the left line holds everywhere.
        """
        corner = np.where(np.isnan(corner), np.inf, corner)
        order = np.lexsort((corner, owner))
        counts = np.bincount(owner)
        starts = np.cumsum(counts) - counts
        self.first, self.stride = np.zeros((2, len(counts)), dtype=np.int64)
        tables: list[list[Array]] = []
        entries = 0
        for count in np.unique(counts):
            functions = np.flatnonzero(counts == count)
            members = order[starts[functions] + np.arange(count)[:, None]]
            bends = np.full((count + 2, len(functions)), np.inf)
            bends[0], bends[1:-1] = -np.inf, corner[members]
            lines = [_summed(below[members], above[members]) for below, above in zip(left, right, strict=True)]
            tables.append([bends[:-1].ravel(), bends[1:].ravel(), *(line.ravel() for line in lines)])
            self.first[functions] = entries + np.arange(len(functions))
            self.stride[functions] = len(functions)
            entries += bends[:-1].size
        self.tables = [np.concatenate(parts) for parts in zip(*tables, strict=True)]
        self.at: Indices = np.empty((0, len(counts)), dtype=np.int64)
        self.held: list[Array] = []

    def values(self, numbers: Array) -> Array:
        """The functions' values (samples, functions) at numbers (samples, functions)."""
        self._hold(len(numbers))
        low, high, slope, offset = self.held
        strays = np.flatnonzero((numbers < low) | (numbers >= high))
        while strays.size:
            strays = self._moved(strays, numbers.ravel()[strays])
        values = slope * numbers
        values += offset
        return values

    def _hold(self, samples: int) -> None:
        """The pieces that so many samples begin on."""
        if samples == len(self.at):
            return
        kept = self.at[:samples]
        self.at = np.concatenate([kept, np.broadcast_to(self.first, (samples - len(kept), len(self.first)))])
        self.held = [table[self.at] for table in self.tables]

    def _moved(self, strays: Indices, numbers: Array) -> Indices:
        """Takes strays to the next piece; those that are still not where they belong."""
        low, high = (bend.ravel()[strays] for bend in self.held[:2])
        upwards = ((numbers >= high) & (high < np.inf)).astype(np.int64) - (numbers < low)
        strays, upwards, numbers = (part[upwards != 0] for part in (strays, upwards, numbers))
        self.at.ravel()[strays] += upwards * self.stride[strays % len(self.stride)]
        pieces = self.at.ravel()[strays]
        for held, table in zip(self.held, self.tables, strict=True):
            held.ravel()[strays] = table[pieces]
        low, high = (table[pieces] for table in self.tables[:2])
        return strays[(numbers < low) | (numbers >= high)]


def _summed(below: Array, above: Array) -> Array:
    """(pieces, functions) sums over rectifiers (rectifiers, functions) in the order of their corners."""
    sums = np.zeros((len(below) + 1, below.shape[1]))
    sums[1:] = np.cumsum(above, axis=0)
    sums[:-1] += np.cumsum(below[::-1], axis=0)[::-1]
    return sums
