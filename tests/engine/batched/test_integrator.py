"""Every sample takes its own steps: exact solutions, corners, explosions."""

from __future__ import annotations

import time

import numpy as np
import pytest

from kanspice.engine.batched.integrator import KINKED, PULLED, SMOOTH, Tolerance, follow

METHODS = pytest.mark.parametrize("method", [SMOOTH, KINKED], ids=["smooth", "kinked"])


@METHODS
def test_circles_close(method):
    rates = np.array([1.0, 20.0, 0.1])
    start = np.tile([1.0, 0.0], (3, 1))

    def turn(time, state):
        speed = rates[: len(state)]
        return np.stack([-speed * state[:, 1], speed * state[:, 0]], axis=1)

    ends = [follow(turn, start[:1], (0, 2.0), method, Tolerance()).end[0]]
    np.testing.assert_allclose(ends[0], [np.cos(2), np.sin(2)], rtol=0, atol=1e-8)


@METHODS
def test_a_corner_is_found_by_shorter_steps(method):
    """v' = max(t - 1, 0), so v = (t - 1)^2 / 2 after 1."""
    found = follow(lambda t, v: np.maximum(t - 1, 0)[:, None], np.zeros((1, 1)), (0, 3.0), method, Tolerance())
    assert found.end[0, 0] == pytest.approx(2.0, abs=1e-8)
    assert found.reached[0] == 3.0


@METHODS
def test_what_explodes_stops_and_disturbs_nobody(method):
    """v' = v^2 reaches infinity at 1 / v(0)."""
    start = np.array([[0.1], [2.0], [-1.0]])
    found = follow(lambda t, v: v**2, start, (0, 1.0), method, Tolerance())
    assert found.reached[[0, 2]] == pytest.approx(1.0)
    assert found.reached[1] == pytest.approx(0.5, rel=1e-6)
    alone = follow(lambda t, v: v**2, start[[0, 2]], (0, 1.0), method, Tolerance())
    np.testing.assert_allclose(found.end[[0, 2]], alone.end, rtol=1e-12)
    np.testing.assert_allclose(alone.end[:, 0], [0.1 / 0.9, -0.5], rtol=1e-8)


def test_no_time_left_is_said():
    found = follow(lambda t, v: -v, np.ones((2, 1)), (0, 1.0), SMOOTH, Tolerance(), deadline=time.monotonic() - 1)
    assert found.late.all()
    assert (found.reached == 0).all()


def test_no_time_at_all_changes_nothing():
    found = follow(lambda t, v: v / 0, np.ones((2, 1)), (1.0, 1.0), SMOOTH, Tolerance())
    assert (found.end == 1).all()
    assert (found.reached == 1).all()


@METHODS
def test_every_sample_may_end_at_a_time_of_its_own(method):
    stops = np.array([0.5, 0.0, 2.0, -1.0])
    found = follow(lambda t, v: -v, np.ones((4, 1)), (0.0, stops), method, Tolerance())
    np.testing.assert_allclose(found.end[:, 0], np.exp(-np.maximum(stops, 0)), rtol=1e-8)
    np.testing.assert_array_equal(found.reached, stops)


# --- what is pulled back by itself ---


class Spring:
    """v' = -rate (v - sin t), besides what else changes it."""

    def __init__(self, rate):
        self.rate = rate

    def slope(self, time, state):
        return -self.rate * (state - np.sin(time)[:, None])

    def settled(self, time, state, step):
        weight = self.rate * step[:, None]
        return (state + weight * np.sin(time)[:, None]) / (1 + weight)

    def eased(self, error, step):
        return error


def ended(slope, pull, tolerance, start=0.0):
    return follow(slope, np.full((2, 1), start), (0.0, 3.0), PULLED, tolerance, pull=pull)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [1.0, 1e3, 1e6])
def test_what_is_pulled_hard_needs_no_short_steps(rate):
    """v' = cos t - rate (v - sin t) is v = sin t, from 0; explicit steps would have to be shorter than 3 / rate."""
    calls = []

    def slope(time, _state):
        calls.append(time)
        return np.cos(time)[:, None]

    found = ended(slope, Spring(rate), Tolerance(1e-7, 1e-8))
    np.testing.assert_allclose(found.end, np.sin(3.0), rtol=0, atol=1e-6)
    assert len(calls) < 10_000


def test_both_parts_are_of_order_four():
    """v' = v cos t - (v - sin t): a tolerance a 10,000th as large has an error that is as much smaller, or nearly."""

    def error(tolerance):
        found = ended(lambda t, v: v * np.cos(t)[:, None], Spring(1.0), tolerance, start=1.0)
        exact = follow(
            lambda t, v: v * np.cos(t)[:, None] - (v - np.sin(t)[:, None]),
            np.ones((2, 1)),
            (0.0, 3.0),
            SMOOTH,
            Tolerance(1e-13, 1e-13),
        )
        return np.abs(found.end - exact.end).max()

    assert error(Tolerance(1e-10, 1e-10)) < error(Tolerance(1e-6, 1e-6)) / 1e3


def test_the_additive_methods_conditions_of_order():
    """Of its weights with either table, and with both in turn (Kennedy and Carpenter 2003)."""
    explicit, implicit, b, c = PULLED.a, PULLED.implicit, PULLED.b, PULLED.c
    embedded = b - PULLED.main[:-1]
    for weights, order in ((b, 4), (embedded, 3)):
        conditions = [(weights.sum(), 1), (weights @ c, 1 / 2), (weights @ c**2, 1 / 3)]
        conditions += [(weights @ first @ c, 1 / 6) for first in (explicit, implicit)]
        if order == 4:
            conditions.append((weights @ c**3, 1 / 4))
            for first in (explicit, implicit):
                conditions += [(weights @ (c * (first @ c)), 1 / 8), (weights @ first @ c**2, 1 / 12)]
                conditions += [(weights @ first @ second @ c, 1 / 24) for second in (explicit, implicit)]
        np.testing.assert_allclose(*zip(*conditions, strict=True), rtol=1e-13)
    for table in (explicit, implicit):
        np.testing.assert_allclose(table.sum(axis=1), c, rtol=1e-13)
