"""Every command of docs/studies.md, as it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("kanspice ")]

FEWER_DRAWS = ("--trials", "3", "--cross-check", "0")
"""Of those whose answer no yield rests on: how many draws there are, and are checked, decides nothing else."""


@pytest.fixture
def digits(tmp_path, monkeypatch):
    """A copy of the example as the working folder."""
    folder = tmp_path / "digits"
    shutil.copytree(ROOT / "examples" / "01_kanalogue_digits", folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.ngspice
def test_every_command_does_what_it_says(run, digits):
    assert len(COMMANDS) == 6
    for command in COMMANDS:
        whole = "--resume" in command or "--yield-min" in command
        done = run(*shlex.split(command)[1:], *(() if whole else FEWER_DRAWS))
        assert done.code == 0, command + done.out + done.err
        left = "study --resume" if "--resume" in command else command.rpartition("-o ")[2]
        assert left == "study --resume" or (digits / left / "study.html").exists()


def test_the_same_from_python(digits, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {})
    assert 0.1 < float(capsys.readouterr().out) < 0.2
    assert (digits / "python" / "journal.jsonl").read_text().count("\n") == 10 + 3
