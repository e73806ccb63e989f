"""`kanspice technology`: as a file to edit, and as JSON."""

from __future__ import annotations

import json
import tomllib

import pytest

from kanspice.technology import Technology, load_technology, shipped_technologies


@pytest.mark.parametrize("name", shipped_technologies())
def test_a_written_technology_is_read_back(tmp_path, run, name):
    found = run("technology", "--tech", name, "--set", "tia.gain=10k", "--write", f"{tmp_path}/board.toml")
    assert (found.code, found.err) == (0, "")
    assert load_technology(tmp_path / "board.toml").to_json() == load_technology(name, ["tia.gain=10k"]).to_json()


def test_every_key_has_its_meaning_above_it(tmp_path, run):
    run("technology", "--write", f"{tmp_path}/board.toml")
    lines = (tmp_path / "board.toml").read_text().splitlines()
    assert max(map(len, lines)) <= 100
    tables = tomllib.loads("\n".join(lines))
    for section in Technology().sections:
        assert set(tables[section]) == set(type(getattr(Technology(), section)).model_fields)
    assert lines[lines.index("swing_v = inf") - 1].startswith("# ")


def test_nothing_is_overwritten(tmp_path, run):
    (tmp_path / "board.toml").write_text("mine")
    found = run("technology", "--write", f"{tmp_path}/board.toml")
    assert found.code == 2
    assert "there already" in found.err
    assert (tmp_path / "board.toml").read_text() == "mine"


def test_a_file_and_json_are_two_things(tmp_path, run):
    found = run("technology", "--json", "--write", f"{tmp_path}/board.toml")
    assert found.code == 2
    assert "one of them" in found.err
    assert not (tmp_path / "board.toml").exists()


def test_json_has_every_key(run):
    found = json.loads(run("technology", "--tech", "typical", "--set", "tia.swing_v=2", "--json").out)
    assert found["name"] == "typical, tia.swing_v=2"
    gain, swing = found["keys"]["tia.gain"], found["keys"]["tia.swing_v"]
    assert (gain["value"], gain["is_ideal"], swing["value"]) == (1e4, False, 2.0)
    assert json.loads(run("technology", "--json").out)["keys"]["tia.swing_v"]["value"] == "inf"
    assert all(key["meaning"] for key in found["keys"].values())
