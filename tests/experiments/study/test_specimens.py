"""What is drawn at random is known to be."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from circuits import PEAK, inputs_for, load_device, network
from images import cnnkan

import kanspice
from kanspice.base.errors import InputError
from kanspice.experiments.settle.plan import SettlingRequest
from kanspice.experiments.settle.study import prepare as prepare_settling
from kanspice.experiments.study.plan import StudyRequest
from kanspice.experiments.study.run import prepare
from kanspice.families import save
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import recipe
from kanspice.families.memkan.network import MemKAN
from kanspice.families.phykan.network import PhyKAN
from kanspice.technology import Technology, entries

pytestmark = pytest.mark.slow

WORDS = ("sigma", "noise", "stuck", "jitter", "skew")
SMALL = {"s": 1e-3, "v": 1e-3}
"""What a key is set to, by its unit; 0.1 for the others."""
BESIDE = {
    "ageing.drift_nu_sigma": ("ageing.time_s=1e6",),
    "ageing.retention_sigma": ("ageing.time_s=1e6", "ageing.retention_s=1e6"),
}
"""What it takes for a key to have an effect."""
RANDOM = [
    entry.name
    for _, _, keys in entries(Technology())
    for entry in keys
    if entry.is_cause and any(word in entry.name.partition(".")[2] for word in WORDS)
]
FAMILIES = {
    "kanalogue": (),
    "kanalogue, rectifiers": ("clippers.circuit=rectifiers",),
    "sigmoid, pairs": ("pairs.thermal_v=0.026",),
    "kirchhoffnet": (),
    "kirchhoffnet, schematic": ("branches.realisation=schematic",),
    "kirchhoffnet, monolithic": ("switches.mode=monolithic",),
    "phykan": (),
    "memkan": (),
    "cnnkan": (),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(3)
    topology = recipe("_fully_connect", {"num_node": 3}, "x").build()
    save(KirchhoffNet([topology], [0.5], branch_function("ShiftTanh2", {}, "x")), folder / "kirchhoffnet.pt")
    save(network([2, 2], [PEAK]), folder / "kanalogue.pt")
    save(network([2, 2], [PEAK], input_stage="sigmoid"), folder / "sigmoid.pt")
    save(PhyKAN((2, 2), 1), folder / "phykan.pt")
    save(MemKAN((2, 2), ("LP",)), folder / "memkan.pt")
    save(cnnkan((1, 1, 2), (2,)), folder / "cnnkan.pt")
    np.save(folder / "inputs.npy", np.random.default_rng(0).uniform(0, 0.5, (4, 2)))
    return folder


def is_random(models, family, *settings):
    model = family.partition(",")[0] + ".pt"
    request = StudyRequest(
        folder=str(models), model=model, inputs="inputs.npy", set_=(*FAMILIES[family], *settings), trials=7
    )
    prepared = prepare(request)
    assert prepared.ensemble.trials == (7 if prepared.setups[0].is_random else 1,)
    return prepared.setups[0].is_random


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_is_random_by_itself(models, family):
    assert not is_random(models, family)


@pytest.mark.parametrize("key", RANDOM)
def test_everything_random_is_seen(models, key):
    """With jitter, say, taken for fixed, a study would measure one draw and call it all of them."""
    value = SMALL.get(key.rpartition("_")[2], 0.1)
    found = []
    for family in FAMILIES:
        try:
            found.append(is_random(models, family, f"{key}={value}", *BESIDE.get(key, ())))
        except InputError:
            continue
    assert found, f"no circuit here has {key}: add one"
    assert all(found)


def test_values_that_are_fixed_are_not_random(models):
    assert not is_random(
        models, "kanalogue", "tia.gain=100", "devices.area_step=0.5", "parts.resistors=E96", "converters.dac_bits=6"
    )


@pytest.mark.parametrize("engine", ["batched", pytest.param("ngspice", marks=pytest.mark.ngspice)])
def test_samples_that_do_not_stand_still_are_counted(models, engine):
    """PEAK falls by 2 uA/V behind 1 Mohm at most: without a capacitor a column of negative slope grows."""
    slow = ("tia.gain=1e4", "tia.gbw_hz=1e5", "wires.column_f=1e-14", "devices.area_sigma=0.01")
    np.save(models / "steep.npy", np.array([[0.7, 0.7], [0.71, 0.69], [0.1, 0.1], [0.72, 0.7]]))
    found = []
    for feedback in ("tia.feedback_f=0", "tia.feedback_f=chosen"):
        request = StudyRequest(
            folder=str(models),
            model="kanalogue.pt",
            inputs="steep.npy",
            set_=(*slow, feedback),
            trials=2,
            engine=engine,
            limits=(("unstable_fraction", 0.1),),
        )
        found.append(prepare(request).setups[0].measure(0, 11))
    bare, held = found
    assert set(bare.failed) == {"unstable"}
    assert bare.metrics["unstable_fraction"] == bare.failed["unstable"] / 4 > 0
    assert (held.failed, held.metrics["unstable_fraction"]) == ({}, 0.0)


def test_a_process_that_measures_does_without_torch(models, tmp_path):
    """Which takes most of the time that such a process needs to begin, and most of its memory."""
    here = {"folder": str(models), "model": "kanalogue.pt", "inputs": "inputs.npy", "trials": 2}
    setups = [
        prepare(StudyRequest(**here, set_=("devices.area_sigma=0.1",))).setups[0],
        prepare_settling(SettlingRequest(**here, set_=("tia.gain=1e4", "tia.gbw_hz=1e6"))).setups[0],
    ]
    sent, answered = tmp_path / "setups", tmp_path / "answers"
    sent.write_bytes(pickle.dumps(setups))
    program = f"""
import pathlib, pickle, sys
answers = [setup.measure(1, 11) for setup in pickle.loads(pathlib.Path({str(sent)!r}).read_bytes())]
pathlib.Path({str(answered)!r}).write_bytes(pickle.dumps(answers))
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
    assert pickle.loads(answered.read_bytes()) == [setup.measure(1, 11) for setup in setups]


@pytest.mark.parametrize("random", ["tia.offset_sigma_v=5e-3", "devices.shift_sigma_v=2e-3"])
def test_draws_are_solved_as_the_circuits_that_they_are(random, tmp_path):
    """Columns move by offsets, and devices of a row see voltages of their own, which those of the nominal circuit do
    not."""
    model = network([3, 4, 2], [load_device("z21")])
    save(model, tmp_path / "model.pt")
    np.save(tmp_path / "x.npy", inputs_for(model, 5))
    given = tmp_path / "model.pt", tmp_path / "x.npy"
    study = kanspice.study(*given, set=[random], trials=2, cross_check=0, out=tmp_path / "study")
    for draw in study.points[0].draws:
        alone = kanspice.verify(*given, set=[random], engine="batched", seed=draw.seed)
        assert draw.metrics["relative_rmse"] == pytest.approx(alone.gap.relative_rmse, rel=1e-9)
