"""Currents between nodes that are piecewise linear in the difference of two voltages, one function for every pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from kanspice.base.arrays import Array, Indices


@dataclass(frozen=True)
class Bends:
    """Functions of two straight lines each: the left one below its corner, the right one from there on.

    corner: (functions,); NaN for none: the left line holds everywhere. left, right: slopes and offsets, (functions,).
    """

    corner: Array
    left: tuple[Array, Array]
    right: tuple[Array, Array]

    def reflected(self, where: npt.NDArray[np.bool_]) -> Bends:
        """The same, but -f(-x) for those f that `where`, (functions,), is true for."""
        sign = np.where(where, -1.0, 1.0)
        (left, left_at), (right, right_at) = self.left, self.right
        return Bends(
            sign * self.corner,
            (np.where(where & ~np.isnan(self.corner), right, left), sign * np.where(where, right_at, left_at)),
            (np.where(where, left, right), sign * np.where(where, left_at, right_at)),
        )


class PairCurrents:
    """Branches between nodes 0, which is ground, and on; all of them between the same two as one function."""

    def __init__(self, nodes: int, source: Indices, destination: Indices, bends: Bends) -> None:
        """source, destination: (branches,). bends: what flows from one to the other, of v_source - v_destination."""
        low, high = np.minimum(source, destination), np.maximum(source, destination)
        pairs, owner = np.unique(low * (nodes + 1) + high, return_inverse=True)
        self.low, self.high = np.divmod(pairs, nodes + 1)
        self.functions = Piecewise(owner, bends.reflected(source > destination))
        numbers = np.arange(len(pairs))
        signs = np.repeat([1.0, -1.0], len(pairs))
        places = np.concatenate([self.high, self.low]), np.concatenate([numbers, numbers])
        self.into: Any = csr_array((signs, places), shape=(nodes + 1, len(pairs)))[1:]

    def into_nodes(self, volts: Array) -> Array:
        """Currents into nodes 1 and on, (samples, nodes), for voltages (samples, nodes) there."""
        padded = np.pad(volts, ((0, 0), (1, 0)))
        across = padded.take(self.low, axis=1)
        across -= padded.take(self.high, axis=1)
        return np.ascontiguousarray((self.into @ self.functions.values(across).T).T)


class Piecewise:
    """Sums of bends, (functions,): each a straight line between its corners.

    The piece that a number was last found on is tried first, and the ones beside it only where it is left; while an
    integrator follows voltages a few in a hundred leave theirs. What is tried first changes the time that an answer
    takes, never the answer.
    """

    def __init__(self, owner: Indices, bends: Bends) -> None:
        """owner: (bends,) which function each is part of; every function from 0 on has some."""
        corner = np.where(np.isnan(bends.corner), np.inf, bends.corner)
        order = np.lexsort((corner, owner))
        counts = np.bincount(owner)
        starts = np.cumsum(counts) - counts
        self.first, self.stride = np.zeros((2, len(counts)), dtype=np.int64)
        tables: list[list[Array]] = []
        entries = 0
        for count in np.unique(counts):
            functions = np.flatnonzero(counts == count)
            members = order[starts[functions] + np.arange(count)[:, None]]
            ends = np.full((count + 2, len(functions)), np.inf)
            ends[0], ends[1:-1] = -np.inf, corner[members]
            sides = zip(bends.left, bends.right, strict=True)
            lines = [_summed(below[members], above[members]) for below, above in sides]
            tables.append([ends[:-1].ravel(), ends[1:].ravel(), *(line.ravel() for line in lines)])
            self.first[functions] = entries + np.arange(len(functions))
            self.stride[functions] = len(functions)
            entries += ends[:-1].size
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
        at = np.empty((samples, len(self.first)), dtype=np.int64)
        at[: len(self.at)], at[len(self.at) :] = self.at[:samples], self.first
        self.at = at
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
    """(pieces, functions) sums over bends (bends, functions) in the order of their corners."""
    sums = np.zeros((len(below) + 1, below.shape[1]))
    sums[1:] = np.cumsum(above, axis=0)
    sums[:-1] += np.cumsum(below[::-1], axis=0)[::-1]
    return sums
