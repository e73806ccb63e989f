"""The pytest plugin in runs of its own: it measures, explains a failure, and costs those nothing who do not use it.

A run is in this process, where torch is imported already, unless a test is about a process that it has for itself; one
that measures in such a process is the example of docs/ci.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kanspice import Technology

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "01_kanalogue_digits"
USES = f"""
from pathlib import Path

DIGITS = Path({str(DIGITS)!r})
MODEL, INPUTS = DIGITS / "model.pt", DIGITS / "inputs.npy"
"""
INI = "[pytest]\nfilterwarnings = error\naddopts = --strict-markers --strict-config\n"


@pytest.fixture
def written(tmp_path):
    """Writes a test file and gives the options to run it with the plugin, the batched engine and three samples."""

    def write(body: str, *arguments: str, engine: str = "batched") -> tuple[str, ...]:
        (tmp_path / "test_gap.py").write_text(USES + body, encoding="utf-8")
        (tmp_path / "pytest.ini").write_text(INI, encoding="utf-8")
        options = ("-p", "kanspice.cli.pytest_plugin", "-p", "no:cacheprovider", "--kanspice-limit", "3")
        return *options, "--kanspice-engine", engine, *arguments

    return write


@pytest.fixture
def run(written, tmp_path, monkeypatch, capfd):
    """Runs pytest on such a file; gives exit code and output."""

    def run_with(body: str, *arguments: str, engine: str = "batched") -> tuple[int, str]:
        options = written(body, *arguments, engine=engine)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
        monkeypatch.setattr(sys, "path", [*sys.path])
        code = pytest.main([*options, "-p", "no:faulthandler"])
        sys.modules.pop("test_gap", None)
        printed = capfd.readouterr()
        return int(code), printed.out + printed.err

    return run_with


def _pytest(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    options = {"cwd": folder, "env": clean | {"PYTHONPATH": str(ROOT)} | environment, "timeout": 300}
    done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    return done.returncode, done.stdout + done.stderr


def test_a_gap_within_its_limits_passes_and_is_returned(run):
    body = """
import numpy as np

def test_gap(sim_to_real):
    result = sim_to_real(MODEL, INPUTS, labels=DIGITS / "labels.npy", max={"relative_rmse": 1e-6, "accuracy_drop": 0})
    assert result.samples == 3
    assert result.engine.name == "batched"
    again = sim_to_real(str(MODEL), np.load(INPUTS))
    assert again.gap == result.gap
    assert again.inputs.sha256 == result.inputs.sha256
"""
    code, output = run(body)
    assert code == 0, output
    assert "1 passed" in output


def test_a_limit_that_is_exceeded_fails_with_the_table_and_nothing_of_ours(run, tmp_path):
    body = """
def test_gap(sim_to_real):
    sim_to_real(MODEL, INPUTS, set=["tia.gain=1000"], max={"relative_rmse": 1e-3})
"""
    code, output = run(body, "--kanspice-report", str(tmp_path / "reports"))
    assert code == 1
    assert "l1.crossbar" in output
    assert "EXCEEDED  relative_rmse 0.0" in output
    assert "FAILED: of 1 limit, 1 exceeded" in output
    assert "pytest_plugin.py" not in output
    assert "Traceback" not in output
    names = {path.name for path in (tmp_path / "reports").iterdir()}
    assert names == {"test_gap.py_test_gap.html", "test_gap.py_test_gap.json"}
    assert "test_gap.py_test_gap.html" in output
    assert json.loads((tmp_path / "reports" / "test_gap.py_test_gap.json").read_text())["passed"] is False


def test_a_failed_assertion_is_shown_with_the_gap(run, tmp_path):
    body = """
def test_gap(sim_to_real):
    first = sim_to_real(MODEL, INPUTS)
    second = sim_to_real(MODEL, INPUTS, set=["tia.gain=1000"])
    assert second.gap.rmse <= first.gap.rmse
"""
    code, output = run(body, "--kanspice-report", str(tmp_path / "reports"))
    assert code == 1
    assert output.count(f"gap of {DIGITS / 'model.pt'}") == 2
    assert output.count("result           measured; no limit was given") == 2
    assert {path.suffix for path in (tmp_path / "reports").iterdir()} == {".html", ".json"}
    assert (tmp_path / "reports" / "test_gap.py_test_gap-2.json").is_file()


def test_reports_of_tests_that_pass_are_not_written(run, tmp_path):
    body = "def test_gap(sim_to_real):\n    sim_to_real(MODEL, INPUTS)\n"
    assert run(body, "--kanspice-report", str(tmp_path / "reports"))[0] == 0
    assert not (tmp_path / "reports").exists()


def test_the_run_s_limits_hold_for_every_test_and_replace_those_on_the_same_metric(run):
    body = """
