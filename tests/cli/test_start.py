"""The first moments of the command line: what is imported before anything is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("kanspice.cli", ("typer", "typing", "subprocess", "pathlib", "numpy")),
        ("kanspice.cli.commands", ("numpy", "scipy", "torch", "pydantic", "matplotlib")),
    ],
    ids=["until signals are taken care of", "for --help and --version"],
)
def test_little_is_imported(module, without):
    program = f"import sys; before = set(sys.modules); import {module}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert {name.partition(".")[0] for name in done.stdout.split()} & set(without) == set()
