"""`kanspice characterise`: what it prints and writes, what it refuses, and its technology read back."""

from __future__ import annotations

import json

import pytest
from known_amplifier import KnownAmplifier

import kanspice
from kanspice.base.resources import NETLISTS
from kanspice.circuit.compile.realised import realised_parts
from kanspice.technology import load_technology

KNOWN = KnownAmplifier()


@pytest.fixture
def part(tmp_path, monkeypatch):
    """The working folder, with an amplifier."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "known.cir").write_text(KNOWN.netlist(), encoding="utf-8")
    return tmp_path


@pytest.mark.ngspice
def test_figures_are_printed_and_written_as_a_technology_that_is_read_back(part, run):
    done = run("characterise", "known.cir", "--supply", "2", "--load-f", "0", "-o", "tia.toml", "--json", "tia.json")
    assert done.code == 0
    assert "80 dB" in done.out
    assert "one state, whether led up, down, or found" in done.out
    technology = load_technology(part / "tia.toml")
    assert technology.name == "known"
    assert technology.tia.gain == pytest.approx(KNOWN.gain, rel=1e-2)
    assert technology.tia.offset_sigma_v == 0.0
    assert technology.tia.output_ohm == pytest.approx(KNOWN.output_ohm, rel=1e-2)
    assert technology.tia.gbw_hz == pytest.approx(KNOWN.gbw_hz, rel=1e-2)
    assert technology.tia.slew_v_per_s == pytest.approx(KNOWN.slew_v_per_s, rel=1e-2)
    assert technology.tia.swing_v == pytest.approx(KNOWN.stop_v, rel=1e-2)
    assert (technology.tia.rail_v, technology.tia.headroom) == (2.0, 0.7)
    assert technology.tia.input_bias_a == pytest.approx(KNOWN.bias_a, rel=1e-2)
    assert technology.tia.offset_v == pytest.approx(KNOWN.offset_v, rel=1e-2)
    assert technology.tia.used_for == "all"
    assert technology.tia.common_v == pytest.approx(KNOWN.stop_v, rel=5e-2)
    assert technology.tia.output_a == pytest.approx(KNOWN.most_a / 10, rel=2e-2)
    parts = realised_parts(technology)
    assert parts.amplifier.subcircuit.name == "known"
    assert (parts.amplifier.vdd_v, parts.amplifier.roles[0]) == (2.0, "in+")
    assert technology.supply.quiescent_a == pytest.approx(KNOWN.quiescent_a, rel=1e-2)
    figures = {figure["name"]: figure for figure in json.loads((part / "tia.json").read_text())["figures"]}
    assert figures["offset_v"]["value"] == pytest.approx(KNOWN.offset_v, rel=1e-2)
    assert figures["offset_sigma_v"]["why_not"] == "the model says nothing of how parts differ"


@pytest.mark.ngspice
@pytest.mark.pdk
def test_a_technology_of_our_own_amplifier_names_its_process_and_no_netlist(part, run):
    own = NETLISTS / "gf180" / "opamp.cir"
    done = run("characterise", str(own), "--process", "gf180:ss", "--draws", "5", "-o", "tia.toml", "-q")
    assert (done.code, done.out) == (0, "")
    technology = load_technology(part / "tia.toml")
    assert (technology.process.pdk, technology.process.corner, technology.process.mismatch) == ("gf180", "ss", True)
    assert technology.tia.subcircuit == ""
    assert 5e-4 < technology.tia.offset_sigma_v < 4e-3
    assert realised_parts(technology).amplifier.subcircuit.name == "gf180_opamp"


@pytest.mark.ngspice
def test_a_netlist_elsewhere_is_named_from_where_the_technology_lies(part, run):
    done = run("characterise", "known.cir", "--supply", "2", "-o", "below/tia.toml", "-q")
    assert done.code == 0
    assert 'subcircuit = "../known.cir"' in (part / "below" / "tia.toml").read_text(encoding="utf-8")
    assert realised_parts(load_technology(part / "below" / "tia.toml")).amplifier.subcircuit.name == "known"


@pytest.mark.ngspice
def test_a_part_that_stays_where_an_overload_left_it_is_exit_code_3_and_no_technology(part, run):
    """Its inputs exchange their roles where the inverting one is 0.6 V below the middle."""
    latching = KNOWN.netlist().replace("(v(ir)-v(im))", "(v(ir)-v(im))*tanh((v(im)+0.6)/0.05)")
    (part / "known.cir").write_text(latching, encoding="utf-8")
    done = run("characterise", "known.cir", "--supply", "2", "-o", "tia.toml", "--json", "tia.json")
    assert done.code == 3
    assert "it latches" in done.out
    assert "after an overload it stays at" in " ".join(done.out.split())
    assert json.loads((part / "tia.json").read_text())["latches"] is True
    assert not (part / "tia.toml").exists()


@pytest.mark.ngspice
@pytest.mark.parametrize("fed_back", ["0.05*tanh(v(o))", "0.02*v(o)"])
def test_a_comparator_with_hysteresis_is_exit_code_3(part, run, fed_back):
    latching = KNOWN.netlist().replace("(v(ir)-v(im))", f"(v(ir)-v(im)+{fed_back})")
    (part / "known.cir").write_text(latching, encoding="utf-8")
    done = run("characterise", "known.cir", "--supply", "2", "-o", "tia.toml")
    assert done.code == 3
    assert "it has hysteresis" in done.err
    assert not (part / "tia.toml").exists()


@pytest.mark.ngspice
def test_a_huge_offset_is_measured_like_any_other(part, run):
    (part / "known.cir").write_text(KNOWN.netlist().replace("Vos ir in 0.003", "Vos ir in 0.25"), encoding="utf-8")
    done = run("characterise", "known.cir", "--supply", "2", "--load-f", "0", "-o", "tia.toml", "--json", "tia.json")
    assert done.code == 0
    figures = {figure["name"]: figure["value"] for figure in json.loads((part / "tia.json").read_text())["figures"]}
    assert figures["offset_v"] == pytest.approx(0.25, rel=1e-2)
    assert figures["source_a"] == pytest.approx(KNOWN.most_a, rel=2e-2)
    assert figures["slew_up_v_per_s"] == pytest.approx(KNOWN.slew_v_per_s, rel=2e-2)


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        (("known.cir",), "the supplies of the amplifier are not said", "--vdd 5 --vss 0"),
        (("known.cir", "--supply", "2", "--vdd", "5"), "the supplies are said twice", "--vdd or --vss"),
        (("known.cir", "--vdd", "5"), "one supply is missing", "--supply"),
        (("known.cir", "--vdd", "-1", "--vss", "1"), "the supplies leave nothing", "vdd above vss"),
        (("known.cir", "--supply", "2", "--pins", "in+,in-,out"), "no pin is vdd", "in+,in-,out,vdd,vss"),
        (("known.cir", "--supply", "2", "--pins", "in+,in-,out,vdd,vss,gnd"), "has 5 pins, and 6", "--pins"),
        (("known.cir", "--supply", "2", "--pins", "in+,in-,aus,vdd,vss"), "'aus' is nothing that a pin", "in+"),
        (("known.cir", "--supply", "2", "--subckt", "other"), "no subcircuit 'other'", "known"),
        (("known.cir", "--supply", "2", "--bias-a", "1e-6"), "the bias does not fit", "no pin bias"),
        (("known.cir", "--supply", "2", "--load-ohm", "0"), "this is no load", "more than 0 ohm"),
        (("known.cir", "--process", "gf81"), "no process 'gf81'", "did you mean 'gf180'"),
        (("known.cir", "--process", "gf180:xx"), "no corner 'xx'", "tt, ff, ss"),
        (("nowhere.cir", "--supply", "2"), "was not found", "check the path"),
        (("known.cir", "--supply", "2", "-o", "known.cir"), "would be overwritten", "another"),
    ],
)
def test_bad_input_is_one_clear_message(part, run, arguments, problem, hint):
    done = run("characterise", *arguments)
    assert (done.code, done.out) == (2, "")
    assert problem in done.err
    assert hint in done.err
    assert "Traceback" not in done.err
    assert (part / "known.cir").read_text(encoding="utf-8") == KNOWN.netlist()


def test_a_netlist_that_would_run_a_command_is_refused(part, run):
    harmful = KNOWN.netlist() + ".control\nshell touch harmed\n.endc\n"
    (part / "known.cir").write_text(harmful, encoding="utf-8")
    done = run("characterise", "known.cir", "--supply", "2")
    assert done.code == 2
    assert "not known to be harmless" in done.err
    assert not (part / "harmed").exists()


@pytest.mark.ngspice
def test_a_part_without_an_operating_point_is_exit_code_3(part, run):
    none = ".subckt none ip im o vp vn\nB1 o 0 v=1e3*v(o)*v(o)+1+v(ip)-v(im)\nR1 vp vn 1k\n.ends\n"
    (part / "known.cir").write_text(none, encoding="utf-8")
    done = run("characterise", "known.cir", "--supply", "2")
    assert done.code == 3
    assert "ngspice finds no operating point" in done.err


@pytest.mark.ngspice
def test_python_has_it_too_and_its_result_shows_itself(part):
    result = kanspice.characterise("known.cir", supply=2, load_f=0.0)
    assert "80.0 dB" in repr(result)
    assert result.to_frame is not None
    assert dict(zip(result.columns()["figure"], result.columns()["value"], strict=True))["gain_db"] == pytest.approx(80)
