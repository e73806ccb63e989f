"""How many time steps are taken: enough that what is reported is the circuit's gap, and no more."""

from __future__ import annotations

import numpy as np
import pytest
from periods import design_of_periods, period

from kanspice.engine.ngspice.engine import solve
from kanspice.engine.options import RunOptions
from kanspice.engine.simulators.stepping import Stepping, error_of_finer, relative, steps_for, target

STARTS = np.linspace(-2, 2, 40)[:, None]
BEND = period("ShiftTanh1", [(1, 0)], [[0.5], [3.0]], duration=2.0)
DESIGN = design_of_periods(BEND)


def exact(inputs=STARTS):
    return BEND.ideal_v(DESIGN, inputs)


def solved(inputs=STARTS, *, wrong_by=0.0, **options):
    """The solution for a reference that is `wrong_by` standard deviations away from the exact answer."""
    answer = exact(inputs)
    reference = {"readout": answer + wrong_by * answer.std()}
    return solve(DESIGN, inputs, "device", RunOptions(**options), hints=reference)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_two_results_of_a_rule_of_an_order_say_how_wrong_they_are(order):
    truth, slope = np.array([[1.0], [-2.0]]), np.array([[0.3], [0.5]])
    coarse, fine = truth + slope / 20**order, truth + slope / 40**order
    np.testing.assert_allclose(error_of_finer(coarse, fine, 2.0**order), truth - fine, rtol=1e-10)


def test_differences_are_measured_in_standard_deviations_of_the_outputs():
    outputs = np.array([[0.0, 3.0], [2.0, 3.0]])
    assert relative(np.full((2, 2), 0.1), outputs) == pytest.approx(0.1 / np.sqrt(0.5))
    assert relative(np.full((1, 1), 0.1), outputs[:1]) == pytest.approx(0.1 / np.sqrt(4.5))
    assert relative(np.zeros((1, 1)), np.zeros((1, 1))) == 0.0
    uneven = np.array([[0.2, 0.0], [0.0, 0.0]])
    assert relative(uneven, outputs, cautious=True) > relative(uneven, outputs)


@pytest.mark.parametrize(
    ("gap", "error", "aim"),
    [(None, 1e-3, 5e-4), (1.4e-3, 1e-3, 5e-4), (4e-3, 1e-3, 4e-4), (0.5, 1e-3, 5e-4), (1e-5, 1e-6, 5e-5)],
)
def test_the_aim_is_a_tenth_of_a_gap_that_is_more_than_its_error(gap, error, aim):
    assert target(gap, error) == pytest.approx(aim)


def test_steps_grow_as_the_error_was_seen_to_fall():
    assert steps_for(1e-4, 4e-4, 50) == 100
    assert steps_for(1e-4, 1e-9, 50) == 20
    assert steps_for(1e-4, float("inf"), 50) == 4000
    assert steps_for(1e-4, 8e-4, 50, before=64e-4) == 100
    assert steps_for(1e-4, 4e-4, 50, before=5e-4) == steps_for(1e-4, 4e-4, 50, before=None)
    assert Stepping(4000).is_finest


@pytest.mark.ngspice
def test_a_gap_that_is_only_numerical_gets_the_usual_steps():
    solution = solved()
    error = np.sqrt(np.mean((solution.stage_v["readout"] - exact()) ** 2))
    assert error / exact().std() <= 5e-4
    assert 0.5 * error <= solution.numerical_error.rmse_v <= 2 * error


@pytest.mark.slow
@pytest.mark.ngspice
def test_a_real_gap_gets_an_error_of_a_tenth_of_it():
    usual = solved()
    error = usual.numerical_error.rmse_v / exact().std()
    finer = solved(wrong_by=4 * error)
    assert finer.engine_options["steps"] > usual.engine_options["steps"]
    assert finer.numerical_error.rmse_v / exact().std() <= 1.5 * max(0.4 * error, 5e-5)


@pytest.mark.ngspice
def test_a_few_samples_are_their_own_pilots():
    solution = solved(STARTS[:3])
    assert solution.engine_options["steps"] % 20 == 0
    assert solution.numerical_error.samples == (0, 1, 2)
    error = np.abs(solution.stage_v["readout"] - exact(STARTS[:3])).max()
    assert 0.5 * error <= solution.numerical_error.max_abs_v <= 2 * error


@pytest.mark.ngspice
def test_steps_that_were_asked_for_are_taken():
    assert solved(steps=32, wrong_by=1e-3).engine_options["steps"] == 32
    assert solved(steps=33).engine_options["steps"] == 34
