"""Slew rates, noise, offsets from part to part, other states: against closed forms, and on parts that are made bad."""

from __future__ import annotations

import math

import numpy as np
import pytest
from known_amplifier import KnownAmplifier

from kanspice.engine.ngspice.characterise.curves import noise_parts
from kanspice.engine.ngspice.characterise.measure import measure
from kanspice.subcircuits.characterisation import Load

KNOWN = KnownAmplifier()
_UNLOADED = Load(farad=0.0)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return measure(KNOWN.amplifier(tmp_path_factory.mktemp("known")), _UNLOADED, draws=0, seed=0)


@pytest.mark.ngspice
def test_a_slew_rate_is_that_of_the_pole(known):
    assert known.figures.slew_up_v_per_s == pytest.approx(KNOWN.slew_v_per_s, rel=1e-2)
    assert known.figures.slew_down_v_per_s == pytest.approx(KNOWN.slew_v_per_s, rel=1e-2)


@pytest.mark.ngspice
def test_white_noise_is_that_of_the_resistor(known):
    thermal = math.sqrt(4 * 1.380649e-23 * 300.15 * KNOWN.noise_ohm)
    assert known.figures.noise_v_per_rthz == pytest.approx(thermal, rel=1e-3)
    assert known.figures.noise_corner_hz == 0.0


@pytest.mark.ngspice
def test_a_good_part_starts_and_recovers_and_has_one_state(known):
    assert known.states.others is None
    assert known.steps.oscillation is None
    half_v = known.benches.half_v
    assert [(start.is_right(half_v), start.recovers(half_v)) for start in known.states.starts] == [(True, True)] * 2
    assert known.figures.why_not == {"offset_sigma_v": "the model says nothing of how parts differ"}


@pytest.mark.ngspice
def test_a_part_that_is_not_stable_as_a_follower_oscillates(tmp_path):
    fast = KnownAmplifier(gbw_hz=1e7, second_hz=1e6, slew_v_per_s=1e7)
    third = fast.netlist().replace("Bl l 0 v=", "Rt y t 1k\nCt t 0 159p\nBl l 0 v=").replace("tanh(v(y)/", "tanh(v(t)/")
    found = measure(fast.amplifier(tmp_path, text=third), _UNLOADED, draws=0, seed=0)
    assert found.figures.phase_margin_deg < 0
    assert found.steps.oscillation.hertz == pytest.approx(found.figures.unity_hz, rel=0.5)


@pytest.mark.ngspice
def test_a_slew_rate_beyond_the_bandwidth_is_none(tmp_path):
    fast = KnownAmplifier(slew_v_per_s=1e9)
    found = measure(fast.amplifier(tmp_path, text=fast.netlist()), _UNLOADED, draws=0, seed=0).figures
    assert found.slew_v_per_s is None
    assert "no limit seen" in found.why_not["slew_up_v_per_s"]


@pytest.mark.ngspice
def test_a_part_that_latches_when_its_input_is_pulled_down_is_seen(tmp_path):
    """Its inputs exchange their roles where the inverting one is 0.6 V below the middle, as in a phase reversal."""
    reversed_ = KNOWN.netlist().replace("(v(ir)-v(im))", "(v(ir)-v(im))*tanh((v(im)+0.6)/0.05)")
    states = measure(KNOWN.amplifier(tmp_path, text=reversed_), _UNLOADED, draws=0, seed=0).states
    assert states.others is not None
    assert states.others.low < 0
    assert states.other_v < -1.0


@pytest.mark.parametrize("corner_hz", [0.0, 30.0, 2e5])
def test_white_and_falling_noise_are_told_apart(corner_hz):
    hertz = np.logspace(-1, 7, 81)
    density = 1e-8 * np.sqrt(1 + corner_hz / hertz)
    found = noise_parts(hertz, density, 3e6)
    assert found.white_v_per_rthz == pytest.approx(1e-8, rel=2e-2)
    assert found.corner_hz == pytest.approx(corner_hz, rel=5e-2)


def test_white_noise_that_is_not_seen_is_none():
    hertz = np.logspace(-1, 7, 81)
    assert noise_parts(hertz, 1e-6 / np.sqrt(hertz), 3e6).white_v_per_rthz is None
