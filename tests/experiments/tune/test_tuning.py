"""Tuning from end to end: what is measured is what a study of the same seed measures, on what no training saw."""

from __future__ import annotations

import hashlib
import json
import shlex
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from circuits import PEAK, inputs_for, network
from json_schemas import hold
from typer.testing import CliRunner

import kanspice
from kanspice import InputError
from kanspice.cli.commands import app
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.tune.document import tuning_json
from kanspice.experiments.tune.samples import Aim, split
from kanspice.families.loading import loaded_from
from kanspice.families.memkan.network import MemKAN
from kanspice.report.page_markdown import page_markdown

HARD = {"tia.gain": 10, "devices.area_sigma": 0.1}
FEW = {"epochs": 2, "trials": 3, "cross_check": 0, "noise": [0.3]}


@pytest.fixture(scope="module")
def model():
    return network([3, 4, 2], [PEAK], seed=2)


@pytest.fixture(scope="module")
def inputs(model):
    return inputs_for(model, 96)


@pytest.fixture(scope="module")
def labels(inputs):
    return (inputs.sum(axis=1) > inputs.sum(axis=1).mean()).astype(np.int64)


@pytest.fixture(scope="module")
def result(model, inputs, labels, tmp_path_factory):
    output = tmp_path_factory.mktemp("tuned") / "tuned.pt"
    return kanspice.tune(model, inputs, labels=labels, set=HARD, output=output, **FEW)


def test_networks_stand_side_by_side(result):
    kinds = [(arm.kind.name, arm.kind.sigma) for arm in result.arms]
    assert kinds == [("given", 0.0), ("plain", 0.0), ("noise", 0.3), ("circuit", 0.0)]
    assert (result.training_samples, result.held_out_samples, result.samples) == (60, 12, 24)
    assert [len(arm.draws) for arm in result.arms] == [3] * 4
    assert result.exit_code == 0
    hold(tuning_json(result), "kanspice.tuning/1")


def test_what_is_measured_is_what_a_study_measures(result, inputs, labels, tmp_path):
    places = list(result.places)
    np.save(tmp_path / "x.npy", inputs[places])
    np.save(tmp_path / "y.npy", labels[places])
    np.save(tmp_path / "rest.npy", np.delete(inputs, places, axis=0))
    study = kanspice.study(
        result.written, tmp_path / "x.npy", tmp_path / "out", labels=tmp_path / "y.npy", set=HARD, trials=3,
        cross_check=0, sized_for=tmp_path / "rest.npy",
    )  # fmt: skip
    (point,) = study.points
    assert [draw.metrics for draw in point.draws] == [draw.metrics for draw in result.tuned.draws]
    assert [draw.failed for draw in point.draws] == [draw.failed for draw in result.tuned.draws]
    assert tuple(study.request.seeds) == result.seeds


def test_no_measured_sample_is_one_that_circuits_are_sized_for(result, inputs):
    rest = np.delete(inputs, list(result.places), axis=0)
    assert result.sizing_samples == len(rest) == 72
    assert result.sized_for.sha256 == hashlib.sha256(rest.tobytes()).hexdigest()
    page = page_markdown(result.page())
    assert "sized for 72 samples, all those of Python that are not measured" in page
    assert "--sized-for REST.npy" in page


