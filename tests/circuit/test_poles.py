"""Poles of a column with a one-pole amplifier, against closed forms, state equations and a hand calculation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import PEAK, crossbar_design
from scipy.linalg import eigvals

from kanspice.circuit.poles import FEEDBACK_F, FeedbackLoop, column_poles, crossbar_poles, damping, least_feedback_f
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.solution import Outcome

TURN = 2 * np.pi * 1e6


def loop(ohm=1e6, farads=0.0, output_ohm=0.0, gain=np.inf, bandwidth_hz=1e6):
    return FeedbackLoop(ohm, farads, output_ohm, gain, bandwidth_hz)


def poles_of(siemens, farads, **parts):
    return column_poles(np.array(siemens), np.array(farads), loop(**parts))


@pytest.mark.parametrize("gain", [50.0, 1e4, 1e12])
@pytest.mark.parametrize("siemens", [3e-5, 0.0, -0.9e-6, -1.1e-6, -4e-5])
@pytest.mark.parametrize("farads", [1e-15, 2e-12, 1e-9])
def test_they_are_the_eigenvalues_of_the_state_equations(gain, siemens, farads):
    """States: column voltage v and op-amp output e, T e' = -A v - e, C v' = -g v - (v - e) / R."""
    ohm = 1e6
    found = poles_of(siemens, farads, gain=gain)
    assert found[2] == -np.inf
    matrix = [[-(siemens + 1 / ohm) / farads, 1 / ohm / farads], [-TURN, -TURN / gain]]
    agree(found[:2], eigvals(matrix))


@pytest.mark.parametrize("siemens", [3e-5, -1.1e-6, -4e-5])
@pytest.mark.parametrize("output_ohm", [1e3, 2e5])
def test_with_a_feedback_capacitor_behind_a_resistance_there_is_a_third_one(siemens, output_ohm):
    """States: column v, op-amp e, output u: Cf (v - u)' + (v - u) / R = (u - e) / Ro, and that leaves the column."""
    ohm, farads, feedback_f, gain = 1e6, 2e-12, 3e-13, 1e4
    # (v - u)' from the second, v' from the first, and so u'
    fed = np.array([-1 / ohm, -1 / output_ohm, 1 / ohm + 1 / output_ohm]) / feedback_f
    column = np.array([-siemens, 1 / output_ohm, -1 / output_ohm]) / farads
    matrix = [column, [-TURN, -TURN / gain, 0.0], column - fed]
    found = column_poles(np.array(siemens), np.array(farads), loop(ohm, feedback_f, output_ohm, gain))
    agree(found, eigvals(matrix))


def agree(found, expected):
    for part in ("real", "imag"):
        ours, theirs = (np.sort(getattr(poles, part)) for poles in (found, expected))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9 * np.abs(expected).max())


def test_an_ideal_column_settles_with_the_amplifiers_bandwidth():
    """No capacitance, no devices, infinite gain: -2 pi GBW; devices of g slow it to the noise gain 1 + g R."""
    found = column_poles(np.array([0.0, 4e-6, -0.5e-6]), np.zeros(3), loop())
    np.testing.assert_allclose(found[:, 0].real, -TURN / np.array([1.0, 5.0, 0.5]))
    assert np.all(found[:, 1:].real == -np.inf)


def test_falls_that_outweigh_the_feedback_run_away_without_capacitance_and_oscillate_with_it():
    assert poles_of(-3e-6, 0.0).real.max() == np.inf
    pair = poles_of(-1.1e-6, 1e-12)[:2]
    assert pair.real.min() > 0
    np.testing.assert_allclose(np.abs(pair), np.sqrt(1e-6 * TURN / 1e-12))  # sqrt(turn / (R C))
    assert np.abs(pair.imag).min() > 1e5


def test_an_amplifier_at_its_swing_holds_nothing():
    """The column then has its devices and the resistors only: 1 / R is less than what falls."""
    follows, limited = (replace(loop(bandwidth_hz=1e9), follows=follows) for follows in (True, False))
    assert column_poles(np.array(-1.1e-6), np.array(1e-12), follows).real.max() < 1e6
    found = column_poles(np.array(-1.1e-6), np.array(1e-12), limited)
    np.testing.assert_allclose(found.real.max(), 0.1e-6 / 1e-12)


