"""The command line called in this process, and a folder of good files to spoil one at a time."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from circuits import PEAK, inputs_for, load_device, network

from kanspice.cli import main
from kanspice.families import save
from kanspice.families.common.following import reference_stages
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import recipe

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE")]


@contextmanager
def command_line(monkeypatch):
    """What calls `kanspice` with arguments and returns its exit code. Signals are handled as before after it."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["kanspice", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code or 0

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def rough(rough_pictures):
    """Pictures are drawn as they are where a test is about them: in tests/report and tests/golden."""


@pytest.fixture
def run(monkeypatch, capsys):
    """Calls `kanspice` with arguments; returns its exit code and what it printed. It never shows a traceback."""
    with command_line(monkeypatch) as command:

        def call(*arguments):
            code = command(*arguments)
            printed = capsys.readouterr()
            assert "Traceback" not in printed.out + printed.err
            return SimpleNamespace(code=code, out=printed.out, err=printed.err)

        yield call


@pytest.fixture(scope="module")
def run_once():
    """Calls `kanspice` with arguments in a folder, for what the tests of a module share; it has to succeed."""
    with pytest.MonkeyPatch.context() as monkeypatch, command_line(monkeypatch) as command:

        def call(folder, *arguments):
            monkeypatch.chdir(folder)
            assert command(*arguments) == 0

        yield call


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A small model with inputs, labels and its outputs."""
    folder = tmp_path_factory.mktemp("made")
    model = network([3, 4, 2], [load_device("z21"), PEAK], input_stage="sigmoid")
    inputs = inputs_for(model, 8)
    outputs = list(reference_stages(model, inputs).values())[-1]
    save(model, folder / "model.pt")
    np.save(folder / "inputs.npy", inputs)
    np.save(folder / "labels.npy", outputs.argmax(axis=1))
    np.save(folder / "outputs.npy", outputs)
    return folder


@pytest.fixture
def good(made, tmp_path, monkeypatch):
    """A fresh copy of those files as the working folder. Nothing half-written may be left in it, or among the
    temporary files."""
    folder, temporary = tmp_path / "work", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    for path in made.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    yield folder
    assert list(temporary.iterdir()) == []
    assert [path.name for path in folder.rglob(".*")] == []


@pytest.fixture
def moving(good):
    """Adds a model whose circuit answers after a time, in two periods, with inputs: returns both files' names."""
    torch.manual_seed(3)
    topology = recipe("_fully_connect", {"num_node": 3}, "x").build()
    model = KirchhoffNet([topology, topology], [0.5, 1.0], branch_function("ShiftTanh2", {}, "x"))
    save(model, good / "moving.pt")
    np.save(good / "starts.npy", np.random.default_rng(0).normal(size=(5, 2)))
    return "moving.pt", "starts.npy"


@pytest.fixture
def authors(good):
    """Writes a checkpoint in the authors' format, changed as wanted; returns the arguments that name it."""

    def write(state=None, **changes):
        config = {
            "input_dim": 3,
            "HIDDEN_DIMS": [],
            "td_basis_types": ["A21"],
            "acti": "PosHC",
            "norm_layer": "None",
            "fit_mode": "univariate",
        }
        weights = {
            "net.0.coeffs": torch.ones(3, 2, 1, dtype=torch.float64),
            "net.0.bias": torch.zeros(2, dtype=torch.float64),
        }
        torch.save(weights | (state or {}), good / "best.pth")
        (good / "config.json").write_text(json.dumps(config | changes))
        return ["best.pth", "--config", "config.json"]

    return write


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
