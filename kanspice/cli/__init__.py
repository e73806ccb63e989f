"""The command line: parse, call the API, print, leave with the right exit code.

What it needs is imported once signals are taken care of: Ctrl-C while that lasts is an interruption like any other.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from kanspice.base.processes.interruption import Interrupted, interruptible, leave


def main() -> None:
    """Runs the command line and leaves with its exit code.

    0 measured and within limits, 1 a limit exceeded, 2 bad input or usage, 3 could not measure, 128 and the signal's
    number when interrupted: 130 for Ctrl-C.
    """
    try:
        with interruptible():
            from kanspice.cli.run import run  # noqa: PLC0415 - see above

            run()
    except Interrupted as interruption:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        leave(interruption.number)
