"""Circuits that are sized for samples given apart from those that they are measured on."""

from __future__ import annotations

import hashlib
import json
import shlex

import numpy as np
import pytest
from circuits import LINE, PEAK, inputs_for, network
from json_schemas import hold
from loops import BALANCES, linear
from typer.testing import CliRunner

import kanspice
from kanspice import InputError
from kanspice.cli.commands import app
from kanspice.experiments.calibrate.document import calibration_json
from kanspice.experiments.control.document import control_json
from kanspice.experiments.ensemble.variations import seed_of
from kanspice.experiments.identify.document import identification_json
from kanspice.experiments.sensitivity.document import sensitivity_json
from kanspice.experiments.settle.document import settling_json
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


NOMINAL = {"tia.swing_v": 0.5, "tia.gain": 100}


@pytest.mark.slow
def test_the_specimens_of_a_sensitivity_analysis_are_those_of_verify(model, given, tmp_path):
    """The circuit that numbers are counted from, the drawn ones, and the worst one, to the last bits."""
    train, test = np.load(given / "train.npy"), np.load(given / "test.npy")
    there = {"sized_for": train, "set": SMALL}
    found = kanspice.sensitivity(model, test, draws=1, worst=tmp_path / "worst.npz", seed=3, **there)
    nominal = kanspice.verify(model, test, sized_for=train, set=NOMINAL, engine="batched")
    worst = kanspice.verify(model, test, specimen=tmp_path / "worst.npz", engine="batched", **there)
    drawn = kanspice.verify(model, test, seed=seed_of(3, 0), engine="batched", **there)
    assert found.prediction.nominal == pytest.approx(nominal.gap.relative_rmse, rel=1e-12)
    assert found.worst.gap == pytest.approx(worst.gap.relative_rmse, rel=1e-12)
    assert found.drawn.largest == pytest.approx(drawn.gap.relative_rmse, rel=1e-12)
    own = kanspice.sensitivity(model, test, draws=0, set=SMALL)
    assert found.prediction.nominal != pytest.approx(own.prediction.nominal, rel=1e-9)
    assert (found.sized_for, own.sized_for) == (worst.sized_for, None)
    assert worst.sized_for.sha256[:12] in page_markdown(found.page())
    written = json.loads(sensitivity_json(found))
    assert written["sized_for"] == {"path": "", "sha256": worst.sized_for.sha256}
    hold(sensitivity_json(found), "kanspice.sensitivity/1")


@pytest.fixture(scope="module")
def measured(model, given):
    """What the circuit that is sized for `train` gives, without anything random: inputs, sizing samples, outputs."""
    train = np.load(given / "train.npy")
    test = 0.3 * inputs_for(model, 12, seed=4)
    return test, train, kanspice.verify(model, test, sized_for=train, set=NOMINAL, engine="batched").outputs


@pytest.mark.slow
def test_the_circuit_that_a_chip_is_identified_as_is_that_of_verify(model, measured):
    test, train, outputs = measured
    found = kanspice.identify(model, test, outputs, sized_for=train, set=SMALL)
    assert found.nominal_error < 1e-12
    assert found.sized_for.sha256 == hashlib.sha256(train.tobytes()).hexdigest()
    hold(identification_json(found), "kanspice.identification/1")
    assert json.loads(identification_json(found))["sized_for"]["sha256"] == found.sized_for.sha256
    assert found.sized_for.sha256[:12] in page_markdown(found.page())


@pytest.mark.slow
def test_the_circuit_that_a_chip_is_calibrated_as_is_that_of_verify(model, measured):
    test, train, outputs = measured
    how = {"measured": outputs, "set": SMALL, "trims": ["columns"]}
    found = kanspice.calibrate(model, test, sized_for=train, **how)
    own = kanspice.calibrate(model, test, **how)
    assert found.twins[0].untouched_error < 1e-12
    assert own.twins[0].untouched_error > 1e-6
    assert (found.sized_for.sha256, own.sized_for) == (hashlib.sha256(train.tobytes()).hexdigest(), None)
    hold(calibration_json(found), "kanspice.calibration/1")
    assert json.loads(calibration_json(found))["sized_for"]["sha256"] == found.sized_for.sha256
    assert found.sized_for.sha256[:12] in page_markdown(found.page())


