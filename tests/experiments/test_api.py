"""Every command as a function: what it takes, and that its result shows itself."""

from __future__ import annotations

import inspect
import io
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from circuits import LINE, inputs_for, network
from json_schemas import hold
from matplotlib.figure import Figure
from rich.console import Console
from torch import nn

import kanspice
from kanspice.base.errors import InputError
from kanspice.cli.compile import compile_
from kanspice.cli.control import control as control_command
from kanspice.cli.export import export as export_command
from kanspice.cli.project import project as project_command
from kanspice.cli.sensitivity import sensitivity as sensitivity_command
from kanspice.cli.settle import settle as settle_command
from kanspice.cli.simulate import simulate as simulate_command
from kanspice.cli.study import study as study_command
from kanspice.cli.tune import tune as tune_command
from kanspice.cli.verify import verify as verify_command
from kanspice.experiments.compare import comparison_json
from kanspice.experiments.settle.document import settling_json
from kanspice.experiments.verify.document import to_json
from kanspice.experiments.verify.reading import from_json
from kanspice.report.formats import FORMATS
from kanspice.report.terminal import print_page

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "01_kanalogue_digits"
CARTPOLE = EXAMPLE.parent / "05_phykan_cartpole" / "model.pt"
MODEL, INPUTS, LABELS = EXAMPLE / "model.pt", EXAMPLE / "inputs.npy", EXAMPLE / "labels.npy"
OF_THE_COMMAND_LINE = {"json", "plot", "quiet", "verbose", "context"} | {each.name for each in FORMATS}
COMMANDS = {
    "compile": compile_,
    "export": export_command,
    "simulate": simulate_command,
    "verify": verify_command,
    "settle": settle_command,
    "study": study_command,
    "control": control_command,
    "project": project_command,
    "tune": tune_command,
    "sensitivity": sensitivity_command,
}
ONLY_IN_PYTHON = {"simulate": {"results"}, "control": {"warn"}}


def names(function) -> set[str]:
    return {name.strip("_") for name in inspect.signature(function).parameters}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_function_has_the_arguments_of_the_command(name):
    of_function, of_command = names(getattr(kanspice, name)), names(COMMANDS[name]) - OF_THE_COMMAND_LINE
    only_there = {"progress"} | ONLY_IN_PYTHON.get(name, set())
    assert of_function - only_there == of_command - ({"output"} if name == "simulate" else set())


@pytest.fixture(scope="module")
def result():
    return kanspice.verify(MODEL, INPUTS, labels=LABELS, limit=4, tech="typical", engine="batched")


def test_files_and_what_is_in_them_give_the_same_result(result):
    model, inputs = kanspice.load(MODEL), np.load(INPUTS)
    technology = kanspice.load_technology("typical")
    again = kanspice.verify(model, inputs, labels=np.load(LABELS), limit=4, tech=technology, engine="batched")
    assert np.array_equal(again.outputs, result.outputs)
    assert again.accuracy == result.accuracy


def test_a_network_needs_no_file(result, tmp_path):
    network = kanspice.load(MODEL).model
    again = kanspice.verify(network, INPUTS, limit=4, tech="typical", engine="batched")
    assert np.array_equal(again.outputs, result.outputs)
    kanspice.save(network, tmp_path / "model.pt")
    assert again.model.sha256 == kanspice.load(tmp_path / "model.pt").sha256


def test_overrides_and_limits_are_texts_or_values():
    texts = {"set": ["tia.gain=1000"], "max": ["relative_rmse=1e-6"]}
    values = {"set": {"tia.gain": 1000}, "max": {"relative_rmse": 1e-6}}
    one, other = (kanspice.verify(MODEL, INPUTS, limit=2, engine="batched", **given) for given in (texts, values))
    assert one.limits == other.limits
    assert not one.passed
    assert one.exit_code == 1


@pytest.mark.slow
def test_a_circuit_needs_no_folder(result, tmp_path):
    circuit = kanspice.compile(MODEL, inputs=INPUTS, tech="typical")
    answers = kanspice.simulate(circuit, np.load(INPUTS)[:4], engine="batched")
    assert np.array_equal(answers.outputs, result.outputs)
    kanspice.compile(MODEL, tmp_path / "circuit", inputs=INPUTS, tech="typical")
    again = kanspice.simulate(tmp_path / "circuit", INPUTS, limit=4, engine="batched")
    assert np.array_equal(again.outputs, answers.outputs)
    assert "solved 4 of 4 samples" in repr(answers)


def test_a_comparison_takes_results_and_files(result, tmp_path):
    ideal = kanspice.verify(MODEL, INPUTS, limit=4, engine="batched")
    (tmp_path / "ideal.json").write_text(to_json(ideal))
    found = kanspice.compare(tmp_path / "ideal.json", result, max_growth="10%")
    hold(comparison_json(found), "kanspice.comparison/1")
    assert found.exit_code == kanspice.compare(ideal, result, max_growth=0.1).exit_code == 1


