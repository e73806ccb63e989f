"""Currents between nodes that are piecewise linear in the difference of two voltages, one function for every pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array, Indices

SIDE_BY_SIDE = 32
"""Samples whose currents are computed together: more do not make it faster."""
_VECTOR, _FEW = 8, 2
"""Numbers that a processor computes at once; so few samples are not worth filling that many up."""
_RAMPS = 2
"""Of a term."""


@dataclass(frozen=True)
class Bends:
    """Functions of two straight lines each, which meet: the left one below its corner, the right one from there on.

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
        of_pair, self.numbers = terms(owner, bends.reflected(source > destination))
        first, second = np.divmod(pairs[of_pair], nodes + 1)
        self.starts = np.searchsorted(first, np.arange(nodes + 2))
        self.high = np.ascontiguousarray(second)

    def into_nodes(self, volts: Array) -> Array:
        """Currents into nodes 1 and on, (samples, nodes), for voltages (samples, nodes) there.

        A sample's are the same, to the last bit, whatever other samples there are.
        """
        into = np.empty(volts.shape)
        for first in range(0, len(volts), SIDE_BY_SIDE):
            block = slice(first, first + SIDE_BY_SIDE)
            into[block] = self._of_block(volts[block])
        return into

    def _of_block(self, volts: Array) -> Array:
        from kanspice.base.piecewise_loops import add_currents  # noqa: PLC0415 - see `compiled`

        samples, nodes = volts.shape
        places = samples if samples <= _FEW else -(-samples // _VECTOR) * _VECTOR
        padded, into = np.zeros((2, nodes + 1, places))
        padded[1:, :samples] = volts.T
        add_currents(padded, self.starts, self.high, self.numbers, into)
        return np.asarray(into[1:, :samples].T)


def terms(owner: Indices, bends: Bends) -> tuple[Indices, Array]:
    """Sums of bends as terms of one line and two ramps each: whose term each is, (terms,), and its numbers, (terms, 8).

    owner: (bends,) which sum each is part of; every one from 0 on has some. A term's numbers: the slope and offset of
    its line, then slope, offset and sign of either ramp, sign * max(slope * x + offset, 0). A bend is the line that
    holds at 0, and the ramp that takes it to the other one beyond its corner: exactly nothing where it is the line. One
    whose corner is infinite is that line everywhere, whatever the other is: its offset may be infinite, too.
    """
    (left, left_at), (right, right_at) = bends.left, bends.right
    begins_right = bends.corner <= 0
    line, line_at = np.where(begins_right, right, left), np.where(begins_right, right_at, left_at)
    bent = np.flatnonzero(np.isfinite(bends.corner) & (left != right))
    other, other_at = np.where(begins_right, left, right)[bent], np.where(begins_right, left_at, right_at)[bent]
    slope, offset = other - line[bent], other_at - line_at[bent]
    sign = np.where(begins_right, -1.0, 1.0)[bent] * np.sign(slope)  # of what is added beyond the corner
    ramps = np.stack([sign * slope, sign * offset, sign], axis=1)
    ramps_of = np.bincount(owner[bent], minlength=owner.max(initial=-1) + 1)
    terms_of = np.maximum(-(-ramps_of // _RAMPS), 1)
    first = np.cumsum(terms_of) - terms_of
    order = np.argsort(owner[bent], kind="stable")
    rank = np.arange(len(bent)) - np.repeat(np.cumsum(ramps_of) - ramps_of, ramps_of)
    numbers = np.zeros((terms_of.sum(), 2 + 3 * _RAMPS))
    for place, lines in enumerate((line, line_at)):
        numbers[first, place] = np.bincount(owner, lines)
    ramp = numbers[:, 2:].reshape(len(numbers), _RAMPS, 3)
    ramp[first[owner[bent[order]]] + rank // _RAMPS, rank % _RAMPS] = ramps[order]
    return np.repeat(np.arange(len(first)), terms_of), numbers
