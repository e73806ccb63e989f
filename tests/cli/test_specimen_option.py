"""`--specimen` and `--specimen-out`: the numbers of a seed from a file are the seed's circuit, and reports say so."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

DRAWN = ("--set", "devices.area_sigma=0.05", "--set", "tia.offset_sigma_v=1e-3")
VERIFY = ("verify", "model.pt", "--inputs", "inputs.npy", *DRAWN, "--engine", "batched")


@pytest.fixture
def specimen(run, good):
    """That of seed 3, in a file."""
    done = run("compile", "model.pt", "--inputs", "inputs.npy", *DRAWN, "--seed", "3", "--specimen-out", "s.npz")
    assert done.code == 0
    assert "wrote model.circuit and s.npz" in done.out
    return good / "s.npz"


def test_it_is_the_circuit_of_its_seed(run, good, specimen):
    for name, options in (("seed", ("--seed", "3")), ("file", ("--specimen", "s.npz")), ("other", ())):
        assert run(*VERIFY, *options, "--attribute", "--json", f"{name}.json").code == 0
    seed, file, other = (json.loads((good / f"{name}.json").read_text()) for name in ("seed", "file", "other"))
    assert file["gap"] == seed["gap"] != other["gap"]
    assert file["causes"] == seed["causes"]
    assert file["specimen"] == {"path": "s.npz", "sha256": hashlib.sha256(specimen.read_bytes()).hexdigest()}
    assert "specimen" not in seed
    done = run("report", "seed.json", "file.json", "--json", "-")
    facts = {fact["name"]: fact["after"] for fact in json.loads(done.out)["facts"]}
    assert facts["specimen.sha256"] == file["specimen"]["sha256"]


@pytest.mark.ngspice
def test_other_engines_solve_that_very_specimen(run, specimen):
    done = run(*VERIFY, "--specimen", "s.npz", "--cross-check", "2:ngspice", "--json", "-")
    assert done.code == 0
    assert json.loads(done.out)["cross_check"]["passed"]


def test_a_compiled_folder_is_that_specimen_and_says_so(run, good, specimen):
    options = ("--inputs", "inputs.npy", *DRAWN, "--specimen", "s.npz", "-o", "given")
    assert run("compile", "model.pt", *options).code == 0
    netlists = [(good / folder / "circuit.cir").read_text() for folder in ("model.circuit", "given")]
    assert netlists[0] == netlists[1]
    manifests = [json.loads((good / folder / "manifest.json").read_text()) for folder in ("model.circuit", "given")]
    assert "specimen_sha256" not in manifests[0]
    assert manifests[1]["specimen_sha256"] == hashlib.sha256(specimen.read_bytes()).hexdigest()
    assert run("simulate", "given", "--inputs", "inputs.npy", "--engine", "batched").code == 0


def test_a_file_that_does_not_fit_is_refused_before_anything_is_written(run, good, specimen):
    done = run("verify", "model.pt", "--inputs", "inputs.npy", "--specimen", "s.npz", "--json", "gap.json")
    assert done.code == 2
    assert "expected: no arrays: nothing is random in this technology" in done.err
    with np.load(specimen) as archive:
        arrays = dict(archive)
    np.savez(specimen, **{**arrays, "normal/l2.crossbar.area": np.zeros((1, 1, 1))})
    for command in (VERIFY, ("compile", "model.pt", *DRAWN, "-o", "given")):
        done = run(*command, "--specimen", "s.npz")
        assert done.code == 2
        assert "s.npz: normal/l2.crossbar.area has another shape" in done.err
    assert not (good / "gap.json").exists()
    assert not (good / "given").exists()


def test_a_specimen_of_nothing_random_is_not_written(run, good):
    done = run("compile", "model.pt", "--specimen-out", "s.npz", "-o", "c")
    assert done.code == 2
    assert "all specimens of this circuit are the same" in done.err
    assert not (good / "s.npz").exists()
    assert not (good / "c").exists()


def test_no_input_is_written_over(run, good, specimen):
    before = specimen.read_bytes()
    done = run("compile", "model.pt", *DRAWN, "--specimen", "s.npz", "--specimen-out", "s.npz", "-o", "c")
    assert done.code == 2
    assert "it is an input of this command" in done.err
    assert specimen.read_bytes() == before
    assert not (good / "c").exists()