def test_the_capacitor_of_the_closed_form_is_found():
    """-28 uA/V at 1e8 Hz: w F = 28 uS less 1 / R, to 24 values a decade; 0.7 takes more; a slow column none."""
    siemens, farads, at = np.array([-28e-6]), np.array([1e-13]), loop(bandwidth_hz=1e8)
    least_f = (28e-6 - 1e-6) / (2 * np.pi * 1e8)
    found_f, reached = least_feedback_f(siemens, farads, at, 0.0)
    assert least_f < found_f < 1.11 * least_f
    assert 0 <= reached < 0.1
    damped_f, reached = least_feedback_f(siemens, farads, at, 0.7)
    assert found_f < damped_f < 2e-13
    assert reached >= 0.7
    square, linear = 1e-13 + damped_f, -28e-6 + 1e-6 + 2 * np.pi * 1e8 * damped_f
    assert reached == pytest.approx(linear / 2 / np.sqrt(square * 2 * np.pi * 1e8 * 1e-6))
    assert least_feedback_f(np.array([1e-6]), np.zeros(1), at, 0.7) == (0.0, 1.0)


def test_where_no_capacitor_is_enough_it_is_the_one_that_damps_most():
    """A gain of 20 does not outweigh 30 uA/V behind 1 Mohm, whatever the capacitor."""
    found_f, reached = least_feedback_f(np.array([-30e-6]), np.array([1e-12]), loop(gain=20.0), 0.7)
    assert found_f in FEEDBACK_F
    assert reached < 0


def test_damping_is_that_of_the_pair_that_swings_most():
    poles = np.array([[-3.0 + 4.0j, -3.0 - 4.0j, -np.inf], [-1.0, -2.0, 1.0], [-1.0, -2.0, np.inf], [-1.0, -2.0, -3.0]])
    np.testing.assert_allclose(damping(poles), [0.6, -1.0, -1.0, 1.0])


def test_a_column_on_a_falling_current_is_held_by_a_fast_amplifier_or_by_a_capacitor():
    """-2 uA/V behind 1 Mohm and a gain of 99: 1 uA/V is missing, and 1e-12 F need 1e-6 * 99 / (2 pi 1e-12) Hz."""
    needed_hz = 1e-6 * 99 / (2 * np.pi * 1e-12)
    rows_v, columns_v = np.array([[0.3], [0.7]]), np.zeros((2, 2))
    for part, feedback_f, moves in ((0.99, 0.0, True), (1.01, 0.0, False), (0.99, 1e-14, False)):
        design = crossbar_design([PEAK], [[[1.0]]], gain=99.0)
        amplifiers = {"gbw_hz": part * needed_hz, "feedback_f": np.full(2, feedback_f)}
        crossbar = replace(design.stages[1], column_f=1e-12, **amplifiers)
        columns = crossbar_poles(design, crossbar, rows_v, columns_v)
        assert (columns.poles.real > 0).any(axis=(1, 2)).tolist() == [False, moves]
        np.testing.assert_allclose(columns.siemens[1], [-2e-6, 0.0])


@pytest.mark.parametrize(("gain", "output_ohm"), [(np.inf, 0.0), (np.inf, 1e4), (1e9, 0.0), (1e9, 1e4)])
def test_an_amplifier_beyond_its_swing_holds_nothing_whatever_its_gain(gain, output_ohm):
    """0.6 uA from the peak at 0.7 V ask 0.6 V of 1 Mohm: a swing of 0.7 V is enough, one of 0.5 V is not.

    What is left then is the feedback resistor's 1 uS, less than the 2 uS of the falling current.
    """
    for swing_v, held in ((0.7, True), (0.5, False)):
        design = crossbar_design([PEAK], [[[1.0]]], gain=gain)
        parts = {"output_ohm": output_ohm, "feedback_f": np.full(2, 1e-12), "column_f": 1e-13, "gbw_hz": 1e9}
        crossbar = replace(design.stages[1], swing_v=swing_v, **parts)
        columns = crossbar_poles(design, crossbar, np.array([[0.7]]), np.array([[-0.6 / gain, 0.0]]))
        assert columns.loop.follows.tolist() == [[held, True]]
        assert (columns.poles.real.max() > 0) == (not held)


def test_a_sample_that_such_an_amplifier_does_not_hold_is_unstable_and_says_why():
    """The same column, through the solver: 0.25 V asks less than the swing and keeps its result."""
    design = crossbar_design([PEAK], [[[1.0]]])
    crossbar = replace(design.stages[1], swing_v=0.59, gbw_hz=1e9, column_f=1e-13, feedback_f=np.full(2, 1e-12))
    held = replace(design, stages=(design.stages[0], crossbar))
    solution = solve("batched", held, np.array([[0.25], [0.7]]), "device", RunOptions(check_samples=0))
    (failure,) = solution.failed
    assert (failure.index, failure.outcome) == (1, Outcome.UNSTABLE)
    assert "its amplifier is at its swing of 0.59 V" in failure.detail
