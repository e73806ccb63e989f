"""The first moments of the command line: what is imported before anything is asked for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numpy", "scipy", "torch", "pydantic", "matplotlib", "rich", "markdown_it", "numba", "sympy", "yaml", "jinja2")


def python(*arguments, **environment):
    """The standard output of a Python process that has to succeed."""
    alone = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=alone).stdout


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("kanspice.cli", ("typer", "typing", "subprocess", "pathlib", "numpy")),
        ("kanspice.cli.run", (*HEAVY, "psutil", "filelock")),
    ],
    ids=["until signals are taken care of", "for --version"],
)
def test_little_is_imported(module, without):
    program = f"import sys; before = set(sys.modules); import {module}; print(*set(sys.modules) - before)"
    assert {name.partition(".")[0] for name in python("-c", program).split()} & set(without) == set()


def test_a_module_of_python_is_the_command():
    assert re.fullmatch(r"kanspice \d+\.\d+\.\d+\S*\n", python("-m", "kanspice", "--version"))


@pytest.mark.parametrize("words", [(), ("verify",), ("devices",), ("devices", "fit")], ids=" ".join)
def test_h_is_help(words, run):
    said = [run(*words, option) for option in ("-h", "--help")]
    assert said[0] == said[1]
    assert said[0].code == 0
    assert "--help" in said[0].out


def test_pictures_need_nothing_that_a_notebook_shows_its_own_with(tmp_path):
    python("-m", "kanspice", "devices", "plot", "z21", "-o", str(tmp_path / "z21.png"), MPLBACKEND="module://nowhere")
    assert (tmp_path / "z21.png").read_bytes().startswith(b"\x89PNG")


def test_a_shell_completes_commands_and_options():
    script = python("-m", "kanspice", "--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "_KANSPICE_COMPLETE=complete_bash" in script
    asked = {"_KANSPICE_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
    assert python("-m", "kanspice", COMP_WORDS="kanspice ver", **asked).split() == ["verify"]
    asked["COMP_CWORD"] = "2"
    assert python("-m", "kanspice", COMP_WORDS="kanspice verify --cross", **asked).split() == ["--cross-check"]
