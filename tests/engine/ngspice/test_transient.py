"""Voltages after a time: against closed forms, how the error falls with the step, and what goes wrong by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake_ngspice import CUT, write_fake
from periods import design_of_periods, period
from scipy.linalg import expm

from kanspice.engine.ngspice.engine import solve
from kanspice.engine.options import RunOptions
from kanspice.engine.solution import Outcome

pytestmark = pytest.mark.ngspice

STARTS = np.array([[1.0], [-0.3], [2.5], [0.0]])
DISCHARGE = period("Conductance", [(1, 0)], [[1.0]])


def voltages(design, inputs, **options):
    solution = solve(design, inputs, "device", RunOptions(**options))
    assert solution.failed == ()
    return solution.stage_v["readout"], solution


# --- against closed forms ---


def test_a_capacitor_discharges_through_a_conductance():
    found, solution = voltages(design_of_periods(DISCHARGE), STARTS, steps=50)
    np.testing.assert_allclose(found, STARTS * np.exp(-1), rtol=1e-4, atol=1e-12)
    error = np.abs(found - STARTS * np.exp(-1)).max()
    assert 0.8 * error <= solution.numerical_error.max_abs_v <= 1.2 * error


def test_a_linear_network_follows_its_matrix_exponential():
    generator = np.random.default_rng(5)
    edges, values = [(1, 0), (2, 1), (3, 2), (0, 3), (1, 3)], generator.normal(size=5)
    matrix = np.zeros((4, 4))
    for (s, d), value in zip(edges, values, strict=True):
        for node, sign in ((s, -1), (d, 1)):
            matrix[node] += sign * value * (np.eye(4)[s] - np.eye(4)[d])
    design = design_of_periods(period("Conductance", edges, values[None, :], v_unit=0.5))
    inputs = generator.normal(size=(5, 3))
    found, _ = voltages(design, inputs, steps=100)
    expected = inputs @ expm(matrix[1:, 1:]).T * 0.5
    np.testing.assert_allclose(found, expected, rtol=0, atol=3e-4 * np.abs(expected).max())
    np.testing.assert_allclose(design.stages[0].ideal_v(design, inputs * 0.5), expected, rtol=0, atol=1e-6)


def test_a_single_tanh_branch_follows_its_closed_form():
    """dv/dt = -tanh(v): sinh(v) falls as e^-t."""
    found, _ = voltages(design_of_periods(period("ShiftTanh1", [(1, 0)], [[0.0], [1.0]])), STARTS, steps=100)
    np.testing.assert_allclose(found, np.arcsinh(np.sinh(STARTS) * np.exp(-1)), rtol=0, atol=1e-4)


def test_the_error_falls_at_least_with_the_square_of_the_step():
    design = design_of_periods(period("ShiftTanh1", [(1, 0)], [[0.5], [3.0]], duration=2.0))
    exact = design.stages[0].ideal_v(design, STARTS)
    errors = [np.abs(voltages(design, STARTS, steps=steps)[0] - exact).max() for steps in (6, 12, 24)]
    ratios = np.array(errors[:-1]) / errors[1:]
    assert (ratios > 4.0).all(), errors


# --- periods in a row ---


@pytest.mark.parametrize("fill", ["zeros", "repeat"])
def test_new_nodes_start_as_told_and_others_are_dropped(fill):
    still = [[0.0], [0.0], [0.0]]
    grows = period("ShiftTanh2", [(5, 0)], still, inputs=2, fill=fill)
    shrinks = period("ShiftTanh2", [(3, 0)], still, inputs=5, index=2)
    design = design_of_periods(grows, shrinks, start=1, width=2)
    inputs = np.array([[1.5, -2.0], [0.25, 0.5]])
    found, solution = voltages(design, inputs)
    expected = np.pad(inputs, ((0, 0), (0, 3))) if fill == "zeros" else np.tile(inputs, (1, 3))[:, :5]
    np.testing.assert_allclose(solution.stage_v["l1.period"], expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found, expected[:, 1:3], rtol=0, atol=1e-12)


def test_smaller_capacitors_are_faster_and_change_nothing_else():
    slow, fast = (
        design_of_periods(period("ShiftTanh2", [(1, 0), (0, 1)], [[1.0, 2.0], [0.0, -1.0], [0.3, 0.1]], farads=farads))
        for farads in (1e-12, 1e-15)
    )
    assert fast.inference_s == pytest.approx(slow.inference_s * 1e-3)
    np.testing.assert_allclose(voltages(fast, STARTS)[0], voltages(slow, STARTS)[0], rtol=0, atol=1e-9)


@pytest.mark.slow
def test_jobs_change_nothing():
    design = design_of_periods(DISCHARGE, replace(DISCHARGE, name="l2.period", compares_to="l2.period"))
    inputs = np.linspace(-1, 1, 7)[:, None]
    np.testing.assert_array_equal(voltages(design, inputs, jobs=3)[0], voltages(design, inputs)[0])


# --- what goes wrong ---

# dv/dt = relu(2000 v): positive voltages explode, others stay.
EXPLODES = period("ShiftRelu2", [(0, 1)], [[0.0], [2000.0], [0.0]])


@pytest.mark.slow
def test_a_sample_that_diverges_is_named_and_the_others_kept():
    starts = np.array([[-1.0], [-0.5], [1.0], [0.0], [-2.0]])
    counted = []
    solution = solve(design_of_periods(EXPLODES), starts, "device", progress=counted.append)
    assert [(failure.index, failure.outcome) for failure in solution.failed] == [(2, Outcome.DIVERGED)]
    kept = [0, 1, 3, 4]
    np.testing.assert_allclose(solution.stage_v["readout"][kept], starts[kept], rtol=0, atol=1e-9)
    assert np.isnan(solution.stage_v["readout"][2]).all()
    assert sum(advance.samples for advance in counted if advance.side_run is None) == pytest.approx(5)


def test_a_deadline_ends_what_is_not_finished():
    solution = solve(design_of_periods(DISCHARGE), STARTS, "device", RunOptions(timeout_s=0.0))
    assert {failure.outcome for failure in solution.failed} == {Outcome.TIMED_OUT}
    assert solution.numerical_error is None


def test_results_that_are_cut_off_are_no_results(tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, CUT)))
    solution = solve(design_of_periods(DISCHARGE), STARTS, "device")
    assert {failure.outcome for failure in solution.failed} == {Outcome.CRASHED}
