"""`--engine batched` and `--cross-check`."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from connections import inputs_for, phykan

from kanspice.engine.batched import record
from kanspice.engine.batched.crosspoints import WholeCrosspoints
from kanspice.engine.running import judge_of
from kanspice.families import save

VERIFY = ("verify", "model.pt", "--inputs", "inputs.npy", "--set", "tia.gain=1000")


@pytest.mark.slow
def test_verify_needs_no_simulator_with_the_batched_engine(run, good, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", "/nowhere")
    done = run(*VERIFY, "--engine", "batched", "--labels", "labels.npy", "--json", "gap.json", "--html", "gap.html")
    result = json.loads((good / "gap.json").read_text())
    assert done.code == 0
    assert result["engine"]["name"] == "batched"
    assert result["engine"]["options"]["fidelity"] == "device"
    assert result["samples"] == 8
    assert result["numerical_error"]["relative_rmse"] < 1e-12
    assert "cross_check" not in result
    assert "engine batched" in " ".join(done.out.split())


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("engine", ["ngspice", "batched"])
def test_engines_that_agree(run, good, engine):
    arguments = ("--engine", engine, "--cross-check", "3", "--seed", "4")
    files = ("--json", "gap.json", "--html", "gap.html", "--junit", "gap.xml")
    done = run(*VERIFY, "--set", "converters.input_noise_v=0.01", *arguments, *files)
    checked = json.loads((good / "gap.json").read_text())["cross_check"]
    assert done.code == 0
    assert checked["passed"] is True
    assert checked["engine"]["name"] == judge_of(engine)
    assert len(checked["samples"]) == 3
    assert checked["worst_relative"] < checked["allowed"] == 1e-6
    assert checked["different_outcomes"] == []
    assert "on 3 samples agrees to" in " ".join(done.out.split())
    assert "on 3 samples agrees to" in (good / "gap.html").read_text()
    assert "engines agree" in [case.get("name") for case in ElementTree.parse(good / "gap.xml").iter("testcase")]


@pytest.mark.ngspice
def test_engines_that_disagree_are_no_measurement(run, good, monkeypatch):
    solve = record.ENGINE.solve

    def slightly_wrong(*arguments, **options):
        solution = solve(*arguments, **options)
        solution.stage_v["l2.crossbar"][5] *= 1 + 1e-4
        return solution

    monkeypatch.setattr(record, "ENGINE", replace(record.ENGINE, solve=slightly_wrong))
    done = run(*VERIFY, "--engine", "batched", "--cross-check", "8", "--json", "gap.json", "--junit", "gap.xml")
    result = json.loads((good / "gap.json").read_text())
    assert done.code == 3
    assert result["passed"] is False
    assert result["cross_check"]["worst_sample"] == 5
    assert "disagrees by" in " ".join(done.out.split())
    assert "the engines disagree" in done.out
    assert [error.get("type") for error in ElementTree.parse(good / "gap.xml").iter("error")] == ["EnginesDisagree"]


@pytest.mark.slow
@pytest.mark.ngspice
def test_engines_that_agree_about_periods(run, good, moving):
    model, inputs = moving
    arguments = ("--engine", "batched", "--cross-check", "2", "--json", "gap.json", "--html", "gap.html")
    done = run("verify", model, "--inputs", inputs, *arguments)
    result = json.loads((good / "gap.json").read_text())
    assert done.code == 0
    assert result["gap"]["relative_rmse"] < 1e-7
    assert result["engine"]["options"]["relative_tolerance"] == 1e-9
    assert result["cross_check"]["worst_relative"] < result["cross_check"]["allowed"] < 0.01
    assert (good / "gap.html").read_text().count("node voltages of circuit and ODE over time") == 3


def test_a_compiled_folder_is_solved_by_either(run, good, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", "/nowhere")
    assert run("compile", "model.pt", "-o", "circuit", "--inputs", "inputs.npy", "--set", "tia.gain=1000").code == 0
    done = run("simulate", "circuit", "--inputs", "inputs.npy", "-o", "out.npz", "--engine", "batched")
    assert done.code == 0
    with np.load(good / "out.npz") as found:
        assert found["solved"].all()
        assert np.abs(found["outputs"] - np.load("outputs.npy")).max() < 0.2
        assert np.abs(found["l1.crossbar.columns_v"]).max() > 0


def test_no_engine_checks_filters_over_time(run, good, monkeypatch):
    """It is said before anything is simulated."""
    monkeypatch.setenv("KANSPICE_NGSPICE", "/nowhere")
    save(phykan(), good / "filters.pt")
    np.save(good / "tones.npy", inputs_for(phykan(), 2))
    over_time = ("--fidelity", "transient", "--cross-check", "1")
    done = run("verify", "filters.pt", "--inputs", "tones.npy", *over_time)
    assert done.code == 2
    assert "batched has not this fidelity" in done.err


@pytest.mark.slow
def test_the_code_of_a_gpu_gives_the_same_and_says_what_computed(run, good):
    found = {}
    for device in ("cpu", "torch"):
        done = run(*VERIFY, "--engine", "batched", "--device", device, "--json", f"{device}.json", "--markdown", "-")
        assert done.code == 0
        assert (f"batched {version('kanspice')} on torch" in done.out) is (device == "torch")
        found[device] = json.loads((good / f"{device}.json").read_text())
        assert found[device]["engine"]["options"]["device"] == device
    rmse = [found[device]["gap"]["relative_rmse"] for device in found]
    assert rmse[0] == pytest.approx(rmse[1], rel=1e-9)
    assert found["torch"]["numerical_error"]["relative_rmse"] < 1e-12


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--engine", "batched", "--device", "cuda:99"), "this GPU is not there"),
        (("--engine", "batched", "--device", "tpu"), "no such processor"),
        (("--engine", "ngspice", "--device", "torch"), "ngspice cannot use a GPU"),
    ],
)
def test_a_device_that_cannot_be_used(run, good, arguments, said):
    done = run(*VERIFY, *arguments, "--json", "gap.json")
    assert done.code == 2
    assert said in done.err
    assert not (good / "gap.json").exists()


@pytest.mark.slow
def test_a_study_on_the_code_of_a_gpu(run, good):
    varied = ("--trials", "2", "--set", "devices.area_sigma=0.05", "--cross-check", "0", "--device", "torch")
    done = run("study", "model.pt", "--inputs", "inputs.npy", *varied, "-o", "draws")
    assert done.code == 0
    assert "batched on torch" in done.out
    report = json.loads((good / "draws" / "study.json").read_text())
    assert "--device torch" in json.dumps(report)


@pytest.mark.parametrize("command", ["verify", "study"])
def test_a_circuit_with_nothing_for_a_gpu_is_refused_before_anything_is_simulated(run, good, monkeypatch, command):
    monkeypatch.setattr("kanspice.engine.ngspice.record.solve", lambda *_, **__: pytest.fail("was simulated"))
    save(phykan(), good / "filters.pt")
    np.save(good / "tones.npy", inputs_for(phykan(), 2))
    to_folder = () if command == "verify" else ("-o", "draws", "--trials", "1")
    with_check = ("--engine", "ngspice", "--cross-check", "1", "--device", "torch")
    done = run(command, "filters.pt", "--inputs", "tones.npy", *with_check, *to_folder)
    assert done.code == 2
    assert "nothing in this circuit is for a GPU" in done.err
    assert not (good / "draws").exists()


def test_a_gpu_that_is_full(run, good, monkeypatch):
    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(WholeCrosspoints, "at", full)
    done = run(*VERIFY, "--engine", "batched", "--device", "torch")
    assert done.code == 3
    assert "there is not enough memory" in done.err
    assert "Traceback" not in done.err


@pytest.mark.ngspice
def test_a_simulator_without_room_is_not_checked_and_not_disagreement(run, good, monkeypatch):
    monkeypatch.setattr("kanspice.engine.simulators.memory.available_bytes", lambda: 1000)
    done = run(*VERIFY, "--engine", "batched", "--cross-check", "2", "--json", "gap.json", "--junit", "gap.xml")
    result = json.loads((good / "gap.json").read_text())
    assert done.code == 3
    assert len(result["cross_check"]["not_checked"]) == 2
    assert "2 of 2 samples not checked" in " ".join(done.out.split())
    assert "the circuit does not fit into this machine's memory" in " ".join(done.out.split())
    assert "disagree" not in done.out
    assert [error.get("type") for error in ElementTree.parse(good / "gap.xml").iter("error")] == ["NotChecked"]


@pytest.mark.ngspice
def test_a_circuit_that_does_not_fit_is_not_begun(run, good, monkeypatch):
    monkeypatch.setattr("kanspice.engine.simulators.memory.available_bytes", lambda: 30_000_000)
    done = run(*VERIFY, "--jobs", "2", "--json", "gap.json")
    assert done.code == 3
    assert not (good / "gap.json").exists()
    assert "does not fit into this machine's memory" in done.err
    assert "in each of 2 processes" in " ".join(done.err.split())
    assert "--engine batched, or fewer --jobs" in " ".join(done.err.split())
