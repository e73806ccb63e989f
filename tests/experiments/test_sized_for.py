"""Circuits that are sized for samples given apart from those that they are measured on."""

from __future__ import annotations

import hashlib
import json
import shlex

import numpy as np
import pytest
from circuits import PEAK, inputs_for, network
from json_schemas import hold
from typer.testing import CliRunner

import kanspice
from kanspice import InputError
from kanspice.cli.commands import app
from kanspice.experiments.verify.document import to_json
from kanspice.families.memkan.network import MemKAN
from kanspice.report.page_markdown import page_markdown

SMALL = {"tia.swing_v": 0.5, "tia.gain": 100, "devices.area_sigma": 0.05}


@pytest.fixture(scope="module")
def model():
    return network([3, 4, 2], [PEAK], seed=2)


@pytest.fixture(scope="module")
def given(model, tmp_path_factory):
    """A folder with the network, samples to size for, and a few others, small, to measure."""
    folder = tmp_path_factory.mktemp("sized")
    kanspice.save(model, folder / "model.pt")
    inputs = inputs_for(model, 40)
    np.save(folder / "train.npy", inputs)
    np.save(folder / "test.npy", 0.3 * inputs[:6])
    return folder


def test_feedback_is_that_of_the_samples_it_is_sized_for(model, given):
    train, test = np.load(given / "train.npy"), np.load(given / "test.npy")
    found = kanspice.verify(model, test, sized_for=train, set=SMALL, engine="batched")
    own = kanspice.verify(model, test, set=SMALL, engine="batched")
    there = kanspice.verify(model, train, set=SMALL, engine="batched")
    assert found.samples == 6
    assert found.design.swing == there.design.swing
    assert found.design.swing != own.design.swing
    assert found.design.swing_basis.startswith("40 sample inputs")
    assert found.inputs.sha256 == own.inputs.sha256
    assert found.sized_for.sha256 == hashlib.sha256(train.tobytes()).hexdigest()
    assert own.sized_for is None


def test_a_limit_leaves_the_samples_it_is_sized_for(model, given):
    train, test = np.load(given / "train.npy"), np.load(given / "test.npy")
    whole = kanspice.verify(model, test, sized_for=train, set=SMALL, engine="batched")
    some = kanspice.verify(model, test, sized_for=train, set=SMALL, engine="batched", limit=3)
    assert some.design.swing == whole.design.swing
    assert some.sized_for == whole.sized_for
    assert np.array_equal(some.outputs, whole.outputs[:3])


def test_every_circuit_of_a_run_is_sized_so(model, given):
    """Those that an attribution compares, and the one that another engine looks at."""
    train, test = np.load(given / "train.npy"), np.load(given / "test.npy")
    found = kanspice.verify(
        model, test, sized_for=train, set=SMALL, engine="batched", attribute=True, cross_check="3:ngspice"
    )
    (alone,) = (cause.alone for cause in found.causes if cause.name == "devices.area_sigma")
    areas = {"devices.area_sigma": SMALL["devices.area_sigma"]}
    assert alone.gap == kanspice.verify(model, test, sized_for=train, set=areas, engine="batched").gap
    assert found.cross_check.passed


@pytest.mark.usefixtures("rough_pictures")
def test_the_command_says_it_and_a_study_measures_the_same(given, monkeypatch):
    monkeypatch.chdir(given)
    settings = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    words = ["verify", "model.pt", "--inputs", "test.npy", "--sized-for", "train.npy", *settings, "--engine", "batched"]
    found = CliRunner().invoke(app, [*words, "--json", "gap.json"])
    assert found.exit_code == 0, found.output
    document = (given / "gap.json").read_text()
    hold(document, "kanspice.gap/1")
    written = json.loads(document)
    digest = hashlib.sha256(np.load("train.npy").tobytes()).hexdigest()
    assert written["sized_for"] == {"path": "train.npy", "sha256": digest}
    assert "40 sample inputs" in written["design"]["swing_basis"]
    page = page_markdown(kanspice.read_report("gap.json").page())
    assert "train.npy" in page
    assert digest in page
    assert to_json(kanspice.read_report("gap.json")) == document
    study = kanspice.study(
        "model.pt", "test.npy", "out", sized_for="train.npy", set=SMALL, trials=2, cross_check=0, seed=0
    )
    draw = study.points[0].draws[0]
    command = shlex.split(study.request.command(study.points[0].point, draw.seed))
    assert command[command.index("--sized-for") + 1] == "train.npy"
    assert CliRunner().invoke(app, [*command[1:], "--json", "draw.json"]).exit_code == 0
    assert draw.metrics["relative_rmse"] == kanspice.read_report("draw.json").gap.relative_rmse
    assert json.loads((given / "out" / "study.json").read_text())["request"]["sized_for"] == "train.npy"
    assert "train.npy" in page_markdown(study.page())
    again = kanspice.study(resume="out")
    assert again.points[0].draws == study.points[0].draws


def test_a_study_goes_on_with_the_samples_it_was_sized_for_only(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("model.pt", "train.npy", "test.npy"):
        (tmp_path / name).write_bytes((given / name).read_bytes())
    kanspice.study("model.pt", "test.npy", "out", sized_for="train.npy", set=SMALL, trials=1, cross_check=0)
    np.save("train.npy", 2 * np.load("train.npy"))
    with pytest.raises(InputError, match="out"):
        kanspice.study(resume="out")


@pytest.mark.parametrize(
    ("samples", "part"),
    [
        (np.zeros((4, 2)), "3 values per sample"),
        (np.zeros((0, 3)), "wrong shape"),
        (np.zeros(3), "wrong shape"),
        (np.full((4, 3), np.nan), "NaN or infinite"),
        ("nowhere.npy", "nowhere.npy"),
    ],
    ids=["width", "none", "one axis", "NaN", "no file"],
)
def test_samples_that_nothing_can_be_sized_for(model, given, samples, part):
    with pytest.raises(InputError, match=part) as caught:
        kanspice.verify(model, np.load(given / "test.npy"), sized_for=samples, set=SMALL, engine="batched")
    assert "sized for" in str(caught.value) or isinstance(samples, str)


def test_a_circuit_that_no_sample_sizes_refuses_them_unless_it_has_converters():
    memkan = MemKAN((2, 2)).eval()
    inputs = np.random.default_rng(0).uniform(-0.5, 0.5, (4, 2))
    with pytest.raises(InputError, match="nothing in this circuit is sized for samples"):
        kanspice.verify(memkan, inputs, sized_for=2 * inputs, engine="batched")
    converted = {"converters.dac_bits": 4}
    own = kanspice.verify(memkan, inputs, set=converted, engine="batched")
    found = kanspice.verify(memkan, inputs, sized_for=2 * inputs, set=converted, engine="batched")
    assert found.sized_for is not None
    assert found.gap != own.gap
