"""Figures at rest and for small signals, against closed forms."""

from __future__ import annotations

import math

import pytest
from known_amplifier import KnownAmplifier

from kanspice.base.errors import InputError, SimulatorError
from kanspice.engine.ngspice.characterise.measure import characterised
from kanspice.subcircuits.characterisation import Load

pytestmark = pytest.mark.ngspice
KNOWN = KnownAmplifier()


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    return characterised(KNOWN.amplifier(tmp_path_factory.mktemp("known")), Load(farad=0.0))


def test_figures_of_an_amplifier_in_closed_form(figures):
    assert figures.gain == pytest.approx(KNOWN.gain, rel=1e-3)
    assert figures.output_ohm == pytest.approx(KNOWN.output_ohm, rel=1e-3)
    assert figures.output_fast_ohm == pytest.approx(KNOWN.output_ohm, rel=1e-2)
    assert figures.offset_v == pytest.approx(KNOWN.offset_v, rel=2e-3)
    assert figures.bias_a == pytest.approx(KNOWN.bias_a, rel=1e-3)
    assert figures.offset_a == pytest.approx(KNOWN.offset_a, rel=2e-2)
    assert figures.inverting_ohm == pytest.approx(KNOWN.input_ohm, rel=1e-2)
    assert figures.quiescent_a == pytest.approx(KNOWN.quiescent_a, rel=1e-3)
    assert figures.gbw_hz == pytest.approx(KNOWN.gbw_hz, rel=1e-2)


def test_the_phase_margin_is_that_of_both_poles(figures):
    unity = figures.unity_hz
    assert unity * math.sqrt(1 + (unity / KNOWN.second_hz) ** 2) == pytest.approx(KNOWN.gbw_hz, rel=5e-3)
    assert figures.phase_margin_deg == pytest.approx(90 - math.degrees(math.atan(unity / KNOWN.second_hz)), abs=0.5)


def test_swings_and_currents_are_where_the_curve_stops(figures):
    assert figures.swing.high == pytest.approx(KNOWN.stop_v, rel=1e-3)
    assert figures.swing.low == pytest.approx(-KNOWN.stop_v, rel=1e-3)
    tenth = KNOWN.stop_v * math.sqrt(0.9)  # where 1 - (v / stop)² is a tenth
    assert figures.linear.either_way == pytest.approx(tenth, rel=2e-2)
    assert figures.source_a == pytest.approx(KNOWN.most_a, rel=2e-2)
    assert figures.sink_a == pytest.approx(KNOWN.most_a, rel=2e-2)


def test_a_load_is_in_the_gain_and_taken_out_again(tmp_path):
    loaded = characterised(KNOWN.amplifier(tmp_path), Load(ohm=1e3))
    assert loaded.gain == pytest.approx(KNOWN.gain * 1e3 / (1e3 + KNOWN.output_ohm), rel=1e-2)
    assert loaded.output_ohm == pytest.approx(KNOWN.output_ohm, rel=1e-2)
    assert loaded.gain_unloaded == pytest.approx(KNOWN.gain, rel=1e-2)


def test_inputs_exchanged_are_seen(tmp_path):
    with pytest.raises(InputError, match=r"the output falls where the input in\+ rises(.|\n)*exchange in\+ and in-"):
        characterised(KNOWN.amplifier(tmp_path, "in-,in+,out,vdd,vss"))


@pytest.mark.parametrize("pins", ["in+,out,in-,vdd,vss", "vdd,in-,out,in+,vss", "in+,in-,vdd,out,vss"])
def test_other_pins_are_seen(tmp_path, pins):
    with pytest.raises((InputError, SimulatorError), match=r"the pins in the right order|no operating point"):
        characterised(KNOWN.amplifier(tmp_path, pins))


def test_supplies_exchanged_are_seen(tmp_path):
    with pytest.raises(InputError, match="pushes current into its upper supply"):
        characterised(KNOWN.amplifier(tmp_path, "in+,in-,out,vss,vdd"))


def test_an_amplifier_that_does_nothing_is_seen(tmp_path):
    dead = ".subckt dead ip im o vp vn\nR1 vp vn 1k\nR2 o 0 1k\nR3 ip im 1meg\n.ends\n"
    with pytest.raises(InputError, match="the output does not follow the inputs"):
        characterised(KNOWN.amplifier(tmp_path, text=dead))


def test_parts_that_are_not_there_are_named(tmp_path):
    lacking = ".subckt lacking ip im o vp vn\nM1 o ip im vn nmos_3v3\nR2 o 0 1k\n.ends\n"
    with pytest.raises(InputError, match="the netlist needs parts that are not in it"):
        characterised(KNOWN.amplifier(tmp_path, text=lacking))
