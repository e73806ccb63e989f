"""VACASK from the command line: as engine, as judge, and where it has nothing to do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from circuits import PEAK, inputs_for, load_device, network
from periods import contracting

import kanspice
from kanspice.engine.vacask import library, verilog
from kanspice.engine.vacask.crossbar import CrossbarElements
from kanspice.families import save

pytestmark = pytest.mark.slow


@pytest.fixture
def here(tmp_path, module_cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(module_cache))
    monkeypatch.chdir(tmp_path)
    model = network([3, 4, 2], [load_device("z21"), PEAK])
    save(model, tmp_path / "model.pt")
    np.save(tmp_path / "inputs.npy", inputs_for(model, 6))
    return tmp_path


@pytest.mark.vacask
@pytest.mark.parametrize("overrides", [(), ("--set", "tia.gain=1000", "--set", "wires.row_ohm=1")])
def test_it_checks_and_is_checked(run, here, overrides):
    common = ("verify", "model.pt", "--inputs", "inputs.npy", "--json", "gap.json", *overrides)
    for engine, judge in (("vacask", "batched"), ("batched", "vacask")):
        done = run(*common, "--engine", engine, "--cross-check", f"3:{judge}")
        assert done.code == 0, done.err
        found = json.loads((here / "gap.json").read_text(encoding="utf-8"))
        assert found["engine"]["name"] == engine
        assert found["cross_check"]["engine"]["name"] == judge
        assert found["cross_check"]["worst_relative"] < 1e-9
        assert found["design"]["fidelity"] == ("device" if overrides or engine == "vacask" else "shared")


@pytest.mark.vacask
@pytest.mark.ngspice
def test_several_engines_check_the_same_samples(run, here):
    common = "verify", "model.pt", "--inputs", "inputs.npy", "--json", "gap.json", "--engine", "batched"
    done = run(*common, "--cross-check", "3:ngspice,vacask")
    assert done.code == 0, done.err
    assert "and vacask 0.3.4.dev3 agree to" in " ".join(done.out.split())
    found = json.loads((here / "gap.json").read_text(encoding="utf-8"))
    (other,) = found["further_checks"]
    assert (found["cross_check"]["engine"]["name"], other["engine"]["name"]) == ("ngspice", "vacask")
    assert found["cross_check"]["samples"] == other["samples"]
    assert max(found["cross_check"]["worst_relative"], other["worst_relative"]) < 1e-9
    for text in ("3:ngspice,ngspice", "3:ngspice,", "3:batched,vacask"):
        refused = run(*common, "--cross-check", text)
        assert refused.code == 2
    study = run("study", "model.pt", "--inputs", "inputs.npy", "--cross-check", "1:ngspice,vacask", "-o", "draws")
    assert study.code == 2
    assert "one engine checks here" in study.err


@pytest.mark.vacask
def test_a_compiled_folder_and_a_study_run_in_it(run, here):
    assert run("compile", "model.pt", "--inputs", "inputs.npy", "-o", "circuit").code == 0
    done = run("simulate", "circuit", "--inputs", "inputs.npy", "-o", "out.npz", "--engine", "vacask")
    assert done.code == 0, done.err
    study = ("study", "model.pt", "--inputs", "inputs.npy", "--limit", "2", "--set", "devices.area_sigma=0.05")
    done = run(*study, "--trials", "2", "--engine", "batched", "--cross-check", "1:vacask", "-o", "draws")
    assert done.code == 0, done.err


def test_what_it_does_not_solve_is_bad_input_before_anything_runs(run, here):
    model = contracting(1)
    save(model, here / "periods.pt")
    np.save(here / "starts.npy", np.zeros((2, model.input_width)))
    for options in (("--engine", "vacask"), ("--engine", "batched", "--cross-check", "1:vacask")):
        done = run("verify", "periods.pt", "--inputs", "starts.npy", "--set", "switches.mode=monolithic", *options)
        assert done.code == 2
        assert "VACASK does not solve this" in done.err
        assert "switches between the periods" in done.err


@pytest.mark.vacask
def test_a_wrong_device_module_is_caught_by_one_command(run, here, monkeypatch):
    text_of = verilog._polynomial
    monkeypatch.setattr(verilog, "_polynomial", lambda row: text_of(row * (1 + 1e-6)))
    for command in (
        ("devices", "check", "z21"),
        ("verify", "model.pt", "--inputs", "inputs.npy", "--engine", "vacask"),
    ):
        done = run(*command)
        assert done.code == 3
        assert "is not the curve that it should be" in done.err
    doctor = run("doctor")
    assert "devices in VACASK" in doctor.out
    assert "is not the curve that it should be" in doctor.out


@pytest.mark.vacask
def test_a_module_that_got_past_the_sweep_is_caught_sample_by_sample(run, here, monkeypatch):
    text_of = verilog._polynomial
    monkeypatch.setattr(verilog, "_polynomial", lambda row: text_of(row * (1 + 1e-6)))
    monkeypatch.setattr(library, "prove", lambda *_: None)
    for overrides in ((), ("--set", "tia.gain=1000")):
        done = run("verify", "model.pt", "--inputs", "inputs.npy", "--engine", "vacask", *overrides)
        assert done.code == 3
        assert "are left over" in " ".join((done.out + done.err).split())


@pytest.mark.vacask
def test_a_broken_netlist_is_caught_by_one_command(run, here, monkeypatch):
    """One device of 24 is not there, in either engine's circuit."""
    lines_of = CrossbarElements._devices
    monkeypatch.setattr(CrossbarElements, "_devices", lambda self: list(lines_of(self))[1:])
    for engine, judge in (("vacask", "batched"), ("batched", "vacask")):
        common = "verify", "model.pt", "--inputs", "inputs.npy", "--engine", engine
        done = run(*common, "--cross-check", f"3:{judge}")
        assert done.code == 3
        assert "disagree" in done.out + done.err
    alone = run("verify", "model.pt", "--inputs", "inputs.npy", "--engine", "vacask")
    assert alone.code == 3
    assert "are left over" in " ".join((alone.out + alone.err).split())


