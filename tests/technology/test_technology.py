"""Technologies: every key checked, every override applied, nothing misspelt ever ignored."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from circuits import PEAK, network
from typer.testing import CliRunner

from kanspice.base.errors import InputError
from kanspice.circuit.compile.effects import fitting
from kanspice.cli.commands import app
from kanspice.families.kanalogue.circuit import technology_for_kanalogue
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.circuit import technology_for_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import topology_from_edges
from kanspice.technology import Technology, entries, load_technology, shipped_technologies


def test_the_default_is_ideal():
    technology = load_technology()
    assert technology == Technology()
    assert math.isinf(technology.tia.gain)
    assert (technology.units.v_unit_v, technology.units.i_unit_a) == (1.0, 1e-6)


def test_a_file_and_overrides_on_top_of_it(tmp_path):
    path = tmp_path / "tech.toml"
    path.write_text('name = "board"\n[units]\nv_unit_v = 0.5\n[tia]\ngain = 1e5\nrail_v = 3\n')
    technology = load_technology(path, ["tia.gain=2000", " tia.headroom = 0.5 ", "tia.gain=1_000"])
    assert technology.name == "board, tia.gain=2000, tia.headroom=0.5, tia.gain=1_000"
    assert technology.units.v_unit_v == 0.5
    assert (technology.tia.gain, technology.tia.rail_v, technology.tia.headroom) == (1000.0, 3.0, 0.5)


def test_infinity_can_be_written(tmp_path):
    (tmp_path / "tech.toml").write_text("[tia]\ngain = inf\n")
    assert math.isinf(load_technology(tmp_path / "tech.toml").tia.gain)
    assert math.isinf(load_technology(None, ["tia.gain=inf"]).tia.gain)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tia]\ngian = 1000\n", "unknown key 'tia.gian'\n  try:      did you mean 'gain'?"),
        ("[tai]\ngain = 1000\n", "unknown key 'tai'\n  try:      did you mean 'tia'?"),
        (
            "[tia]\nzzz = 1\n",
            "feedback_f, feedback_f_sigma, feedback_sigma, gain, gbw_hz, headroom",
        ),
        ("tia = 3\n", "bad value for 'tia'"),
        ("[tia]\ngain = 'high'\n", "bad value for 'tia.gain'"),
        ("[tia]\ngain = '1000'\n", "bad value for 'tia.gain'"),
        ("[tia]\nrail_v = true\n", "bad value for 'tia.rail_v'"),
        ("[tia]\ngain = 1\n", "greater than 1"),
        ("[tia]\ngain = nan\n", "greater than 1"),
        ("[tia]\ngain = -1000\n", "greater than 1"),
        ("[tia]\nrail_v = inf\n", "finite"),
        ("[tia]\nrail_v = 0\n", "greater than 0"),
        ("[tia]\nheadroom = 1.5\n", "less than or equal to 1"),
        ("[units]\nv_unit_v = nan\n", "bad value for 'units.v_unit_v'"),
        ("[units]\ni_unit_a = -1e-6\n", "greater than 0"),
        ("[tia\n", "is not TOML"),
        ("[tia]\ngain = 1\ngain = 2\n", "is not TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(tmp_path, text, message):
    path = tmp_path / "tech.toml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        load_technology(path)
    assert message in refused.value.message
    assert refused.value.message.startswith(str(path))


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * 5_000_000])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content):
    path = tmp_path / "tech.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"tech\.toml"):
        load_technology(path)


def test_overrides_take_quantities():
    given = ("tia.gain=10k", "tia.gbw_hz=1.5MHz", "tia.offset_v=20 mV", "tia.rail_v=5")
    found = load_technology(None, given)
    assert (found.tia.gain, found.tia.gbw_hz, found.tia.offset_v) == (1e4, 1.5e6, 0.02)
    with pytest.raises(InputError, match="20mA"):
        load_technology(None, ["tia.offset_v=20mA"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tia.gain", "bad override 'tia.gain'"),
        ("gain=3", "bad override 'gain=3'"),
        ("=3", "bad override '=3'"),
        (".gain=3", "bad override '.gain=3'"),
        ("tia.=3", "bad override 'tia.=3'"),
        ("tia.gain=", "bad value for 'tia.gain'"),
        ("tia.gain=1e3k", "bad value for 'tia.gain'"),
        ("tia.gain=true", "bad value for 'tia.gain'"),
        ("tia.gain=1000\nrail_v=2", "bad value for 'tia.gain'"),
        ("tia.gani=1000", "did you mean 'gain'?"),
        ("tia.a.b=1000", "unknown key 'tia.a.b'"),
        ("name.x=1", "bad value for 'name'"),
    ],
)
def test_what_is_wrong_in_an_override_is_said(override, message):
    with pytest.raises(InputError) as refused:
        load_technology(None, [override])
    assert message in refused.value.message
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["devices.temperature_c=-300.0", "devices.current_per_k=1e-3"], "absolute zero"),
        (["devices.temperature_c=100.0", "devices.current_per_k=-0.02"], "currents keep their sign"),
        (["devices.temperature_c=-40.0", "devices.voltage_per_k=0.02"], "voltages keep their sign"),
    ],
)
def test_a_temperature_that_cannot_be_is_refused(overrides, message):
    with pytest.raises(InputError, match=message):
        load_technology(None, overrides)


def test_an_override_of_what_is_no_section_is_refused(tmp_path):
    (tmp_path / "tech.toml").write_text("tia = 3\n")
    with pytest.raises(InputError, match="'tia' is not a section"):
        load_technology(tmp_path / "tech.toml", ["tia.gain=3"])


def test_a_technology_does_not_change():
    with pytest.raises(Exception, match="frozen"):
        Technology().tia.gain = 3.0


def test_json_is_canonical_and_reads_back():
    technology = load_technology(None, ["tia.rail_v=0.1"])
    text = technology.to_json()
    assert text == load_technology(None, ["tia.rail_v=0.1"]).to_json()
    assert Technology.model_validate(json.loads(text)) == technology


def documented():
    """The tables of docs/technology.md, as they should be."""
    lines = []
    for section, about, keys in entries(Technology()):
        lines += [f"## `[{section}]`", "", about, "", "| key | default | cause | meaning |", "|---|---|---|---|"]
        for key in keys:
            value = f"{key.value:g}" if isinstance(key.value, float) else str(key.value)
            cells = key.name.partition(".")[2], value, "yes" if key.is_cause else "", key.meaning
            lines.append(f"| `{cells[0]}` | {cells[1]} | {cells[2]} | {cells[3]} |")
        lines.append("")
    return "\n".join(lines)


def test_every_key_is_documented():
    """If this fails, the text between the marks in docs/technology.md is to be what `documented` returns."""
    page = (Path(__file__).parents[2] / "docs" / "technology.md").read_text(encoding="utf-8")
    written = page.partition("<!-- keys -->\n")[2].partition("<!-- end of keys -->")[0]
    assert written == documented()
    assert all(key.meaning for _, _, keys in entries(Technology()) for key in keys)


def test_the_command_prints_every_key():
    result = CliRunner().invoke(app, ["technology", "--set", "tia.gain=1000"], env={"COLUMNS": "120"})
    assert result.exit_code == 0
    assert all(key.name in result.output for _, _, keys in entries(Technology()) for key in keys)
    assert "* 1000" in result.output


def test_what_is_not_ideal_is_a_cause_and_can_be_taken_away():
    overrides = ["tia.gain=1000", "tia.rail_v=3.0", "switches.off_ohm=1e9", "switches.rise_s=1e-9"]
    technology = load_technology(None, overrides)
    assert technology.causes == ("tia.gain", "switches.off_ohm")
    assert technology.without(["tia.gain"]).causes == ("switches.off_ohm",)
    left = technology.without(technology.causes)
    assert (left.causes, left.tia.rail_v, left.switches.rise_s) == ((), 3.0, 1e-9)
    assert Technology().causes == ()


# --- technologies by name ---


@pytest.mark.parametrize("name", sorted(shipped_technologies()))
def test_a_shipped_technology_is_found_by_its_name(name):
    technology = load_technology(name, ["tia.rail_v=4.0"])
    assert technology.name == f"{name}, tia.rail_v=4.0"
    assert technology.general
    assert bool(technology.causes) == (name != "ideal")


def test_the_pessimistic_one_is_worse_in_everything_that_the_typical_one_has():
    typical, pessimistic = load_technology("typical"), load_technology("pessimistic")
    assert set(typical.causes) == set(pessimistic.causes)
    better = {
        "filters.amplifier_hz",
        "filters.hold_s",
        "tia.gain",
        "converters.dac_bits",
        "converters.adc_bits",
        "kirchhoffnet.leak_ohm",
        "pairs.current_gain",
    }
    for cause in typical.causes:
        section, key = cause.split(".")
        one, other = (getattr(getattr(technology, section), key) for technology in (typical, pessimistic))
        assert (one > other) == (cause in better)
        assert one != other


def test_a_name_that_is_none_is_said(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no such technology") as raised:
        load_technology("typicl")
    assert "did you mean 'typical'" in raised.value.message
    monkeypatch.chdir(tmp_path)
    (tmp_path / "typical").write_text("[tia]\ngain = 7\n")
    assert load_technology("typical").tia.gain == 7  # a file of that name is what was meant


def test_a_general_technology_is_for_every_circuit_and_another_is_not():
    crossbars = network([3, 2], [PEAK])
    nets = KirchhoffNet([topology_from_edges([(0, 1)])], [1.0], branch_function("ShiftRelu2", {}, "x"))
    typical = load_technology("typical")
    assert {cause.split(".")[0] for cause in technology_for_kanalogue(crossbars, typical).causes} == {
        *("tia", "devices", "wires", "clippers", "references", "converters")
    }
    assert {cause.split(".")[0] for cause in technology_for_kirchhoffnet(nets, typical).causes} == {
        *("converters", "kirchhoffnet", "branches")
    }
    with pytest.raises(InputError, match="would have no effect"):
        technology_for_kirchhoffnet(nets, typical.model_copy(update={"general": False}))
    tanh = network([3, 2], [PEAK], input_stage="tanh")
    assert "clippers.knee_v" not in technology_for_kanalogue(tanh, typical).causes


def test_what_somebody_asks_for_is_not_left_out_of_a_general_technology():
    others = [name for name in Technology().sections if name != "wires"]
    typical = load_technology("typical")
    assert fitting(typical, "a circuit", others).wires.row_ohm == 0
    changed = load_technology("typical", ["wires.row_ohm = 3.0", "tia.gain=20"])
    with pytest.raises(InputError, match=r"^technology: wires.row_ohm would have no effect"):
        fitting(changed.without(["tia.gain"]), "a circuit", others)
    ideal_wires = load_technology("typical", ["wires.row_ohm=0"])
    assert fitting(ideal_wires, "a circuit", others).wires == load_technology().wires
    assert Technology.model_validate_json(changed.to_json()).overridden == frozenset()


def test_a_technology_of_transistors_without_them_is_its_figures():
    plain, behavioural = load_technology("gf180"), load_technology("gf180", realisation="behavioural")
    assert (plain.process.pdk, plain.branches.realisation) == ("gf180", "transistor")
    assert (behavioural.process.pdk, behavioural.branches.realisation) == ("none", "behavioural")
    assert behavioural.tia == plain.tia
    assert load_technology(None, realisation="transistor").model_dump() == plain.model_dump()
