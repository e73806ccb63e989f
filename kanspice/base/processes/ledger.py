"""What there is to clear up: processes that run, and folders that we work in; known to us and to the guardian."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from kanspice.base.processes.interruption import before_leaving

_GUARDIAN = Path(__file__).with_name("guardian.py")
_PATIENCE_S = 5.0


def end_group(pid: int) -> None:
    """Ends a process that leads a group, and all of the group; the process alone on Windows, which has no groups.

    Raises OSError where there is none.
    """
    if hasattr(os, "killpg"):
        os.killpg(pid, signal.SIGKILL)
    else:
        os.kill(pid, signal.SIGTERM)


class Ledger:
    """Of one process. Its guardian is started by `open`; where it cannot be, we do without one."""

    def __init__(self) -> None:
        self._processes: set[int] = set()
        self._folders: set[str] = set()
        self._guardian: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def open(self) -> None:
        """Starts the guardian, unless it is there: before anything is entered, so that nothing goes unseen."""
        with self._lock:
            if self._guardian is not None and self._guardian.poll() is None:
                return
            with suppress(OSError):
                self._guardian = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(_GUARDIAN)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    bufsize=0,
                    start_new_session=True,
                )
        for pid in self._processes.copy():
            self._tell(f"process {pid}")
        for folder in self._folders.copy():
            self._tell(f"folder {_hex(folder)}")

    def begun(self, pid: int) -> None:
        """A process that leads a group of its own."""
        self._processes.add(pid)
        self._tell(f"process {pid}")

    def ended(self, pid: int) -> None:
        """It is no more, and all that it started."""
        self._processes.discard(pid)
        self._tell(f"ended {pid}")

    def made(self, folder: str) -> None:
        """A folder that is about to be made."""
        self._folders.add(folder)
        self._tell(f"folder {_hex(folder)}")

    def removed(self, folder: str) -> None:
        """It is no more."""
        self._folders.discard(folder)
        self._tell(f"removed {_hex(folder)}")

    def clear_up(self) -> None:
        """Ends every process and removes every folder. Takes no lock: it is called in the middle of anything."""
        for pid in self._processes.copy():
            with suppress(OSError):
                end_group(pid)
        for folder in self._folders.copy():
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Lets the guardian end, and waits for it: we end, too, and in order."""
        guardian, self._guardian = self._guardian, None
        if guardian is not None and guardian.stdin is not None:
            with suppress(OSError):
                guardian.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                guardian.wait(_PATIENCE_S)

    def forget(self) -> None:
        """What a process has to clear up that ours was forked from is its own affair."""
        guardian = self._guardian
        self._processes, self._folders, self._guardian, self._lock = set(), set(), None, threading.Lock()
        if guardian is not None and guardian.stdin is not None:
            guardian.stdin.close()
            guardian.returncode = 0  # it is not our child, so nobody here waits for it

    def _tell(self, line: str) -> None:
        guardian = self._guardian
        if guardian is not None and guardian.stdin is not None:
            with suppress(OSError, ValueError):
                os.write(guardian.stdin.fileno(), f"{line}\n".encode("ascii"))


ledger = Ledger()
before_leaving.append(ledger.clear_up)
atexit.register(ledger.close)
os.register_at_fork(after_in_child=ledger.forget)


def _hex(folder: str) -> str:
    return os.fsencode(folder).hex()
