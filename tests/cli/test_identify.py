"""`kanspice identify`, in this process: what it writes, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from json_schemas import hold

from kanspice.families import load

COMMAND = ("identify", "model.pt", "--inputs", "more.npy", "--measured", "chip.npy")
OPTIONS = ("--set", "devices.area_sigma=0.02", "--noise", "0.05")


@pytest.fixture(autouse=True)
def chip(good):
    """A chip without any error, of which three samples were not measured."""
    inputs = np.load(good / "inputs.npy")
    noise = 0.05 * np.random.default_rng(0).standard_normal((24, inputs.shape[1]))
    np.save(good / "more.npy", inputs[np.arange(24) % len(inputs)] + noise)
    model = load(good / "model.pt").model
    outputs = model(torch.from_numpy(np.load(good / "more.npy"))).detach().numpy()
    outputs[-3:] = np.nan
    np.save(good / "chip.npy", outputs)


def test_a_chip_is_identified(run, good):
    done = run(*COMMAND, *OPTIONS, "--json", "found.json", "--html", "page.html", "-o", "specimen.npz")
    assert done.code == 0, done.err
    assert "explained" in done.out
    text = (good / "found.json").read_text()
    hold(text, "kanspice.identification/1")
    found = json.loads(text)
    assert (found["fitted"], found["judged"]) == (16, 5)
    assert found["parts"][0]["told"] <= found["parts"][0]["numbers"]
    verified = ("verify", "model.pt", "--inputs", "more.npy", "--engine", "batched", *OPTIONS[:2])
    chip = ("--measured", "chip.npy", "--json", "three.json")
    assert run(*verified, "--specimen", "specimen.npz", *chip).code == 0
    unfitted = json.loads((good / "three.json").read_text())["chip"]["unfitted"]
    assert (unfitted["samples"], unfitted["fitted"]) == (5, 16)


def test_the_first_samples_alone(run, good):
    done = run(*COMMAND, *OPTIONS, "--limit", 15, "--json", "found.json")
    assert done.code == 0, done.err
    found = json.loads((good / "found.json").read_text())
    assert (found["samples"], found["fitted"], found["judged"]) == (15, 12, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "nothing of this circuit is unknown"),
        ((*OPTIONS, "--noise", "0"), "no noise"),
        ((*OPTIONS, "--measured", "more.npy"), "another shape"),
        ((*OPTIONS, "--unknown", "tia.gain"), "cannot be unknown"),
    ],
)
def test_what_cannot_be_done(options, said, run, good):
    done = run(*COMMAND, *options, "-o", "specimen.npz")
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert not (good / "specimen.npz").exists()
