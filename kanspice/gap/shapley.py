"""Shapley values: what each player adds to a game's value, averaged over all orders in which players can join.

The parts add up to the value of all players less that of none, and a player's part does not depend on how the others
are told apart where they do not interact. (Shapley, A value for n-person games, 1953.)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw

Orders = npt.NDArray[np.int64]
Coalition = frozenset[int]

EXACT_PLAYERS = 7
"""With so many players, 128 coalitions, or fewer, nothing is sampled."""
PAIRS = 8


def drawn_orders(players: int, draw: Draw) -> Orders | None:
    """(2 `PAIRS`, players): orders, each followed by its reverse; None where all coalitions can be valued.

    Of two players each joins first in one order of a pair and last in the other, so a pair's mean is exact wherever
    players interact two by two at most. Squared errors do so where errors add up: |a + b + ...|^2 has products of two.
    """
    if players <= EXACT_PLAYERS:
        return None
    forward = np.argsort(draw.uniform("attribution.orders", (PAIRS, players)), axis=1)
    return np.stack([forward, forward[:, ::-1]], axis=1).reshape(-1, players)


def with_one_more(orders: Orders, draw: Draw) -> Orders:
    """The same orders with one more player, the last, who joins each pair of them at a drawn place and its mirror."""
    players = orders.shape[1]
    places = (draw.uniform("attribution.one_more", (len(orders) // 2,)) * (players + 1)).astype(np.int64)
    both = np.stack([places, players - places], axis=1).ravel().tolist()
    return np.stack([np.insert(order, place, players) for order, place in zip(orders, both, strict=True)])


def coalitions(players: int, orders: Orders | None) -> set[Coalition]:
    """Those whose values `shapley` needs."""
    if orders is None:
        return {frozenset(some) for size in range(players + 1) for some in combinations(range(players), size)}
    return {joined for order in orders.tolist() for joined in _growing(order)}


def shapley(players: int, value: Mapping[Coalition, float], orders: Orders | None) -> tuple[Array, Array]:
    """(parts, their standard errors), each (players,); the errors are 0 where nothing was sampled.

    Sampled parts add up to the whole, too: they do for every single order.
    """
    if orders is None:
        return np.array([_exact(player, players, value) for player in range(players)]), np.zeros(players)
    parts = np.empty(orders.shape)
    for row, order in zip(parts, orders.tolist(), strict=True):
        row[order] = np.diff([value[joined] for joined in _growing(order)])
    pairs = parts.reshape(-1, 2, players).mean(axis=1)
    return pairs.mean(axis=0), pairs.std(axis=0, ddof=1) / math.sqrt(len(pairs))


def _growing(order: list[int]) -> Iterable[Coalition]:
    return (frozenset(order[:size]) for size in range(len(order) + 1))


def _exact(player: int, players: int, value: Mapping[Coalition, float]) -> float:
    others = [other for other in range(players) if other != player]
    sizes = (
        math.fsum(value[frozenset(some) | {player}] - value[frozenset(some)] for some in combinations(others, size))
        / math.comb(players - 1, size)
        for size in range(players)
    )
    return math.fsum(sizes) / players
