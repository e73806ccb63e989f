"""Locks are the system's: one process holds them, and the dead hold none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kanspice.base.errors import InputError
from kanspice.experiments.ensemble.journal import Journal

pytestmark = pytest.mark.slow

HOLD = """
import sys, time
from pathlib import Path
from kanspice.experiments.ensemble.journal import Journal

with Journal(Path(sys.argv[1]), {"inputs": "x"}) as journal:
    journal.append({"draw": 1})
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_journal_is_one_process_and_a_killed_one_leaves_it_to_the_next(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        with holder.stdout as printed:
            assert printed.readline() == "held\n"
        with pytest.raises(InputError, match="another process is at work on this study"):
            Journal(tmp_path, {"inputs": "x"})
    finally:
        holder.kill()
        holder.wait(30)
    with Journal(tmp_path, {"inputs": "x"}) as journal:
        assert journal.records == [{"draw": 1}]
