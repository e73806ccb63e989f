"""Poles of a column with a one-pole amplifier, against closed forms and a time integration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import PEAK, crossbar_design
from scipy.linalg import eigvals

from kanspice.design.poles import column_poles, least_bandwidth_hz, restless

TURN = 2 * np.pi * 1e6


@pytest.mark.parametrize("gain", [50.0, 1e4, 1e12])
@pytest.mark.parametrize("siemens", [3e-5, 0.0, -0.9e-6, -1.1e-6, -4e-5])
@pytest.mark.parametrize("farads", [1e-15, 2e-12, 1e-9])
def test_they_are_the_eigenvalues_of_the_state_equations(gain, siemens, farads):
    """States: column voltage v and op-amp output e, T e' = -A v - e, C v' = -g v - (v - e) / R."""
    ohm = 1e6
    found = column_poles(np.array(siemens), np.array(farads), np.array(ohm), gain=gain, bandwidth_hz=1e6)
    matrix = [[-(siemens + 1 / ohm) / farads, 1 / ohm / farads], [-TURN, -TURN / gain]]
    expected = eigvals(matrix)
    expected = expected[np.argsort(np.abs(expected))]
    np.testing.assert_allclose(np.sort(found[np.argsort(np.abs(found))].real), np.sort(expected.real), rtol=1e-6)
    np.testing.assert_allclose(np.abs(found.imag).max(), np.abs(expected.imag).max(), rtol=1e-6)


def test_an_ideal_column_settles_with_the_amplifiers_bandwidth():
    """No capacitance, no devices, infinite gain: -2 pi GBW; devices of g slow it to the noise gain 1 + g R."""
    found = column_poles(np.array([0.0, 4e-6, -0.5e-6]), np.zeros(3), np.full(3, 1e6), gain=np.inf, bandwidth_hz=1e6)
    np.testing.assert_allclose(found[:, 0].real, -TURN / np.array([1.0, 5.0, 0.5]))
    assert np.all(found[:, 1].real == -np.inf)


def test_falls_that_outweigh_the_feedback_run_away_without_capacitance_and_oscillate_with_it():
    args = {"gain": np.inf, "bandwidth_hz": 1e6}
    assert column_poles(np.array(-3e-6), np.array(0.0), np.array(1e6), **args).real.max() == np.inf
    pair = column_poles(np.array(-1.1e-6), np.array(1e-12), np.array(1e6), **args)
    assert pair.real.min() > 0
    np.testing.assert_allclose(np.abs(pair), np.sqrt(1e-6 * TURN / 1e-12))  # sqrt(turn / (R C))
    assert np.abs(pair.imag).min() > 1e5


def test_the_least_bandwidth_is_where_a_pair_of_poles_crosses_the_axis():
    siemens, farads, ohm = np.array([-2e-6, 1e-6]), np.full(2, 5e-12), np.full(2, 1e6)
    least = least_bandwidth_hz(siemens, farads, ohm, gain=1e3)
    assert least[1] == 0
    for part, sign in ((0.99, 1), (1.01, -1)):
        poles = column_poles(siemens[0], farads[0], ohm[0], gain=1e3, bandwidth_hz=part * least[0])
        assert np.sign(poles.real.max()) == sign
    assert least_bandwidth_hz(siemens, farads, ohm, gain=np.inf)[0] == np.inf
    assert least_bandwidth_hz(siemens, np.zeros(2), ohm, gain=1e3)[0] == np.inf


def test_a_column_on_a_falling_current_is_held_by_a_fast_amplifier_only():
    """-2 uA/V behind 1 Mohm and a gain of 99: 1 uA/V is missing, and 1e-12 F need 1e-6 * 99 / (2 pi 1e-12) Hz."""
    needed = 1e-6 * 99 / (2 * np.pi * 1e-12)
    rows_v, columns_v = np.array([[0.3], [0.7]]), np.zeros((2, 2))
    for part, moves in ((0.99, [False, True]), (1.01, [False, False])):
        design = crossbar_design([PEAK], [[[1.0]]], gain=99.0)
        crossbar = replace(design.stages[1], gbw_hz=part * needed, column_f=1e-12)
        found, least = restless(design, crossbar, rows_v, columns_v)
        assert found.tolist() == moves
        assert least == pytest.approx(needed if any(moves) else 0.0)
