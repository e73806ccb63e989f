"""A package that is not installed is one message with the command that installs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kanspice.cli.missing import DISTRIBUTIONS, as_missing, installing

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import sys; sys.modules[sys.argv.pop(1)] = None; from kanspice.cli import main; main()"


def without(package, *arguments):
    """Calls `kanspice` in a process that cannot import a package."""
    command = [sys.executable, "-c", PROGRAM, package, *arguments]
    alone = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, env=alone)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "command"),
    [
        ("torch", "pip install torch --index-url https://download.pytorch.org/whl/cpu"),
        ("numpy", "pip install numpy"),
        ("typer", "pip install typer"),
        ("filelock", "pip install filelock"),
    ],
)
def test_it_is_said(package, command, good):
    done = without(package, "verify", "model.pt", "--inputs", "inputs.npy")
    assert (done.returncode, done.stdout) == (3, "")
    first, *_, last = done.stderr.splitlines()
    assert first == f"error: {sys.executable}: the package {package} is not installed"
    assert last == f"  try:      python -m {command}"
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


@pytest.mark.slow
def test_what_needs_no_torch_works_without(good):
    assert without("torch", "--version").returncode == 0
    done = without("torch", "doctor")
    assert "Traceback" not in done.stderr


def test_a_module_of_ours_or_of_python_is_not_a_missing_package():
    for name in ("kanspice.nowhere", "fcntl", None):
        assert as_missing(ModuleNotFoundError("no", name=name)) is None
    assert as_missing(ImportError("no", name="torch")) is None


def test_every_needed_package_is_named_as_pip_knows_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split("[<>=]", line)[0] for line in project["dependencies"]}
    assert set(DISTRIBUTIONS.values()) <= needed
    assert installing("yaml.nodes".partition(".")[0]) == "python -m pip install PyYAML"
