"""`kanspice verify`: numbers, exit codes, and one clear message for everything that can be wrong."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_ngspice import CUT, REAL, write_fake

VERIFY = ("verify", "model.pt", "--inputs", "inputs.npy")


@pytest.fixture
def fake(tmp_path, monkeypatch):
    def use(body: str) -> None:
        monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, body)))

    return use


# --- what is measured ---


@pytest.mark.ngspice
def test_json_on_standard_output_is_nothing_but_json(run, good):
    done = run(*VERIFY, "--labels", "labels.npy", "--reference", "outputs.npy", "--json", "-")
    result = json.loads(done.out)
    assert done.code == 0
    assert result["schema"] == "kanspice.gap/1"
    assert result["samples"] == 8
    assert result["failed_samples"] == []
    assert result["gap"]["relative_rmse"] < 1e-9
    assert result["external_gap"]["max_abs"] == 0
    assert result["accuracy"] == {"reference": 1.0, "circuit": 1.0}
    assert result["passed"] is True
    assert [stage["name"] for stage in result["stages"]] == ["l1.input", "l1.crossbar", "l2.input", "l2.crossbar"]


@pytest.mark.slow
@pytest.mark.ngspice
def test_a_page_shows_voltages_over_time_and_json_does_not_carry_them(run, moving, good):
    model, inputs = moving
    done = run("verify", model, "--inputs", inputs, "--html", "gap.html", "--json", "gap.json")
    assert done.code == 0
    assert (good / "gap.html").read_text().count("node voltages of circuit and ODE over time") == 3
    result = json.loads((good / "gap.json").read_text())
    assert "waveforms" not in result
    assert result["engine"]["options"]["waveforms"] == 3
    assert run("verify", model, "--inputs", inputs, "--json", "gap.json").code == 0
    assert json.loads((good / "gap.json").read_text())["engine"]["options"]["waveforms"] == 0


@pytest.mark.ngspice
def test_quiet_json_is_json_still(run, good):
    done = run(*VERIFY, "-q", "--json", "-")
    assert json.loads(done.out)["passed"] is True
    assert done.err == ""


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize(
    ("limits", "code", "passed"),
    [
        (["relative_rmse=1e-9"], 0, [True]),
        (["relative_rmse=0", "rmse=1"], 1, [False, True]),
        (["l1.crossbar.relative_rmse=1e-9", "argmax_disagreement=0"], 0, [True, True]),
    ],
)
def test_limits_decide_the_exit_code(run, good, limits, code, passed):
    arguments = [part for limit in limits for part in ("--max", limit)]
    done = run(*VERIFY, "--set", "tia.gain=1e13", *arguments, "--json", "gap.json")
    result = json.loads((good / "gap.json").read_text())
    assert done.code == code, result["limits"]
    assert [limit["passed"] for limit in result["limits"]] == passed
    assert result["passed"] == all(passed)


@pytest.mark.parametrize(
    ("limits", "code", "passed"),
    [
        (["--min", "accuracy=0.75"], 0, [True]),
        (["--min", "accuracy=0.8", "--min", "argmax_agreement=1"], 1, [False, True]),
        (["--max", "accuracy_drop=0", "--min", "accuracy=1"], 1, [True, False]),
    ],
)
def test_a_minimum_decides_the_exit_code_too(run, good, limits, code, passed):
    """Of 8 samples 2 have a label that is not what the network says."""
    labels = np.load("outputs.npy").argmax(axis=1)
    labels[:2] = 1 - labels[:2]
    np.save("labels.npy", labels)
    done = run(
        *VERIFY, "--labels", "labels.npy", "--engine", "batched", *limits, "--json", "gap.json", "--junit", "g.xml"
    )
    result = json.loads((good / "gap.json").read_text())
    assert (done.code, [limit["passed"] for limit in result["limits"]]) == (code, passed)
    assert result["accuracy"] == {"reference": 0.75, "circuit": 0.75}
    assert ("NOT REACHED" in done.out) == (code == 1)
    assert ("LimitNotReached" in (good / "g.xml").read_text()) == (code == 1)


def test_a_file_of_limits_takes_minima_as_well(run, good):
    (good / "limits.toml").write_text("accuracy = 0.75\nrelative_rmse = 1e-3\n")
    labels = np.load("outputs.npy").argmax(axis=1)
    np.save("labels.npy", labels)
    files = ("--labels", "labels.npy", "--limits", "limits.toml", "--json", "-")
    done = run(*VERIFY, *files, "--engine", "batched", "--min", "accuracy=1", "-q")
    limits = json.loads(done.out)["limits"]
    assert (done.code, limits[1]) == (0, {"metric": "accuracy", "value": 1.0, "min": 1.0, "passed": True})
    assert limits[0]["max"] == 1e-3


@pytest.mark.ngspice
def test_a_real_gap_exceeds_its_limit(run, good):
    done = run(*VERIFY, "--set", "tia.gain=100", "--max", "relative_rmse=1e-3", "--json", "-")
    result = json.loads(done.out)
    assert done.code == 1
    (limit,) = result["limits"]
    assert limit["value"] == result["gap"]["relative_rmse"] > 1e-3
    assert result["numerical_error"]["relative_rmse"] < 1e-6 * limit["value"]
    assert result["design"]["fidelity"] == "device"
    assert result["design"]["technology"]["tia"]["gain"] == 100.0


@pytest.mark.slow
@pytest.mark.ngspice
def test_failed_samples_are_listed_and_leave_with_3(run, good, fake):
    fake(CUT)
    done = run(*VERIFY, "--max", "relative_rmse=1", "--json", "-", "--junit", "gap.xml", "--html", "gap.html")
    result = json.loads(done.out)
    assert done.code == 3
    assert 0 < len(result["failed_samples"]) < 8
    assert {failure["outcome"] for failure in result["failed_samples"]} == {"crashed"}
    assert result["failed_samples"][-1]["index"] == 7
    assert result["gap"]["argmax_agreement"] == pytest.approx(1 - len(result["failed_samples"]) / 8)
    assert result["passed"] is False
    assert (good / "gap.xml").exists()
    assert (good / "gap.html").exists()


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("kill -9 $$\n", "crashed"),
        ("exit 0\n", "crashed"),
        (REAL + "echo 'Warning: singular matrix: check node l1_c0p'\n", "singular"),
        (REAL + "echo 'Timestep too small'\n", "diverged"),
    ],
)
def test_no_number_without_a_measurement(run, good, fake, body, outcome):
    fake(body)
    done = run(*VERIFY, "--limit", "2", "--max", "relative_rmse=1e9", "--json", "-")
    result = json.loads(done.out)
    assert done.code == 3
    assert [failure["outcome"] for failure in result["failed_samples"]] == [outcome] * 2
    assert result["gap"] == dict.fromkeys(result["gap"], None)
    assert all(stage["rmse"] is None for stage in result["stages"])
    assert result["passed"] is False


def test_a_missing_simulator_is_said(run, good, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", "/nowhere/ngspice")
    done = run(*VERIFY, "--json", "gap.json")
    assert done.code == 3
    assert "the simulator that KANSPICE_NGSPICE names cannot be started" in done.err
    assert "apt-get install ngspice" in done.err
    assert not (good / "gap.json").exists()


@pytest.mark.slow
@pytest.mark.ngspice
def test_samples_that_take_too_long_time_out(run, good, fake):
    fake("sleep 100\n")
    done = run(*VERIFY, "--timeout", "0.3", "--limit", "3", "--json", "-")
    assert done.code == 3
    assert [failure["outcome"] for failure in json.loads(done.out)["failed_samples"]] == ["timed out"] * 3


# --- what is wrong with the input ---


class Malice:
    """Pickled, it asks for a file to be made where it is loaded."""

    def __reduce__(self):
        return (Path.touch, (Path("pwned"),))


def change_weights(name, values):
    content = torch.load("model.pt", weights_only=True)
    content["state"][name] = values(content["state"][name])
    torch.save(content, "model.pt")


SPOIL = {
    "a pickle that runs code": lambda: Path("model.pt").write_bytes(pickle.dumps(Malice())),
    "a checkpoint that runs code": lambda: torch.save({"schema": "kanspice.checkpoint/1", "x": Malice()}, "model.pt"),
    "NaN in the weights": lambda: change_weights("crossbars.0.coeffs", lambda old: old * float("nan")),
    "a weight of the wrong shape": lambda: change_weights("crossbars.0.bias", lambda old: torch.cat([old, old])),
    "an empty model": lambda: Path("model.pt").write_bytes(b""),
    "a cut model": lambda: Path("model.pt").write_bytes(Path("model.pt").read_bytes()[:500]),
    "a model of nothing": lambda: torch.save({"weights": torch.zeros(3)}, "model.pt"),
    "inputs of another width": lambda: np.save("inputs.npy", np.zeros((4, 5))),
    "inputs that are objects": lambda: np.save("inputs.npy", np.array([[Malice()]], dtype=object), allow_pickle=True),
    "inputs that are text": lambda: np.save("inputs.npy", np.array([["a", "b", "c"]])),
    "complex inputs": lambda: np.save("inputs.npy", np.zeros((2, 3), dtype=complex)),
    "NaN in the inputs": lambda: np.save("inputs.npy", np.array([[0.0, np.nan, 0.0]])),
    "no samples": lambda: np.save("inputs.npy", np.zeros((0, 3))),
    "one axis": lambda: np.save("inputs.npy", np.zeros(3)),
    "an empty array file": lambda: Path("inputs.npy").write_bytes(b""),
    "no inputs": lambda: Path("inputs.npy").unlink(),
    "no model": lambda: Path("model.pt").unlink(),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("a pickle that runs code", "model.pt"),
        ("a checkpoint that runs code", "model.pt"),
        ("NaN in the weights", "crossbars.0.coeffs"),
        ("a weight of the wrong shape", "crossbars.0.bias"),
        ("an empty model", "empty"),
        ("a cut model", "model.pt"),
        ("a model of nothing", "family is not recognised"),
        ("inputs of another width", "3 values per sample"),
        ("inputs that are objects", "Python objects"),
        ("inputs that are text", "wrong type of number"),
        ("complex inputs", "wrong type of number"),
        ("NaN in the inputs", "NaN or infinite"),
        ("no samples", "at least one sample"),
        ("one axis", "reshape one sample to (1, values)"),
        ("an empty array file", "inputs.npy"),
        ("no inputs", "inputs.npy"),
        ("no model", "model.pt"),
    ],
)
def test_a_bad_file_is_named_and_leaves_with_2(run, good, kind, message):
    SPOIL[kind]()
    done = run(*VERIFY, "--json", "gap.json")
    assert done.code == 2
    assert message in done.err
    assert done.err.startswith("error: ")
    assert done.out == ""
    assert not (good / "pwned").exists()
    assert not (good / "gap.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"td_basis_types": ["A22"]}, ["A22", "a21"]),
        ({"acti": "ReLU"}, ["ReLU", "PosHC"]),
        ({"HIDDEN_DIMS": [7]}, ["'HIDDEN_DIMS' contradicts the weights"]),
        ({"input_dim": 4}, ["'input_dim' contradicts the weights"]),
        ({"td_basis_types": ["A21", "Z21"]}, ["'td_basis_types' contradicts the weights"]),
        ({"norm_layer": "group"}, ["norm_layer"]),
        ({"input_dim": "three"}, ["input_dim"]),
        ({"state": {"net.0.bias": torch.full((2,), float("nan"), dtype=torch.float64)}}, ["net.0.bias"]),
    ],
)
def test_a_config_that_does_not_fit_is_refused(run, authors, changes, messages):
    done = run("verify", *authors(**changes), "--inputs", "inputs.npy")
    assert done.code == 2
    for message in messages:
        assert message in done.err


def test_an_authors_checkpoint_without_its_config_is_refused(run, authors):
    weights = authors()[0]
    Path("config.json").unlink()
    done = run("verify", weights, "--inputs", "inputs.npy")
    assert done.code == 2
    assert "--config" in done.err


def test_the_config_beside_an_authors_checkpoint_is_taken_and_named(run, authors):
    done = run("verify", authors()[0], "--inputs", "inputs.npy", "--engine", "batched", "--json", "gap.json")
    assert done.code == 0
    assert any("config.json" in note for note in json.loads(Path("gap.json").read_text())["notes"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["--set", "tia.gian=1000"], ["unknown key 'tia.gian'", "did you mean 'gain'?"]),
        (["--set", "tia.gain"], ["bad override 'tia.gain'", "SECTION.KEY=VALUE"]),
        (["--set", "tia.gain=low"], ["bad value for 'tia.gain'", "'low'"]),
        (["--tech", "none.toml"], ["none.toml", "No such file"]),
        (["--max", "relative_rmse"], ["bad limit 'relative_rmse'", "METRIC=VALUE"]),
        (["--max", "relative_rmse=small"], ["bad limit"]),
        (["--max", "relative_rmse=nan"], ["bad limit"]),
        (["--max", "relative_rmse=-1"], ["bad limit"]),
        (["--max", "=1"], ["unknown metric ''"]),
        (["--max", "loss=1"], ["a loss needs true answers", "--targets T.npy"]),
        (["--max", "relative_rsme=1"], ["unknown metric", "did you mean 'relative_rmse'?"]),
        (["--max", "l3.crossbar.relative_rmse=1"], ["unknown metric", "l2.crossbar.relative_rmse"]),
        (["--max", "accuracy_drop=0"], ["needs labels"]),
        (["--min", "accuracy=0.9"], ["needs labels"]),
        (["--min", "accuracy"], ["bad limit 'accuracy'", "accuracy=0.9"]),
        (["--min", "accuracy=90", "--labels", "labels.npy"], ["accuracy is a fraction", "accuracy=0.9 is 90 %"]),
        (["--max", "accuracy=0.9"], ["better the larger it is", "--min accuracy=0.9"]),
        (["--min", "accuracy_drop=0.1"], ["better the smaller it is", "--max accuracy_drop=0.1"]),
        (["--min", "acuracy=0.9", "--labels", "labels.npy"], ["unknown metric", "did you mean 'accuracy'?"]),
        (["--labels", "outputs.npy"], ["labels"]),
        (["--labels", "none.npy"], ["none.npy"]),
        (["--reference", "inputs.npy"], ["2 values per sample"]),
        (["--config", "config.json"], ["--config"]),
        (["--limit", "0"], ["--limit"]),
        (["--jobs", "0"], ["--jobs"]),
        (["--timeout", "0"], ["--timeout"]),
        (["--fidelity", "exact"], ["--fidelity"]),
        (["--engine", "spectre"], ["--engine"]),
        (["--no-such-option"], ["--no-such-option"]),
        (["another"], ["another"]),
    ],
)
def test_a_bad_option_is_named_and_leaves_with_2(run, good, arguments, messages):
    done = run(*VERIFY, *arguments)
    assert done.code == 2
    for message in messages:
        assert message in done.err
    assert done.out == ""


def test_labels_are_counted_before_the_limit(run, good):
    """Eight inputs, five labels: which of them belong together is anybody's guess."""
    np.save(good / "labels.npy", np.zeros(5, dtype=int))
    done = run(*VERIFY, "--labels", "labels.npy", "--limit", "3")
    assert done.code == 2
    assert "--labels: does not fit the inputs" in done.err


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("option", ["--json", "--html", "--junit"])
def test_a_report_that_cannot_be_written_is_said(run, good, option):
    (good / "taken").mkdir()
    done = run(*VERIFY, "--limit", "2", option, "taken")
    assert done.code == 2
    assert "taken" in done.err
    assert list((good / "taken").iterdir()) == []


