"""How much memory a process has held, where the system says so."""

from __future__ import annotations

import re
from pathlib import Path

_PEAK = re.compile(rb"VmHWM:\s*(\d+) kB")


def peak_bytes(process: int | None = None) -> int:
    """The most that a running process (this one if None) has held, bytes; 0 where that is not known (not on Linux).

    What a system counts for children that have ended is of no use: it includes their parent's, from before they began.
    """
    try:
        found = _PEAK.search(Path(f"/proc/{process or 'self'}/status").read_bytes())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
