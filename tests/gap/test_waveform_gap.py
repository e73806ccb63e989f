"""Waveforms of circuit and network: at the same times, in volts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from periods import design_of_periods, period

from kanspice.circuit import Switching
from kanspice.engine.solution import Solution, Waveform
from kanspice.gap import compare_waveforms

FIRST = period("Conductance", [(1, 2)], [[1.0]], v_unit=0.5, farads=2e-12, duration=3.0)
SECOND = replace(FIRST, name="l2.period", compares_to="second", period_s=1e-6)
DESIGN = design_of_periods(FIRST, SECOND, start=1, width=1)


def solution(*waveforms):
    return Solution("fake", "1", {}, 2, (), {}, {}, {}, waveforms=waveforms)


def test_the_network_is_asked_for_model_time_since_each_period_began():
    """A unit of time is C V_0 / I_0 = 1 us here, and a unit of voltage half a volt."""
    asked = []

    def follow(sample, times):
        asked.append((sample, times))
        return {name: np.stack([when, 2 * when], axis=1) for name, when in times.items()}

    early, late = np.array([0, 1e-6, 3e-6]), np.array([3e-6, 4e-6])
    volts = np.arange(6.0).reshape(3, 2)
    kept = (Waveform(1, "l1.period", early, volts), Waveform(1, "l2.period", late, volts[:2]))
    (found,) = compare_waveforms(DESIGN, solution(*kept), follow)
    ((sample, times),) = asked
    assert sample == found.sample == 1
    np.testing.assert_allclose(times["l1.period"], [0, 1, 3], rtol=1e-12)
    np.testing.assert_allclose(times["second"], [0, 1], atol=1e-12)
    assert [part.stage for part in found.periods] == ["l1.period", "l2.period"]
    np.testing.assert_array_equal(found.periods[0].time_s, early)
    np.testing.assert_array_equal(found.periods[0].circuit_v, volts)
    np.testing.assert_allclose(found.periods[0].reference_v, [[0, 0], [0.5, 1], [1.5, 3]], rtol=1e-12)
    np.testing.assert_allclose(found.periods[1].reference_v, [[0, 0], [0.5, 1]], atol=1e-12)
    assert (found.outputs, found.unit_v) == ((2,), 0.5)
    np.testing.assert_allclose(found.unit_s, 1e-6)


def test_while_its_clock_is_half_on_a_bank_acts_half_as_long():
    """On for 3 us, edges of 1 us that count half, and held for 2 us."""
    switching = Switching(on_ohm=0.0, off_ohm=np.inf, rise_s=1e-6, hold_s=2e-6)
    since_s = np.array([0, 0.5, 1, 2, 3, 3.5, 4, 6]) * 1e-6
    on_us = [0, 0.125, 0.5, 1.5, 2.5, 2.875, 3, 3]
    asked = {}

    def follow(_sample, times):
        asked.update(times)
        return {name: np.zeros((len(when), 2)) for name, when in times.items()}

    kept = (
        Waveform(0, "l1.period", since_s, np.zeros((8, 2))),
        Waveform(0, "l2.period", since_s[:6] + 6e-6, np.zeros((6, 2))),
    )
    compare_waveforms(replace(DESIGN, switching=switching), solution(*kept), follow)
    np.testing.assert_allclose(asked["l1.period"], on_us, atol=1e-12)
    np.testing.assert_allclose(asked["second"], [0, 0.125, 0.5, 0.5 + 0.5, 1, 1], atol=1e-12)


def test_nothing_kept_is_nothing_compared():
    assert compare_waveforms(DESIGN, solution(), lambda *_: {}) == ()