def test_the_command_that_is_named_measures_the_first_specimen(model, inputs, labels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, values in (("x", inputs[:72]), ("y", labels[:72]), ("tx", inputs[72:]), ("ty", labels[72:])):
        np.save(f"{name}.npy", values)
    result = kanspice.tune(
        model, "x.npy", labels="y.npy", test_inputs="tx.npy", test_labels="ty.npy", set=HARD, output="out.pt",
        alone=True, limit=48, **{**FEW, "trials": 1},
    )  # fmt: skip
    command = shlex.split(result.again)
    assert command[:2] == ["kanspice", "verify"]
    assert command[command.index("--sized-for") + 1] == "x.npy"
    assert result.sizing_samples == 72
    found = CliRunner().invoke(app, [*command[1:], "--json", "gap.json"])
    assert found.exit_code == 0, found.output
    written = kanspice.read_report("gap.json")
    (draw,) = result.tuned.draws
    assert written.accuracy["circuit"] == draw.metrics["accuracy"]
    assert written.gap.relative_rmse == draw.metrics["relative_rmse"]
    assert written.sized_for.sha256 == result.sized_for.sha256


def test_a_circuit_that_no_sample_sizes_is_said_to_be_so(tmp_path):
    memkan = MemKAN((2, 2)).eval()
    inputs = np.random.default_rng(0).uniform(-0.5, 0.5, (48, 2))
    found = kanspice.tune(memkan, inputs, set={"converters.input_noise_v": 0.01}, alone=True, **{**FEW, "epochs": 1})
    assert found.sized_for is None
    assert "--sized-for" not in found.again
    assert "nothing in them is sized for samples" in page_markdown(found.page())
    hold(tuning_json(found), "kanspice.tuning/1")


def test_without_answers_the_networks_own_are_aimed_at(model, inputs):
    corners = {"low": {"tia.gain": 10}, "high": {"tia.gain": 30}}
    result = kanspice.tune(model, inputs, corner=corners, epochs=4, rate=0.05, trials=2, cross_check=0, alone=True)
    assert result.aim is Aim.OUTPUTS
    assert result.given.itself == 0
    assert [point.point.corner for point in result.tuned.points] == ["low", "high"]
    assert result.is_better
    assert result.tuned.summary.mean < result.given.summary.mean
    assert "standard deviations of the targets" in repr(result)
    assert len(result.columns()["error"]) == len(result.arms) * 2


def test_no_sample_is_of_two_kinds(model, inputs, labels):
    marked = inputs + np.arange(96)[:, None] * 1e-6
    found = split(loaded_from(model), Evidence(marked, labels), None, 4)
    kinds = [found.training.inputs, found.held_out.inputs, found.test.inputs]
    rows = [{row.tobytes() for row in kind} for kind in kinds]
    assert sum(map(len, rows)) == len(set.union(*rows)) == 96
    assert found.repeated == 0


def test_a_test_of_its_own_that_overlaps_is_said_to(model, inputs, labels):
    result = kanspice.tune(
        model, inputs, labels=labels, test_inputs=inputs[:20], test_labels=labels[:20], set=HARD, alone=True, epochs=1,
        trials=1, cross_check=0,
    )  # fmt: skip
    assert result.places is None
    assert result.repeated > 0
    assert "these files overlap" in page_markdown(result.page())


def test_whatever_ends_it_the_best_network_so_far_is_there(model, inputs, labels, tmp_path):
    output, done = tmp_path / "best.pt", []

    @contextmanager
    def interrupting(*_about):
        def told(_advance):
            done.append(output.exists())
            if done[-1]:
                raise KeyboardInterrupt

        yield told

    with pytest.raises(KeyboardInterrupt):
        kanspice.tune(model, inputs, labels=labels, set=HARD, output=output, progress=interrupting, epochs=50)
    assert done[-1]
    assert kanspice.load(output).parameters == sum(each.numel() for each in model.parameters())


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"targets": np.zeros((96, 2))}, "labels and targets, both"),
        ({"set": {}}, "the circuit is ideal"),
        ({"corner": {"good": {"tia.gain": 10}, "ideal": {}}, "set": {}}, "the circuit is ideal"),
        ({"limit": 20}, "too few samples"),
        ({"test_inputs": np.zeros((8, 3))}, "not for both"),
        ({"test_labels": np.zeros(8, dtype=np.int64)}, "no samples that these are for"),
        ({"test_inputs": np.zeros((2, 3)), "test_labels": np.zeros(2, dtype=np.int64)}, "too few samples"),
        ({"epochs": 0}, "out of range"),
        ({"seconds": 0}, "out of range"),
        ({"rate": 2}, "out of range"),
        ({"noise": [-1]}, "out of range"),
        ({"input_noise": float("nan")}, "out of range"),
        ({"labels": np.full(96, 7)}, "not a class"),
    ],
    ids=str,
)
def test_bad_input(model, inputs, labels, given, part):
    with pytest.raises(InputError, match=part):
        kanspice.tune(model, inputs, **{"labels": labels, "set": HARD, **given})


def test_targets_that_do_not_vary_cannot_be_aimed_at(model, inputs):
    with pytest.raises(InputError, match="same for all"):
        kanspice.tune(model, inputs, targets=np.ones((96, 2)), set=HARD)


@pytest.mark.slow
@pytest.mark.usefixtures("rough_pictures")
def test_the_command(model, inputs, labels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kanspice.save(model, "model.pt")
    np.save("x.npy", inputs)
    np.save("y.npy", labels)
    words = ["tune", "model.pt", "--inputs", "x.npy", "--labels", "y.npy", "--set", "tia.gain=10", "--epochs", "1"]
    words += ["--trials", "1", "--cross-check", "0", "-o", "out.pt", "--json", "out.json", "--html", "out.html"]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    assert "tuned and measured" in found.output
    document = (tmp_path / "out.json").read_text()
    hold(document, "kanspice.tuning/1")
    assert len(json.loads(document)["networks"]) == 5
    assert kanspice.load("out.pt").family == "kanalogue"
    refused = CliRunner().invoke(app, [*words[:-6], "-o", "model.pt"])
    assert isinstance(refused.exception, InputError)


def test_noise_that_is_no_number(tmp_path):
    words = ["tune", "model.pt", "--inputs", "x.npy", "-o", str(tmp_path / "out.pt"), "--noise", "0.1,a"]
    assert CliRunner().invoke(app, words).exit_code == 2


def test_errors_of_fewer_samples_are_no_better(model, inputs):
    found = kanspice.tune(model, inputs, set=HARD, epochs=4, rate=0.05, trials=2, cross_check=0, alone=True)
    assert found.is_better
    given, tuned = found.arms
    points = [replace(point, draws=tuple(_with_failed(draw) for draw in point.draws)) for point in tuned.points]
    fewer = replace(found, arms=(given, replace(tuned, points=tuple(points))))
    assert not fewer.is_better
    page = fewer.page()
    assert "more samples are without a result" in page.outcome.text
    assert "in neither: 2, and 0 before" in page.answer.text
    assert page.answer.warning


def _with_failed(draw):
    return replace(draw, failed={"beyond the rail": 2})


def test_samples_that_are_held_out_are_seen_too(model, inputs, labels):
    found = split(loaded_from(model), Evidence(inputs, labels), None, 4)
    held_out = Evidence(found.held_out.inputs, found.held_out.labels)
    assert split(loaded_from(model), Evidence(inputs, labels), held_out, 4).repeated == len(held_out.inputs)
