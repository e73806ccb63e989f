"""Shapley values against games whose answers are known."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest

from kanspice.base.draws import Draw
from kanspice.gap.shapley import EXACT_PLAYERS, PAIRS, coalitions, drawn_orders, shapley


def played(players, worth, draw=None):
    """(parts, errors, the whole) of the game `worth` of a coalition."""
    orders = drawn_orders(players, draw or Draw())
    value = {some: worth(some) for some in coalitions(players, orders)}
    parts, errors = shapley(players, value, orders)
    return parts, errors, worth(frozenset(range(players))) - worth(frozenset())


def test_gloves():
    """Two left gloves, one right: only a pair is worth anything, and most of it is the right one's."""
    parts, errors, _ = played(3, lambda some: float(2 in some and len(some) > 1))
    assert parts == pytest.approx([1 / 6, 1 / 6, 4 / 6])
    assert errors.tolist() == [0.0, 0.0, 0.0]


def test_exact_parts_are_the_mean_over_all_orders():
    worth = {some: math.sin(37 * sum(2**player for player in some)) for some in coalitions(4, None)}
    parts, _, _ = played(4, worth.__getitem__)
    orders = list(permutations(range(4)))
    expected = np.zeros(4)
    for order in orders:
        for place, player in enumerate(order):
            expected[player] += worth[frozenset(order[: place + 1])] - worth[frozenset(order[:place])]
    assert parts == pytest.approx(expected / len(orders))


def test_nobody_and_one():
    assert played(0, lambda some: 1.0)[0].tolist() == []
    assert played(1, lambda some: 2.0 + len(some))[0].tolist() == [1.0]


def test_few_players_need_every_coalition_and_many_a_fixed_number():
    assert drawn_orders(EXACT_PLAYERS, Draw()) is None
    assert len(coalitions(EXACT_PLAYERS, None)) == 2**EXACT_PLAYERS
    orders = drawn_orders(12, Draw())
    assert orders.shape == (2 * PAIRS, 12)
    assert (np.sort(orders, axis=1) == np.arange(12)).all()
    assert (orders[1::2] == orders[::2, ::-1]).all()
    assert len(coalitions(12, orders)) <= 2 * PAIRS * 11 + 2


def test_orders_are_those_of_the_seed():
    assert (drawn_orders(9, Draw(3)) == drawn_orders(9, Draw(3))).all()
    assert (drawn_orders(9, Draw(3)) != drawn_orders(9, Draw(4))).any()


def test_pairs_of_orders_are_exact_for_errors_that_add_up():
    """The square of a sum has products of two players at most: player i's part is e_i times the sum."""
    errors = np.random.default_rng(0).normal(size=(10, 40))
    found, uncertainty, whole = played(10, lambda some: float((errors[sorted(some)].sum(axis=0) ** 2).mean()))
    expected = (errors * errors.sum(axis=0)).mean(axis=1)
    assert found == pytest.approx(expected, abs=1e-12)
    assert uncertainty == pytest.approx(np.zeros(10), abs=1e-12)
    assert found.sum() == pytest.approx(whole)


def test_sampled_parts_add_up_and_their_errors_are_true():
    """Over many draws, distances from the exact parts are as large as their standard errors, and cancel."""
    strength = np.random.default_rng(1).uniform(0.1, 0.6, size=9)

    def worth(some):
        return math.tanh(sum(strength[player] for player in some)) ** 2

    every = {some: worth(some) for some in coalitions(9, None)}
    exact, _ = shapley(9, every, None)
    distances, claimed = [], []
    for seed in range(60):
        parts, errors, whole = played(9, worth, Draw(seed))
        assert parts.sum() == pytest.approx(whole)
        distances.append(parts - exact)
        claimed.append(errors)
    true, stated = np.sqrt(np.mean(np.square(distances), axis=0)), np.sqrt(np.mean(np.square(claimed), axis=0))
    assert true / stated == pytest.approx(np.ones(9), abs=0.35)
    assert np.mean(true / stated) == pytest.approx(1.0, abs=0.1)
    assert np.abs(np.mean(distances, axis=0)).max() < 3 * stated.max() / np.sqrt(60)
