"""Processes that we start: each leads a group of its own, which ends with us at the latest."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from kanspice.base.processes.interruption import shielded
from kanspice.base.processes.ledger import end_group, ledger

Process = subprocess.Popen[bytes]
"""One that we started."""


def start(
    arguments: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
    stderr: int | None = None,
    passed: Sequence[int] = (),
) -> Process:
    """Starts a program, in a folder and an environment if given. passed: file descriptors that it gets.

    Whoever starts it also calls `end`. Raises OSError where it cannot be started.
    """
    with shielded():
        ledger.open()
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=passed,
            start_new_session=True,
        )
        ledger.begun(process.pid)
    return process


def end(process: Process, patience_s: float = 0.0) -> None:
    """Ends the process and everything it started, which may have outlived it and hold its output open.

    patience_s: how long it may take to end by itself.
    """
    if patience_s:
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
    try:
        end_group(process.pid)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
    ledger.ended(process.pid)