@pytest.mark.slow
def test_results_show_themselves(result):
    for shown in (result, kanspice.compare(result, result), kanspice.compile(MODEL)):
        assert len(repr(shown).replace(str(EXAMPLE), "")) < 250  # wherever the repository lies
        assert repr(shown).startswith(f"<{type(shown).__name__} of ")
        assert "srcdoc=" in shown._repr_html_()
        assert all(isinstance(figure, Figure) for figure in shown.figures().values())
        assert len({len(column) for column in shown.columns().values()}) == 1
    assert len(result.figures()) >= 3


def test_a_terminal_shows_what_the_command_prints(result):
    shown, printed = (Console(file=io.StringIO(), width=80) for _ in range(2))
    shown.print(result)
    print_page(result.page(), printed)
    assert shown.file.getvalue().strip() == printed.file.getvalue().strip()


def test_a_row_of_the_frame_is_a_sample(result):
    columns = result.columns()
    assert list(columns["sample"]) == [0, 1, 2, 3]
    assert np.array_equal(columns["circuit3"], result.outputs[:, 3])
    with pytest.raises(InputError, match="no library of data frames"):
        result.to_frame("excel")
    with pytest.raises(InputError, match="has no outputs"):
        from_json(to_json(result), "gap.json").columns()


@pytest.mark.slow
def test_a_study_is_kept_and_gone_on_with(tmp_path):
    asked = {"limit": 2, "trials": 2, "cross_check": 0, "max": {"relative_rmse": 0.5}}
    swept = {"sweep": {"devices.area_sigma": [0.01, 0.1]}, "corner": {"as it is": (), "low": {"tia.gain": 100}}}
    with pytest.raises(InputError, match="is swept and set"):
        kanspice.study(MODEL, INPUTS, tmp_path / "bad", sweep={"tia.gain": [1, 2]}, set={"tia.gain": 1000})
    result = kanspice.study(MODEL, INPUTS, tmp_path / "study", **asked, **swept)
    again = kanspice.study(resume=tmp_path / "study")
    assert {name: list(column) for name, column in again.columns().items()} == {
        name: list(column) for name, column in result.columns().items()
    }
    assert len(result.columns()["seed"]) == 2 * 2 * 2
    assert (tmp_path / "study" / "study.html").is_file()
    hold((tmp_path / "study" / "study.json").read_text(), "kanspice.study/1")
    with pytest.raises(InputError, match="measured from files"):
        kanspice.study(kanspice.load(MODEL), INPUTS, tmp_path / "other")


@pytest.mark.slow
def test_settling_and_loops_show_themselves():
    small = network([3, 2], [LINE], input_stage="sigmoid")
    settling = kanspice.settle(small, inputs_for(small, 2), tech="typical")
    assert settling.exit_code == 0
    assert "settle" in repr(settling)
    hold(settling_json(settling), "kanspice.settling/1")
    loop = kanspice.control(CARTPOLE, "cartpole", episodes=1, steps=5, engine="batched")
    assert len(loop.columns()["start"]) == 1
    with pytest.raises(InputError, match="there are no draws"):
        kanspice.control(CARTPOLE, "cartpole", sweep={"filters.gain_sigma": [0, 1]})
    with pytest.raises(InputError, match="more is needed"):
        kanspice.settle(small)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"model": kanspice.load(MODEL), "config": "config.json"}, "is for a checkpoint in a file"),
        ({"tech": kanspice.Technology(), "set": ["tia.gain=3"]}, "needs a technology from a file"),
        ({"inputs": np.zeros((2, 3))}, "wrong number of values per sample"),
        ({"inputs": np.zeros(3)}, "wrong shape"),
        ({"labels": np.full(360, 0.5)}, "the labels are not class numbers"),
        ({"cross_check": "2:spectre"}, "is no number of samples"),
        ({"max_growth": 0.1}, "a baseline and a growth need each other"),
    ],
)
def test_what_does_not_fit_is_said(given, problem):
    with pytest.raises(InputError) as raised:
        kanspice.verify(**{"model": MODEL, "inputs": INPUTS, "engine": "batched"} | given)
    assert problem in raised.value.message


def test_typer_is_not_needed_for_functions():
    assert not isinstance(kanspice.verify, typer.models.CommandInfo)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", -1),
        ("limit", 0),
        ("limit", 2.5),
        ("limit", True),
        ("limit", "3"),
        ("seed", -1),
        ("seed", 1.5),
        ("jobs", 0),
        ("waveforms", -1),
        ("timeout", 0),
        ("timeout", float("nan")),
        ("timeout", "a"),
    ],
)
def test_numbers_are_those_of_the_command_line(name, value):
    with pytest.raises(InputError, match="out of range") as caught:
        kanspice.verify(MODEL, INPUTS, engine="batched", **{name: value})
    assert caught.value.where == f"--{name}"


