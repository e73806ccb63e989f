"""A small program beside kanspice, which is told what kanspice starts and makes, and clears up when kanspice is gone.

Nothing within a process can do that when it is killed, crashes or is out of memory. Its standard input is the end of a
pipe that kanspice alone holds open, so whatever ends kanspice ends that input. It is told one thing a line: `process
PID`, a group of processes that has begun, `ended PID`, `folder HEX`, a folder that will be made, `removed HEX`; HEX is
its path.
"""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Listens until kanspice is gone, then ends what is left of its processes and removes its folders."""
    processes: set[str] = set()
    folders: set[str] = set()
    changes = {
        "process": processes.add,
        "ended": processes.discard,
        "folder": folders.add,
        "removed": folders.discard,
    }
    for line in sys.stdin:
        kind, _, what = line.rstrip("\n").partition(" ")
        changes[kind](what)
    for process in processes:
        try:
            _end_group(int(process))
        except OSError:
            continue
    if folders:
        _remove([os.fsdecode(bytes.fromhex(folder)) for folder in folders])


def _end_group(pid: int) -> None:
    """Windows has no groups; such a signal ends a process there at once."""
    if hasattr(os, "killpg"):
        os.killpg(pid, signal.SIGKILL)
    else:
        os.kill(pid, signal.SIGTERM)


def _remove(folders: list[str]) -> None:
    """What was killed may need a moment until it writes no more."""
    import shutil  # noqa: PLC0415 - it is needed hardly ever
    import time  # noqa: PLC0415

    for _ in range(20):
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        if not any(map(os.path.lexists, folders)):
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
