"""`kanspice export`: what it prints, and what it does not write."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def compiled(good, run):
    """The working folder, with the circuit of its model."""
    assert run("compile", "model.pt", "--inputs", "inputs.npy", "-o", "circuit").code == 0
    return good


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        (("circuit", "--to", "ngspise"), "unknown format 'ngspise'", "did you mean 'ngspice'"),
        (("nowhere", "--to", "ngspice"), "no such folder", "kanspice compile MODEL"),
        ((".", "--to", "ngspice"), "is not a compiled folder", "kanspice compile MODEL"),
        (("model.pt", "--to", "ngspice"), "is not a compiled folder", "kanspice compile MODEL"),
        (("circuit", "--to", "ngspice", "--inputs", "inputs.npy", "--sample", "8"), "no such sample", "0 to 7"),
        (("circuit", "--to", "ngspice", "--sample", "1"), "a sample of no inputs", "--inputs X.npy"),
        (("circuit", "--to", "ngspice", "-o", "model.pt"), "is in the way", "choose another folder"),
        (("circuit", "--to", "ngspice", "-o", "circuit"), "would be overwritten", "another name"),
    ],
)
def test_bad_input_is_one_clear_message(compiled, run, arguments, problem, hint):
    done = run("export", *arguments)
    assert (done.code, done.out) == (2, "")
    assert problem in done.err
    assert hint in done.err
    assert not list(compiled.glob("*.ngspice"))


@pytest.mark.ngspice
def test_it_says_folder_and_receipt_and_simulate_takes_it_back(compiled, run):
    done = run("export", "circuit", "--to", "ngspice", "--inputs", "inputs.npy", "--sample", "3")
    assert done.code == 0
    assert done.out.startswith("wrote circuit.ngspice: ngspice -b bench.cir (2 outputs)\nreceipt: ngspice ")
    assert "gives kanspice's own answer" in done.out
    assert run("simulate", "circuit.ngspice", "-o", "y.npz").code == 0
    assert run("simulate", "circuit", "--inputs", "inputs.npy", "--engine", "batched", "-o", "ours.npz").code == 0
    with np.load("y.npz") as back, np.load("ours.npz") as ours:
        assert back["outputs"][0] == pytest.approx(ours["outputs"][3], abs=1e-9)


def test_a_circuit_of_another_version_is_not_exported(compiled, run):
    manifest = compiled / "circuit" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("kanspice.manifest/1", "kanspice.manifest/9"))
    done = run("export", "circuit", "--to", "ngspice")
    assert done.code == 2
    assert "was compiled by another version" in done.err
    assert "compile again" in done.err
