"""Whether a crossbar with wires stays in the state that was found, when every node has some capacitance.

With conductances g of the devices at the state (negative where currents fall) and P the map from currents to what
crosspoints lose, small deviations die out exactly where `1 + sqrt(P) g sqrt(P)` has no negative eigenvalue: that is
the network's conductance matrix, seen from the crosspoints. Its eigenvalues are 1 more than those of `g P`, which is
symmetric in the product `<x, y> = x P y`, so that Lanczos's method finds the least of them without a matrix.
"""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit.stages import Crossbar
from kanspice.circuit.wires import lost_v

_MOST_ROUNDS = 60
_CERTAIN = 0.01
"""Of the eigenvalue: how far it may be from a true one."""
_NOTHING_LEFT = 1e-12


def least_eigenvalue(crossbar: Crossbar, siemens: Array, ohm: Array) -> Array:
    """The least eigenvalue (samples,): 1 where no currents fall or nothing is lost, below 0 the state is not stable.

    siemens: (samples, rows, 2 * pairs) of all devices of a crosspoint together, in the state found; of either sign.
    ohm: (samples, 2 * pairs) by which amplifiers let columns move. Found from above: a negative answer is certain.
    """

    def losses(x: Array) -> Array:
        return lost_v(crossbar, x, ohm * x.sum(axis=1))

    samples = len(siemens)
    start = np.random.default_rng(0).normal(size=siemens.shape[1:])
    vector = np.broadcast_to(start, siemens.shape).copy()
    known: list[tuple[Array, Array]] = []
    diagonal, beside = np.zeros((samples, 0)), np.zeros((samples, 0))
    least = np.ones(samples)
    for _ in range(min(_MOST_ROUNDS, start.size)):
        lost = losses(vector)
        length = np.sqrt(np.maximum(_inner(vector, lost), 0.0))
        ended = length <= _NOTHING_LEFT * np.abs(np.append(diagonal, beside, axis=1)).max(axis=1, initial=0.0)
        if known:
            least, error = _least(diagonal, beside, np.where(ended, 0.0, length))
            if np.all(error <= _CERTAIN * np.abs(least)):
                break
            beside = np.append(beside, np.where(ended, 0.0, length)[:, None], axis=1)
        per = np.where(ended | (length == 0), 0.0, 1 / np.where(length > 0, length, 1.0))[:, None, None]
        unit, lost = vector * per, lost * per
        known.append((unit, lost))
        vector = siemens * lost
        diagonal = np.append(diagonal, _inner(vector, lost)[:, None], axis=1)
        for _ in range(2):
            for before, its_lost in known:
                vector = vector - _inner(vector, its_lost)[:, None, None] * before
    else:
        least = _least(diagonal, beside, np.zeros(samples))[0]
    return least


def _inner(x: Array, y: Array) -> Array:
    """(samples,)."""
    return np.asarray(np.einsum("srk,srk->s", x, y))


def _least(diagonal: Array, beside: Array, next_one: Array) -> tuple[Array, Array]:
    """(eigenvalue, its error) per sample, of 1 + tridiagonal matrices; next_one: beside the last row, (samples,)."""
    size = diagonal.shape[1]
    matrix = np.zeros((len(diagonal), size, size))
    place = np.arange(size)
    matrix[:, place, place] = diagonal
    matrix[:, place[1:], place[:-1]] = beside
    values, vectors = np.linalg.eigh(matrix)
    return 1 + values[:, 0], next_one * np.abs(vectors[:, -1, 0])