HOSTILE = """a title
ground 0
load "resistor.osdi"
model r resistor
r1 (a 0) r r=1k
embed "written.txt" <<<FILE
anything
>>>FILE
control
  analysis a op
  postprocess("touch", "was_here")
endc
"""


@pytest.mark.parametrize("name", ["circuit.sim", "circuit.cir", "circuit"])
def test_a_netlist_in_its_language_is_never_run(run, here, name):
    (here / name).write_text(HOSTILE, encoding="utf-8")
    done = run("simulate", name)
    assert done.code == 2
    assert ("netlists in VACASK's language are not run" in done.err) == (name == "circuit.sim")
    assert not (here / "was_here").exists()
    assert not (here / "written.txt").exists()


@pytest.mark.vacask
def test_devices_are_checked_in_every_simulator(run, here):
    done = run("devices", "check", "z21", "rtd", "--engine", "vacask")
    assert done.code == 0, done.err
    assert done.out.count("the same") == 3
    for options, said in ((("--engine", "batched"), "NumPy's own curves"), (("--engine", "none"), "unknown engine")):
        refused = run("devices", "check", "z21", *options)
        assert refused.code == 2
        assert said in refused.err


@pytest.mark.vacask
def test_the_digits_example_with_everything(module_cache, monkeypatch):
    """4,736 devices in two layers, with every imperfection of `typical`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(module_cache))
    digits = Path(__file__).resolve().parents[2] / "examples" / "01_kanalogue_digits"
    found = kanspice.verify(
        f"{digits}/model.pt", f"{digits}/inputs.npy", limit=3, tech="typical", engine="batched", cross_check="2:vacask"
    )
    assert found.cross_check.passed
    assert found.cross_check.worst < 1e-11
