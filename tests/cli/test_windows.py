"""What Windows lacks is not needed to start, to verify with the batched engine, and to study.

The names are taken away before kanspice is imported, but for psutil and filelock, which have modules of their own for
every system. It shows that nothing relies on them, not that the rest of Windows is as expected.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

WITHOUT = """
import os, select, signal, sys
import filelock, psutil

sys.modules["fcntl"] = sys.modules["resource"] = None
for name in ("killpg", "geteuid", "getuid", "fork", "setsid", "O_NOFOLLOW", "O_DIRECTORY", "O_TMPFILE", "O_PATH"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGPIPE", "SIGKILL"):
    delattr(signal, name)
if hasattr(select, "poll"):
    del select.poll
from kanspice.cli import main

main()
"""


@pytest.fixture
def windows(good):
    """Calls `kanspice` in a process that has only what Windows has too; gives what it printed."""

    def call(*arguments):
        command = [sys.executable, "-c", WITHOUT, *arguments]
        alone = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env=alone)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def test_the_command_line_starts(windows):
    assert windows("--version").startswith("kanspice ")
    assert "z21" in windows("devices", "list")


def test_a_batched_verify_runs(windows, good):
    windows("verify", "model.pt", "--inputs", "inputs.npy", "--engine", "batched", "--json", "gap.json")
    document = json.loads((good / "gap.json").read_text())
    assert document["engine"]["name"] == "batched"
    assert document["gap"]["relative_rmse"] < 1e-12


def test_a_batched_study_runs_and_is_resumed(windows, good):
    windows(
        *("study", "model.pt", "--inputs", "inputs.npy", "--engine", "batched", "--cross-check", "0"),
        *("--set", "devices.area_sigma=0.05", "--trials", "2", "-o", "mc"),
    )
    assert len((good / "mc" / "journal.jsonl").read_text().splitlines()) >= 2
    windows("study", "--resume", "mc")
