"""`kanspice calibrate`, in this process: what it writes, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from json_schemas import hold

from kanspice.families import load

COMMAND = ("calibrate", "model.pt", "--inputs", "more.npy", "--set", "devices.area_sigma=0.02")


@pytest.fixture(autouse=True)
def more(good):
    """Samples enough to measure some of them."""
    inputs = np.load(good / "inputs.npy")
    noise = 0.05 * np.random.default_rng(0).standard_normal((24, inputs.shape[1]))
    np.save(good / "more.npy", inputs[np.arange(24) % len(inputs)] + noise)


def test_a_chip_is_simulated_and_calibrated(run, good):
    more = ("--chip", 1, "--engine", "batched", "--measurements", 12, "--trims", "outputs,columns")
    done = run(*COMMAND, *more, "--json", "found.json", "--html", "page.html", "-o", "trims.npz")
    assert done.code == 0, done.err
    assert "gap" in done.out
    text = (good / "found.json").read_text()
    hold(text, "kanspice.calibration/1")
    found = json.loads(text)
    assert found["measured"] == 12
    assert [each["trims"] for each in found["candidates"]] == ["outputs", "columns"]
    assert found["output"] == "trims.npz"
    with np.load(good / "trims.npz") as trims:
        assert bool(trims.files) == (found["best"] is not None)


def test_where_nothing_helps_no_trims_of_another_chip_stay(run, good):
    """A chip that gives the network's own outputs needs nothing."""
    outputs = load(good / "model.pt").model(torch.from_numpy(np.load(good / "more.npy"))).detach().numpy()
    np.save(good / "chip.npy", outputs)
    np.savez(good / "trims.npz", **{"outputs.gain": np.full(2, 1.1)})
    done = run(*COMMAND, "--measured", "chip.npy", "--trims", "outputs", "-o", "trims.npz")
    assert done.code == 0, done.err
    assert "leave the chip as it is" in " ".join(done.out.split())
    with np.load(good / "trims.npz") as trims:
        assert trims.files == []


def test_the_first_samples_alone(run, good):
    outputs = load(good / "model.pt").model(torch.from_numpy(np.load(good / "more.npy"))).detach().numpy()
    np.save(good / "chip.npy", outputs)
    more = ("--measured", "chip.npy", "--trims", "outputs", "--limit", 12, "--json", "found.json")
    done = run(*COMMAND, *more)
    assert done.code == 0, done.err
    found = json.loads((good / "found.json").read_text())
    assert (found["samples"], found["measured"]) == (12, 12)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--measured or --chip"),
        (("--chip", 1, "--trims", "colums"), "no trims 'colums'"),
        (("--measured", "few.npy"), "another shape"),
        (("--measured", "inputs.npy"), "another shape"),
        (("--chip", 1, "--engine", "batched", "--measurements", "3"), "not so many"),
        (("--chip", 1, "--engine", "batched", "--measurements", "x"), "list of whole numbers"),
        (("--chip", 1, "--unknown", "tia.gian=2"), "cannot be unknown"),
    ],
)
def test_what_cannot_be_done(options, said, run, good):
    np.save(good / "few.npy", np.zeros((2, 2)))
    done = run(*COMMAND, *options, "-o", "trims.npz")
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert not (good / "trims.npz").exists()
