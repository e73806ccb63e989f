"""Every sample takes its own steps: exact solutions, corners, explosions."""

from __future__ import annotations

import time

import numpy as np
import pytest

from kanspice.solver.integrator import KINKED, SMOOTH, Tolerance, follow

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