def test_one(sim_to_real):
    sim_to_real(MODEL, INPUTS, set=["tia.gain=1000"], max={"relative_rmse": 1e-3})

def test_two(sim_to_real):
    result = sim_to_real(MODEL, INPUTS, set=["tia.gain=1000"], check=False)
    assert not result.passed
    assert [limit.metric for limit in result.limits] == ["relative_rmse", "max_abs"]
"""
    code, output = run(body, "--kanspice-max", "relative_rmse=1", "--kanspice-max", "max_abs=1e-9")
    assert "kept      relative_rmse 0.0" in output
    assert "EXCEEDED  max_abs" in output
    assert code == 1
    assert "1 failed, 1 passed" in output


def test_minima_come_from_the_test_and_above_them_from_the_run(run):
    body = """
import numpy as np

def test_one(sim_to_real):
    sim_to_real(MODEL, INPUTS, labels=DIGITS / "labels.npy", min={"accuracy": 1.0, "argmax_agreement": 1.0})
"""
    assert run(body)[0] == 0
    wrong = body.replace('labels=DIGITS / "labels.npy"', "labels=np.full(200, 9)")
    code, output = run(wrong)
    assert code == 1
    assert "NOT REACHED  accuracy 0, at least 1" in output
    assert run(wrong, "--kanspice-min", "accuracy=0")[0] == 0


def test_limits_come_from_a_file_and_technologies_are_objects_too(run, tmp_path):
    (tmp_path / "limits.toml").write_text("rmse = 1e-9\nl1.crossbar.relative_rmse = 1e-9\n")
    body = """
from kanspice import Technology

def test_gap(sim_to_real):
    result = sim_to_real(MODEL, INPUTS, limits="limits.toml", tech=Technology())
    assert [limit.metric for limit in result.limits] == ["rmse", "l1.crossbar.relative_rmse"]
"""
    code, output = run(body)
    assert code == 0, output


@pytest.mark.ngspice
def test_samples_without_a_result_fail_and_ngspice_is_the_default(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", "/nowhere/ngspice")
    body = "def test_gap(sim_to_real):\n    sim_to_real(MODEL, INPUTS)\n"
    code, output = run(body, engine="ngspice")
    assert code == 1
    assert "SimulatorError" in output
    assert "the simulator that KANSPICE_NGSPICE names cannot be started" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--kanspice-max", "relative_rmse"), "bad limit 'relative_rmse'"),
        (("--kanspice-min", "accuracy=99"), "accuracy is a fraction"),
        (("--kanspice-max", "accuracy=0.9"), "--min accuracy=0.9"),
        (("--kanspice-limit", "0"), "--kanspice-limit"),
        (("--kanspice-engine", "spectre"), "invalid choice"),
    ],
)
def test_a_bad_option_is_refused_before_anything_runs(run, arguments, message):
    code, output = run("def test_gap():\n    pass\n", *arguments)
    assert code == 4
    assert message in output
    assert "INTERNALERROR" not in output


def test_those_who_do_not_use_it_pay_nothing(tmp_path):
    (tmp_path / "test_plain.py").write_text(
        """
import sys

def test_nothing_heavy_was_imported():
    assert "kanspice.cli.pytest_plugin" in sys.modules
    heavy = {"torch", "numpy", "scipy", "matplotlib", "rich.console", "typer", "pydantic", "yaml"}
    assert heavy & sys.modules.keys() == set()
"""
    )
    (tmp_path / "pytest.ini").write_text(INI, encoding="utf-8")
    code, output = _pytest(tmp_path, "-p", "kanspice.cli.pytest_plugin", "-q", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert code == 0, output


def test_an_override_needs_a_technology_that_is_a_file(run):
    body = """
from kanspice import Technology

def test_gap(sim_to_real):
    sim_to_real(MODEL, INPUTS, tech=Technology(), set=["tia.gain=1000"])
"""
    code, output = run(body)
    assert code == 1
    assert "needs a technology from a file" in output
    assert Technology().tia.gain > 1000