def test_numbers_of_numpy_are_numbers(result):
    given = {"limit": np.int64(4), "seed": np.uint8(0), "jobs": np.int32(1), "timeout": np.float32(60)}
    again = kanspice.verify(
        MODEL, INPUTS, tech="typical", engine="batched", cross_check=np.int64(0), max={"rmse": np.float64(9)}, **given
    )
    assert np.array_equal(again.outputs, result.outputs)
    assert again.limits[0].value == result.gap.rmse


def test_numbers_of_numpy_are_kept_as_plain_ones(tmp_path):
    given = {"limit": np.int64(3), "trials": np.int64(1), "seed": np.int16(2), "yield_min": np.float32(0.5)}
    study = kanspice.study(
        MODEL, INPUTS, tmp_path / "out", sweep={"devices.area_sigma": [np.float64(0.01)]}, max={"rmse": 9}, **given
    )
    assert (study.request.trials, study.request.yield_min) == (1, 0.5)
    assert kanspice.study(resume=tmp_path / "out").request == study.request


@pytest.mark.parametrize(
    ("name", "value"),
    [("ridge", "a"), ("ridge", -1), ("max_edge", [0.1]), ("ridge", True), ("fine_tune", np.float64(3))],
)
def test_numbers_of_a_projection_that_are_none(name, value):
    with pytest.raises(InputError, match="out of range") as caught:
        kanspice.project(MODEL, INPUTS, ["a21"], **{name: value})
    assert caught.value.where == f"--{name.replace('_', '-')}"


@pytest.mark.parametrize("within", ["a", 0.1j, ["x"], [0.1, float("nan")], [-1]])
def test_tolerances_that_are_no_numbers(within):
    with pytest.raises(InputError, match="--within"):
        kanspice.settle(MODEL, INPUTS, limit=2, within=within)


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"yield_min": 1.5}, "out of range"),
        ({"yield_min": "a"}, "out of range"),
        ({"trials": 0}, "out of range"),
        ({"trials": 2.5}, "out of range"),
        ({"sweep": {"devices.area_sigma": []}}, "no values"),
        ({"sweep": {"devices.area_sigma": 0.1}}, "no values"),
    ],
)
def test_a_study_of_nothing_leaves_no_folder(given, part, tmp_path):
    with pytest.raises(InputError, match=part):
        kanspice.study(MODEL, INPUTS, tmp_path / "out", **{"trials": 1, **given})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "given",
    [
        {"engine": None},
        {"fidelity": "exact"},
        {"set": None},
        {"set": "tia.gain=1000"},
        {"max": 0.1},
        {"max": {"argmax_agreement": 0.9}},
        {"min": {"rmse": 0.1}},
    ],
)
def test_what_is_no_such_argument_is_refused(given):
    with pytest.raises(InputError):
        kanspice.verify(MODEL, INPUTS, limit=1, **{"engine": "batched", **given})


def test_what_is_no_network_circuit_or_result_is_refused(result):
    with pytest.raises(InputError, match="convert"):
        kanspice.verify(nn.Linear(2, 2), INPUTS)
    with pytest.raises(InputError, match="compile"):
        kanspice.simulate(kanspice.load(MODEL).model, INPUTS)
    with pytest.raises(InputError, match="no result of verify"):
        kanspice.compare(result, None)


def test_samples_may_be_a_tensor_that_torch_follows(result):
    followed = torch.as_tensor(np.load(INPUTS)).requires_grad_()
    again = kanspice.verify(MODEL, followed, limit=4, tech="typical", engine="batched")
    assert np.array_equal(again.outputs, result.outputs)


@pytest.mark.parametrize(
    "samples",
    [
        np.ma.masked_greater(np.load(INPUTS)[:4], 0.5),
        torch.as_tensor(np.load(INPUTS)[:4]).bfloat16(),
        [[1.0, 2.0], [3.0]],
    ],
)
def test_samples_that_are_no_numbers_are_refused(samples):
    with pytest.raises(InputError, match="the inputs"):
        kanspice.verify(MODEL, samples, engine="batched")


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"set": [1]}, "no settings"),
        ({"set": "tia.gain=1"}, "no settings"),
        ({"max": 3}, "no settings"),
        ({"tech": 3}, "no technology"),
    ],
)
def test_what_is_no_setting_is_refused(named, problem):
    model = network([3, 2], [LINE])
    with pytest.raises(InputError, match=problem):
        kanspice.verify(model, inputs_for(model, 2), engine="batched", **named)
