"""One path from end to end for every family: saved, loaded, compiled, solved, compared with the network, reported."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from circuits import PEAK, load_device, network
from connections import memkan, phykan, surrogate_memkan
from images import cnnkan
from torch import nn
from typer.testing import CliRunner

from kanspice import DeviceActivation, convert
from kanspice.cli.commands import app
from kanspice.families import FAMILIES, save
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import topology_from_edges


def mlp():
    """A device, a ReLU and a norm between linear layers."""
    torch.manual_seed(1)
    layers = nn.Linear(3, 4), DeviceActivation(PEAK, scale=2.0), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU()
    return convert(nn.Sequential(*layers, nn.Linear(3, 2)))


def kirchhoffnet():
    """Two periods of the same two nodes."""
    topology = topology_from_edges([(0, 1), (1, 0), (1, 2), (2, 1), (2, 0)])
    return KirchhoffNet([topology, topology], [0.5, 0.25], branch_function("ShiftTanh2", {}, "x")).eval()


NETWORKS = {
    "kanalogue": lambda: network([2, 3, 2], [load_device("z21"), PEAK]),
    "kirchhoffnet": kirchhoffnet,
    "phykan": phykan,
    "memkan": memkan,
    "mlp": mlp,
    "cnnkan": cnnkan,
    "memkan-surrogate": surrogate_memkan,
}


def measured(family, folder, *options):
    """The report on six samples."""
    model = NETWORKS[family]()
    save(model, folder / "model.pt")
    inputs = np.random.default_rng(3).uniform(0.1, 0.9, (6, model.input_width))
    np.save(folder / "x.npy", inputs)
    files = ["--inputs", str(folder / "x.npy"), "--json", str(folder / "gap.json")]
    result = CliRunner().invoke(app, ["verify", str(folder / "model.pt"), *files, *options])
    assert result.exit_code == 0, result.output
    return json.loads((folder / "gap.json").read_text(encoding="utf-8"))


WITHOUT_CIRCUIT = {"edgekan"}
"""Families whose networks have to be projected onto devices first."""


def test_there_is_a_network_of_every_family():
    assert set(NETWORKS) | WITHOUT_CIRCUIT == {family.name for family in FAMILIES}


@pytest.mark.parametrize("family", sorted(NETWORKS.keys() - {"memkan-surrogate"}))
def test_an_ideal_circuit_is_the_network(family, tmp_path):
    report = measured(family, tmp_path, "--engine", "batched")
    assert report["model"]["family"] == family
    assert report["failed_samples"] == []
    assert report["gap"]["relative_rmse"] < 1e-6


def test_a_surrogate_that_knows_nothing_of_synapses_is_not_their_circuit(tmp_path):
    report = measured("memkan-surrogate", tmp_path, "--engine", "batched")
    assert report["failed_samples"] == []
    assert report["stages"][0]["relative_rmse"] < 1e-12
    assert report["gap"]["relative_rmse"] > 10


@pytest.mark.ngspice
def test_so_it_is_in_ngspice_and_both_engines_agree_on_an_imperfect_one(tmp_path):
    imperfect = "--set", "tia.gain=1000", "--set", "devices.area_sigma=0.05", "--cross-check", "6"
    report = measured("kanalogue", tmp_path)
    assert report["gap"]["relative_rmse"] < 1e-9
    (tmp_path / "gap.json").unlink()
    worse = measured("kanalogue", tmp_path, *imperfect)
    assert worse["gap"]["relative_rmse"] > 1e-3
    assert worse["cross_check"]["passed"] is True


@pytest.mark.slow
@pytest.mark.vacask
@pytest.mark.parametrize("family", sorted(NETWORKS))
def test_vacask_says_the_same(family, tmp_path, module_cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(module_cache))
    report = measured(family, tmp_path, "--engine", "batched", "--cross-check", "3:vacask")
    assert report["cross_check"]["engine"]["name"] == "vacask"
    assert report["cross_check"]["worst_relative"] < (1e-6 if family == "kirchhoffnet" else 1e-10)
