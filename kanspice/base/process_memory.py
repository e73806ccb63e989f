"""How much memory a process has held, where the system says so; how much it may hold, and errors for want of it."""

from __future__ import annotations

import errno
import re
import sys
from contextlib import suppress
from pathlib import Path

from kanspice.base.errors import KanspiceError, SimulatorError

_NEEDED_BYTES = 900 * 2**20
"""Of address space, for the libraries that a simulation needs: measured, 845 MiB on two processors."""
_WORDS = re.compile(
    "can(?:not|'t|’t) allocate|failed to map segment|not enough memory|out of memory|bad_alloc|can't start new thread",
    re.IGNORECASE,
)
"""Of libraries that find none left, and do not raise MemoryError."""
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


def check_allowance() -> None:
    """Raises SimulatorError where the libraries alone would not fit: they end the process, or report other errors."""
    allowed = _allowed_bytes()
    if allowed is not None and allowed < _NEEDED_BYTES:
        raise SimulatorError(
            "the limit on memory is too low",
            where="ulimit -v",
            expected=f"at least {_NEEDED_BYTES // 1024} (KiB) to begin with",
            found=str(allowed // 1024),
            hint="ulimit -v unlimited",
        )


def as_shortage(error: BaseException) -> KanspiceError | None:
    """The one message for an error that comes of too little memory; None for any other."""
    if not any(map(_is_shortage, _chain(error))):
        return None
    hint = "fewer samples (--limit), fewer --jobs; or more memory, where `ulimit -v` limits it"
    return SimulatorError("there is not enough memory", found=str(error).partition("\n")[0] or None, hint=hint)


def _is_shortage(error: BaseException) -> bool:
    if isinstance(error, KanspiceError):
        return False
    number = error.errno if isinstance(error, OSError) else None
    return isinstance(error, MemoryError) or number == errno.ENOMEM or _WORDS.search(str(error)) is not None


def _chain(error: BaseException) -> list[BaseException]:
    """The error, and what it was raised from or while handling."""
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found


def available_bytes() -> int | None:
    """What a new process may take: what the machine has left, or less by `ulimit -v`; None where that is not known."""
    import psutil  # noqa: PLC0415 - the command line starts without it

    allowed = _allowed_bytes()
    known = [] if allowed is None else [allowed]
    with suppress(OSError):
        known.append(psutil.virtual_memory().available)
    return min(known, default=None)


def _allowed_bytes() -> int | None:
    """The limit on our address space, which processes that we start inherit; None where there is none.

    Only Linux has one that it keeps.
    """
    import psutil  # noqa: PLC0415 - the command line starts without it

    if sys.platform != "linux":
        return None
    allowed, _ = psutil.Process().rlimit(psutil.RLIMIT_AS)
    return None if allowed == psutil.RLIM_INFINITY else allowed
