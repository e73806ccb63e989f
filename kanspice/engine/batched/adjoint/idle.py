"""Nodes that no branch drives, followed back: while voltages are sampled, and while they are raised.

Each node goes through pieces of x' = drive - rate x. What changes its way is continuous where two of them meet, so when
that happens counts for nothing, and the change of the end is what the pieces make of it, one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.batched.adjoint.period_sums import PeriodSums
from kanspice.engine.batched.losses import Losses, risen

_SMALL = 1e-3
"""Of rate times time: below it differences are written as series."""


@dataclass(frozen=True)
class _Piece:
    """Where it began, and how long it took, (samples, nodes). side: -1, 0 or 1, below, between, above supplies."""

    state: Array
    takes: Array
    rate: Array
    drive: Array
    side: int


def left_alone_back(  # noqa: PLR0917 - those of `left_alone`, and weights
    losses: Losses, sums: PeriodSums, time: Array, state: Array, lasts: Array, drift: Array, weights: Array
) -> tuple[Array, Array, Array]:
    """Of `Losses.left_alone` while no clock moves: what changes with states, with how long it lasts, with drifts."""
    way = np.where(losses.slope(time, state) + drift < 0, -1.0, 1.0)
    pieces, end = _pieces(losses, time, way * state, lasts, way * drift)
    counted, moved = way * weights, np.zeros_like(state)
    at_end = way * end
    by_lasts = (weights * (losses.slope(time, at_end) + drift)).sum(axis=1)
    for piece in reversed(pieces):
        by_rate, by_drive = _by_numbers(piece, counted)
        moved += by_drive
        _add(losses, sums, piece, losses.leaks(time), (by_rate, by_drive))
        counted = counted * np.exp(-piece.rate * piece.takes)
    return way * counted, by_lasts, way * moved


def _pieces(losses: Losses, time: Array, state: Array, lasts: Array, drift: Array) -> tuple[list[_Piece], Array]:
    """The pieces of states that go upwards, and where they end."""
    leak = losses.per_current * losses.leaks(time) + np.zeros_like(state)
    left, pieces = lasts[:, None] + np.zeros_like(state), list[_Piece]()
    clamp = losses.per_current * losses.clamp if losses.clamps else np.zeros_like(losses.per_current)
    held = clamp * losses.supply if losses.clamps else clamp
    corners = ((-1, -losses.supply), (0, losses.supply), (1, np.inf)) if losses.clamps else ((0, np.inf),)
    with np.errstate(all="ignore"):
        for side, corner in corners:
            rate, drive = leak + abs(side) * clamp, drift + side * held
            after, still = risen(state, left, rate, drive, corner)
            pieces.append(_Piece(state, left - still, rate, drive, side))
            state, left = after, still
    return pieces, state


def _by_numbers(piece: _Piece, weights: Array) -> tuple[Array, Array]:
    """What the weighted end of a piece changes by with its rate, and with its drive."""
    turned, takes = piece.rate * piece.takes, piece.takes
    is_small = turned < _SMALL
    safe = np.where(is_small, 1.0, piece.rate)
    decay = np.exp(-turned)
    series = takes * (1 - turned / 2 * (1 - turned / 3 * (1 - turned / 4)))
    by_drive = np.where(is_small, series, (1 - decay) / safe)
    bend = -(takes**2) * (1 / 2 - turned * (1 / 3 - turned * (1 / 8 - turned / 30)))
    by_rate = np.where(is_small, bend, (takes * decay - by_drive) / safe)
    return weights * (piece.drive * by_rate - takes * decay * piece.state), weights * by_drive


def _add(losses: Losses, sums: PeriodSums, piece: _Piece, leaks: Array | float, found: tuple[Array, Array]) -> None:
    """found: as `_by_numbers` gives it."""
    (by_rate, by_drive), beyond, per_current = found, abs(piece.side), losses.per_current
    siemens = leaks + losses.clamp * beyond if beyond else leaks
    sums.per_current += (by_rate * siemens).sum(axis=0)
    by_leak = by_rate * per_current
    sums.leak += float(by_leak.sum())
    if losses.switches is not None:
        sums.off_leak += float(by_leak.sum())
        sums.others += by_leak.sum(axis=0)
    if beyond:
        held = piece.side * by_drive
        sums.per_current += (held * losses.clamp * losses.supply).sum(axis=0)
        sums.clamp += float(by_leak.sum() + (held * per_current).sum() * losses.supply)
        sums.supply += float((held * per_current).sum() * losses.clamp)
