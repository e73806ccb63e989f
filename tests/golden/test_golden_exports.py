"""Every file of an export of a tiny model, of each format."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from test_golden_circuits import MODELS

import kanspice
from kanspice.experiments.export.formats.table import EXPORT_FORMATS

CASES = {
    f"{name}-{model}": (name, model)
    for name in EXPORT_FORMATS
    for model in ("kanalogue", "kirchhoffnet", "phykan", "memkan")
}
_RECEIPT = re.compile(r"^.*(?:gives kanspice's own answer|not simulated here).*$", re.M)


@pytest.mark.parametrize("case", CASES)
def test_exported(golden, tmp_path, monkeypatch, case):
    """But for the receipt, which says what is installed."""
    name, model = CASES[case]
    circuit, inputs = compiled(model)
    monkeypatch.setattr("kanspice.experiments.export.receipt.run_files", _fails)
    kanspice.export(circuit, name, tmp_path / "out", inputs=inputs, sample=1)
    golden(written_in(tmp_path / "out"))


def test_exported_column(golden, tmp_path, monkeypatch):
    """The same of a KiCad project."""
    circuit, inputs = compiled("kanalogue")
    monkeypatch.setattr("kanspice.experiments.export.kicad.export.proven", _fails)
    kanspice.export(circuit, "kicad", tmp_path / "out", inputs=inputs, sample=1)
    golden(written_in(tmp_path / "out"))


def compiled(model):
    """The circuit of a tiny model, and samples for it."""
    network = MODELS[model]()
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.round(tensor * 1024) / 1024)  # whatever torch's random numbers end with
    with_sizes = np.linspace(-0.75, 1.25, 3 * network.input_width).reshape(3, -1)
    return kanspice.compile(network, inputs=with_sizes), with_sizes


def written_in(folder):
    """Every file for people, but for receipts."""
    parts = sorted(path for path in folder.iterdir() if path.suffix not in (".npz", ".json"))
    text = "".join(f"==> {path.name} <==\n{path.read_text(encoding='ascii')}" for path in parts)
    return _RECEIPT.sub("RECEIPT", text)


def _fails(*_):
    from kanspice.experiments.export.formats.format import OutOfTimeError

    raise OutOfTimeError("no simulator in golden files")
