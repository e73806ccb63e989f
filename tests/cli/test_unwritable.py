"""A file that could not be written is refused before anything is computed, by every command that works for long."""

from __future__ import annotations

import numpy as np
import pytest

MODEL = ("model.pt", "--inputs", "inputs.npy", "--set", "devices.area_sigma=0.02")
COMMANDS = {
    "verify": (*MODEL, "--engine", "batched"),
    "tune": (*MODEL, "-o", "tuned.pt", "--alone"),
    "sensitivity": MODEL,
    "identify": (*MODEL, "--measured", "chip.npy"),
    "calibrate": (*MODEL, "--chip", 1, "--engine", "batched", "--measurements", 10),
}
WORK = (
    "kanspice.experiments.verify.run.verify",
    "kanspice.experiments.tune.run.tune",
    "kanspice.experiments.api.sensitivity.analyse",
    "kanspice.experiments.api.identify.Identified",
    "kanspice.experiments.api.calibrate.calibrated",
)


@pytest.mark.parametrize(
    "asked", ["verify --json", "tune -o", "sensitivity --worst", "identify -o", "calibrate --markdown"]
)
def test_nothing_is_computed_for_it(run, good, monkeypatch, asked):
    monkeypatch.chdir(good)
    command, option = asked.split()
    inputs = np.load("inputs.npy")
    np.save("inputs.npy", np.tile(inputs, (3, 1)))
    np.save("chip.npy", np.zeros((3 * len(inputs), 2)))
    for work in WORK:
        monkeypatch.setattr(work, lambda *_, **__: pytest.fail("it was computed"))
    done = run(command, *COMMANDS[command], option, "model.pt/x")
    assert done.code == 2
    assert "the file cannot be written" in done.err