def test_no_folder_for_temporary_files_is_said(run, good, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    done = run(*VERIFY)
    assert done.code == 3
    assert "the working folder cannot be used" in done.err
    monkeypatch.undo()


def test_a_bug_is_no_exceeded_limit(good, monkeypatch, capsys):
    """Whatever nobody thought of must not leave with 0 or 1."""
    from kanspice import cli
    from kanspice.experiments.verify import run as pipeline

    def broken(*_args, **_options):
        raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr(pipeline, "compile_both", broken)
    monkeypatch.setattr(sys, "argv", ["kanspice", *VERIFY])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 3
    assert "this is a bug in kanspice" in capsys.readouterr().err


# --- interrupted ---


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_kills_the_simulators_and_removes_their_folder(forked, good, tmp_path, number):
    path = write_fake(tmp_path, f"sleep 300 & echo $! > {tmp_path}/child; wait\n")
    process = forked(tmp_path, *VERIFY, "--jobs", "2", KANSPICE_NGSPICE=str(path), OMP_NUM_THREADS="1")
    try:
        for _ in range(600):
            if (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip():
                break
            time.sleep(0.05)
        child = int((tmp_path / "child").read_text())
        process.send(number)
        process.ended()
    finally:
        process.process.kill()
    assert process.code == 128 + number
    assert (process.out, process.err) == ("", "interrupted\n")
    for _ in range(100):
        if not alive(child):
            break
        time.sleep(0.02)
    assert not alive(child)


@pytest.mark.slow
@pytest.mark.ngspice
def test_a_reader_that_went_away_is_no_exceeded_limit(good):
    """As in `kanspice verify ... | grep -q`: nobody reads on, and the exit code must not say 1."""
    command = [sys.executable, "-c", "from kanspice.cli import main; main()", *VERIFY, "--limit", "1", "--json", "-"]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody:
        done = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 128 + signal.SIGPIPE
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--json", "--html", "--junit"])
def test_a_report_never_replaces_an_input(run, good, option):
    before = (good / "model.pt").read_bytes()
    done = run(*VERIFY, option, "model.pt")
    assert done.code == 2
    assert "would be overwritten" in done.err
    assert (good / "model.pt").read_bytes() == before
