"""`kanspice compile`: what it says, what it writes, what it refuses."""

from __future__ import annotations

import json


def test_it_says_what_it_made_and_for_what(run, good):
    done = run("compile", "model.pt", "-o", "circuit")
    assert done.code == 0
    assert "shared fidelity" in done.out
    assert "amplifiers sized for worst case over all inputs" in done.out
    assert "pass the same --inputs" in done.out
    assert json.loads((good / "circuit" / "manifest.json").read_text())["fidelity"] == "shared"


def test_sample_inputs_size_the_amplifiers(run, good):
    done = run("compile", "model.pt", "-o", "circuit", "--inputs", "inputs.npy", "--set", "tia.gain=1000")
    assert "amplifiers sized for 8 sample inputs" in done.out
    assert "pass the same --inputs" not in done.out
    manifest = json.loads((good / "circuit" / "manifest.json").read_text())
    assert (manifest["fidelity"], manifest["technology"]["tia"]["gain"]) == ("device", 1000.0)


def test_twice_gives_the_same_bytes(run, good):
    for folder in ("first", "second"):
        assert run("compile", "model.pt", "-q", "-o", folder).code == 0
    first, second = (
        {path.name: path.read_bytes() for path in sorted((good / folder).iterdir())} for folder in ("first", "second")
    )
    assert first == second


def test_a_strangers_folder_is_left_alone(run, good):
    (good / "circuit").mkdir()
    (good / "circuit" / "thesis.tex").write_text("years of work")
    done = run("compile", "model.pt", "-o", "circuit")
    assert done.code == 2
    assert "is in the way" in done.err
    assert (good / "circuit" / "thesis.tex").read_text() == "years of work"


def test_an_unknown_fidelity_is_a_usage_error(run, good):
    done = run("compile", "model.pt", "--fidelity", "exact")
    assert done.code == 2
    assert "exact" in done.err
