"""Every command of docs/control.md, as it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from kanspice.cli.commands import app
from kanspice.experiments.control.result import METRICS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "control.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^kanspice (control .*)$", PAGE, re.MULTILINE)


@pytest.fixture
def example(tmp_path, monkeypatch):
    """A copy of the example as the working folder."""
    shutil.copy(ROOT / "examples" / "05_phykan_cartpole" / "model.pt", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.rpartition("--")[2])
def test_a_command_does_what_it_says(command, example, monkeypatch):
    words = shlex.split(command)
    monkeypatch.setattr(sys, "argv", ["kanspice", *words])
    with pytest.raises(SystemExit) as left:
        app()
    assert left.value.code in (0, None)
    for option in ("--html", "--json"):
        assert option not in words or (example / words[words.index(option) + 1]).stat().st_size > 0


def test_the_same_from_python(example, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {})
    assert capsys.readouterr().out == "1.0 [50, 50]\n"


def test_every_metric_is_named():
    assert all(f"`{metric.name}`" in PAGE for metric in METRICS)