def test_a_compiled_circuit_is_that_of_verify(given, tmp_path, monkeypatch):
    monkeypatch.chdir(given)
    verified = kanspice.verify("model.pt", "test.npy", sized_for="train.npy", set=SMALL, engine="batched", seed=2)
    settings = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    words = ["compile", "model.pt", "--inputs", "test.npy", "--sized-for", "train.npy", *settings, "--seed", "2"]
    found = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "circuit")])
    assert found.exit_code == 0, found.output
    assert "amplifiers sized for 40 sample inputs" in found.output
    assert "pass the same" not in found.output
    simulated = kanspice.simulate(tmp_path / "circuit", "test.npy", engine="batched")
    assert np.array_equal(simulated.outputs, verified.outputs)
    assert kanspice.compile("model.pt", inputs="train.npy", set=SMALL, seed=2).design.swing_basis in found.output


@pytest.mark.slow
def test_a_circuit_that_is_followed_is_the_one_for_the_samples_it_is_sized_for(tmp_path, monkeypatch):
    """Of all of them at once, `limit` follows a part: the same circuit, by another way."""
    monkeypatch.chdir(tmp_path)
    line = network([3, 4, 2], [LINE], norm="none", seed=2)
    kanspice.save(line, "model.pt")
    samples = inputs_for(line, 40)
    np.save("train.npy", samples)
    np.save("some.npy", samples[:3])
    timed = {"tia.rail_v": 2.0, "tia.gain": 1e4, "tia.gbw_hz": 1e8}
    found = kanspice.settle("model.pt", "some.npy", sized_for="train.npy", set=timed)
    there = kanspice.settle("model.pt", "train.npy", limit=3, set=timed)
    own = kanspice.settle("model.pt", "some.npy", set=timed)
    assert (found.latency_s, found.power_w) == (there.latency_s, there.power_w)
    assert found.latency_s != own.latency_s
    digest = hashlib.sha256(samples.tobytes()).hexdigest()
    assert json.loads(settling_json(found))["sized_for"] == {"path": "train.npy", "sha256": digest}
    hold(settling_json(found), "kanspice.settling/1")
    assert "train.npy" in page_markdown(found.page())
    study = kanspice.settle("model.pt", "some.npy", sized_for="train.npy", set=timed, trials=1, out="followed")
    assert study.points[0].draws[0].metrics["latency_s"] == found.latency_s
    command = shlex.split(study.request.command(study.points[0].point, 0))
    assert command[command.index("--sized-for") + 1] == "train.npy"
    assert kanspice.settle(resume="followed").points[0].draws == study.points[0].draws
    np.save("train.npy", 2 * samples)
    with pytest.raises(InputError, match="followed"):
        kanspice.settle(resume="followed")


@pytest.mark.slow
def test_circuits_in_a_loop_are_those_for_the_samples_they_are_sized_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = linear(np.array(BALANCES)[:, None])
    kanspice.save(model, "network.pt")
    samples = np.random.default_rng(0).uniform(-3.0, 3.0, (30, 4))
    np.save("train.npy", samples)
    asked = {"episodes": 1, "steps": 5, "engine": "batched", "set": {"devices.area_sigma": 0.05}}
    found = kanspice.control("network.pt", "cartpole", sized_for=samples, **asked)
    own = kanspice.control("network.pt", "cartpole", **asked)
    verified = kanspice.verify("network.pt", samples, set=asked["set"], engine="batched")
    assert found.along.design.swing == verified.design.swing
    assert found.along.design.swing != own.along.design.swing
    assert (found.along.sized_for.sha256, own.along.sized_for) == (verified.inputs.sha256, None)
    hold(control_json(found), "kanspice.control/1")
    assert json.loads(control_json(found))["sized_for"]["sha256"] == verified.inputs.sha256
    drawn = kanspice.control(
        "network.pt", "cartpole", sized_for="train.npy", trials=1, spot_check=0, out="loops", **asked
    )
    assert drawn.along.design.swing == found.along.design.swing
    assert "--sized-for train.npy" in drawn.command
    assert "train.npy" in page_markdown(drawn.page())
    assert kanspice.control(resume="loops").points == drawn.points
    np.save("train.npy", 2 * samples)
    with pytest.raises(InputError, match="loops"):
        kanspice.control(resume="loops")


@pytest.mark.parametrize("command", ["compile", "sensitivity"])
def test_every_command_refuses_samples_that_nothing_is_sized_for(command):
    memkan = MemKAN((2, 2)).eval()
    inputs = np.random.default_rng(0).uniform(-0.5, 0.5, (4, 2))
    call = getattr(kanspice, command)
    with pytest.raises(InputError, match="nothing in this circuit is sized for samples"):
        call(memkan, inputs=inputs, sized_for=2 * inputs)
