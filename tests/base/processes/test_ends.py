"""However a process of ours ends, its children and its folders do, too: real processes, really killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
AT_WORK = """
import signal, subprocess, sys, time
signal.signal(signal.SIGHUP, signal.ON_HANG_UP)
from kanspice.base.processes import interruption
from kanspice.base.processes.children import end, start
from kanspice.base.processes.folders import fresh_folder
from kanspice.base.processes.interruption import Interrupted, interruptible, leave

def work():
    with fresh_folder() as folder:
        (folder / "results").write_text("half of them")
        process = start(["sleep", "1000"])
        try:
            print(process.pid, flush=True)
            DOING
        finally:
            end(process)
try:
    with interruptible():
        work()
except Interrupted as interruption:
    leave(interruption.number)
"""
RESTING = "time.sleep(1000)"
DEAF = """
            while True:
                try:
                    time.sleep(1000)
                except BaseException:
                    pass
"""
COMPUTING = "interruption._GRACE_S = 0.2; import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)"
WRITING = """
            try:
                child.stdin.write(b"x")
                child.stdin.flush()
            except OSError:
                print("broken")
"""
IMPORTING = "sys.path.insert(0, '.'); import slow"


@pytest.fixture
def at_work(tmp_path):
    """Starts a process that has a child and a folder, and does something; gives it and the child's number."""
    (tmp_path / "slow.py").write_text("import time\ntry:\n    time.sleep(1000)\nexcept BaseException:\n    1 / 0\n")
    started = []

    def begin(doing: str, on_hang_up: str = "SIG_DFL") -> tuple[subprocess.Popen[str], int]:
        environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-c", AT_WORK.replace("DOING", doing).replace("ON_HANG_UP", on_hang_up)],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        child = int(process.stdout.readline())
        assert len(list(tmp_path.glob("kanspice-run-*"))) == 1
        return process, child

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def check_nothing_is_left(tmp_path: Path, child: int) -> None:
    deadline = time.monotonic() + 60
    while (is_running(child) or list(tmp_path.glob("kanspice-*"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)
    assert list(tmp_path.glob("kanspice-*")) == []


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


@needs_proc
def test_nothing_is_left_by_a_process_that_is_killed(at_work, tmp_path):
    process, child = at_work(RESTING)
    process.kill()
    check_nothing_is_left(tmp_path, child)


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_one_line_and_an_exit_code(at_work, tmp_path, number):
    process, child = at_work(RESTING)
    process.send_signal(number)
    assert process.communicate(timeout=60) == ("", "interrupted\n")
    assert process.returncode == 128 + number
    check_nothing_is_left(tmp_path, child)


@needs_proc
@pytest.mark.slow
def test_a_hang_up_that_is_ignored_as_nohup_does_ends_nothing(at_work, tmp_path):
    process, child = at_work(RESTING, "SIG_IGN")
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60) == ("", "interrupted\n")
    assert process.returncode == 128 + signal.SIGTERM
    check_nothing_is_left(tmp_path, child)


@needs_proc
def test_of_many_signals_the_first_counts(at_work, tmp_path):
    process, child = at_work(RESTING)
    for number in (signal.SIGTERM, *[signal.SIGINT, signal.SIGHUP, signal.SIGTERM] * 5):
        process.send_signal(number)
        time.sleep(0.002)
    assert process.communicate(timeout=60) == ("", "interrupted\n")
    assert process.returncode in {128 + number for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    check_nothing_is_left(tmp_path, child)


@needs_proc
@pytest.mark.parametrize("doing", [f"interruption._GRACE_S = 0.2{DEAF}", COMPUTING], ids=["deaf", "computing in C"])
def test_a_process_that_hears_nothing_ends_a_while_later(at_work, tmp_path, doing):
    process, child = at_work(doing)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60) == ("", "interrupted\n")
    assert process.returncode == 128 + signal.SIGTERM
    check_nothing_is_left(tmp_path, child)


@needs_proc
@pytest.mark.slow
def test_an_import_is_not_broken_off_by_an_exception(at_work, tmp_path):
    """Libraries take it for another error, or print it."""
    process, child = at_work(IMPORTING)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("", "interrupted\n")
    assert process.returncode == 130
    check_nothing_is_left(tmp_path, child)


@needs_proc
def test_the_pipe_of_a_child_may_break(at_work, tmp_path):
    """As that of a simulator which has crashed: it is not our own output that nobody reads."""
    telling = "child = start(['true'], stdin=subprocess.PIPE); child.wait()"
    writing = (
        "\n            try: child.stdin.write(b'x'); child.stdin.flush()\n            except OSError: print('broken')"
    )
    process, child = at_work(f"{telling}{writing}")
    assert process.communicate(timeout=60) == ("broken\n", "")
    assert process.returncode == 0
    check_nothing_is_left(tmp_path, child)
