"""All periods in one circuit, with clocks and switches: against closed forms and against periods by themselves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from periods import design_of_periods, period

from kanspice.circuit import Switching
from kanspice.circuit.bounds import is_settled
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.options import RunOptions
from kanspice.engine.solution import Outcome

pytestmark = pytest.mark.ngspice

IDEAL = Switching(on_ohm=0.0, off_ohm=math.inf, rise_s=1e-12, hold_s=0.0)
STARTS = np.array([[1.0, -0.5], [-0.3, 2.0], [0.0, 0.25]])
TANH = np.array([[1.0, -2.0, 0.7], [0.5, 1.5, -0.4], [0.3, 0.1, -0.2]])
FIRST = period("ShiftTanh2", [(1, 2), (2, 1), (0, 1)], TANH, duration=0.8)
SECOND = period("ShiftTanh1", [(2, 1), (1, 0)], [[0.4, -0.1], [2.0, -1.0]], nodes=2, duration=0.5, index=2)


def switched(*periods, switching=IDEAL, **readout):
    return replace(design_of_periods(*periods, **readout), switching=switching)


def voltages(design, inputs, steps=100):
    solution = solve(design, inputs, "device", RunOptions(steps=steps, check_samples=2))
    assert solution.failed == ()
    return solution


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"rise_s": 2e-7}, {"hold_s": 3e-7}, {"rise_s": 4e-7, "hold_s": 1e-7}])
def test_clocks_that_do_not_overlap_change_nothing_however_slow(changes):
    """A bank that is partly on is the same bank, slower: its branches' currents go through its clock together."""
    design = switched(FIRST, SECOND, switching=replace(IDEAL, **changes))
    solution = voltages(design, STARTS)
    first_v = FIRST.ideal_v(design, STARTS)
    second_v = SECOND.ideal_v(design, first_v)
    np.testing.assert_allclose(solution.stage_v["l1.period"], first_v, rtol=0, atol=3e-5)
    np.testing.assert_allclose(solution.stage_v["readout"], second_v, rtol=0, atol=3e-5)
    between_s = sum(changes.values())
    assert design.inference_s == pytest.approx(1.3e-6 + 2 * between_s, rel=1e-5)
    assert 0 < solution.numerical_error.rmse_v < 1e-4


def test_a_switch_that_conducts_badly_slows_its_bank_down():
    """1 uS behind 250 kohm is 0.8 uS."""
    design = switched(period("Conductance", [(1, 0)], [[1.0]]), switching=replace(IDEAL, on_ohm=2.5e5))
    found = voltages(design, np.array([[1.0], [-2.0]])).stage_v["readout"]
    np.testing.assert_allclose(found, np.array([[1.0], [-2.0]]) * np.exp(-0.8), rtol=1e-4)


def test_a_switch_that_is_off_leaks_while_its_bank_is_not_on():
    """1 pF through 10 Mohm for as long as the clocks of both banks, added up, are not on."""
    still = [period("ShiftTanh1", [(1, 0)], [[0.0], [0.0]], index=index) for index in (1, 2)]
    design = switched(*still, switching=Switching(0.0, 1e7, rise_s=1e-7, hold_s=5e-7))
    found = voltages(design, np.array([[1.0]])).stage_v["readout"]
    off_s = 2 * design.inference_s - 2 * 1e-6
    np.testing.assert_allclose(found, [[np.exp(-off_s / 1e-5)]], rtol=1e-4)


def test_a_node_that_went_comes_back_at_0_v():
    still = {"theta": [[0.0], [0.0]]}
    periods = [
        period("ShiftTanh1", [(1, 0)], nodes=3, index=1, **still),
        period("ShiftTanh1", [(1, 0)], nodes=1, inputs=3, index=2, **still),
        period("ShiftTanh1", [(1, 0)], nodes=2, inputs=1, index=3, **still),
    ]
    solution = voltages(switched(*periods), np.array([[1.0, 2.0, 3.0]]))
    np.testing.assert_allclose(solution.stage_v["l1.period"], [[1, 2, 3]], atol=1e-12)
    np.testing.assert_allclose(solution.stage_v["l2.period"], [[1]], atol=1e-12)
    np.testing.assert_allclose(solution.stage_v["readout"], [[1, 0]], atol=1e-12)


def test_a_sample_that_diverges_is_named_and_the_others_kept():
    explodes = period("ShiftRelu2", [(0, 1)], [[0.0], [2000.0], [0.0]])
    starts = np.array([[-1.0], [1.0], [-2.0]])
    solution = solve(switched(explodes), starts, "device", RunOptions(steps=20))
    assert [(failure.index, failure.outcome) for failure in solution.failed] == [(1, Outcome.DIVERGED)]
    np.testing.assert_allclose(solution.stage_v["readout"][[0, 2]], starts[[0, 2]], atol=1e-9)


def test_a_bank_that_might_settle_in_several_states_is_told_apart():
    """Two branches of slope 1 at a node, whose current both its ends control: 4 uS behind less than 250 kohm."""
    edges = period("Conductance", [(1, 2), (1, 2)], [[1.0, -1.0]])
    assert is_settled(switched(edges, switching=replace(IDEAL, on_ohm=2.4e5)))
    assert not is_settled(switched(edges, switching=replace(IDEAL, on_ohm=2.6e5)))
    assert is_settled(design_of_periods(edges))


@pytest.mark.slow
def test_clocks_add_no_error_that_more_steps_would_not_mend():
    """Ngspice begins anew at every corner of a clock, with a step of the first order: here it would add 4e-4."""
    short = [period("ShiftTanh2", [(1, 2), (2, 1), (0, 1)], 3 * TANH, duration=0.2, index=i) for i in range(1, 9)]
    design, expected_v = switched(*short, switching=replace(IDEAL, rise_s=1e-8)), STARTS
    for part in short:
        expected_v = part.ideal_v(design, expected_v)
    solution = voltages(design, STARTS, steps=20)
    assert np.sqrt(np.mean((solution.stage_v["readout"] - expected_v) ** 2)) <= 5e-5
