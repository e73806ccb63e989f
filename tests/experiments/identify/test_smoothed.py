"""Statistical linearisation: where derivatives at one place mislead."""

from __future__ import annotations

import numpy as np
import pytest

from kanspice.experiments.identify.smoothed import smoothed


def test_straight_lines_are_solved_as_least_squares():
    random = np.random.default_rng(1)
    matrix, truth = random.standard_normal((12, 5)), random.standard_normal(5)
    wanted = matrix @ truth
    found = smoothed(lambda unknowns: (matrix @ unknowns, matrix), wanted, 0.1, 5)
    best = np.linalg.solve(matrix.T @ matrix + 0.01 * np.eye(5), matrix.T @ wanted)
    assert found.unknowns == pytest.approx(best, abs=1e-3)
    assert found.noise == pytest.approx(0.1, rel=1e-6)
    assert found.specimens.mean(axis=0) == pytest.approx(found.unknowns)


def test_a_unit_that_is_cut_off_where_it_begins_is_found():
    """A derivative of 0 at the start tells a plain fit nothing; the specimens around it do."""

    def linear(unknowns):
        return np.maximum(unknowns - 0.5, 0.0), np.diag((unknowns > 0.5).astype(float))

    found = smoothed(linear, np.array([0.8, 0.4]), 0.02, 2)
    assert found.unknowns == pytest.approx([1.3, 0.9], abs=0.1)


def test_specimens_without_an_answer_have_no_say():
    """Those beyond 1.2, and then all: the mean stays where it was."""
    matrix = np.array([[1.0, 0.5], [0.2, 1.0]])

    def linear(unknowns, limit):
        return matrix @ unknowns * (1.0 if unknowns[0] < limit else np.nan), matrix

    found = smoothed(lambda unknowns: linear(unknowns, 1.2), matrix @ [0.3, -0.2], 1e-3, 2)
    assert found.unknowns == pytest.approx([0.3, -0.2], abs=1e-3)
    assert smoothed(lambda unknowns: linear(unknowns, -np.inf), matrix @ [0.3, -0.2], 1e-3, 2).unknowns.tolist() == [
        0,
        0,
    ]
