"""The command line: parse, call the API, print, leave with the right exit code.

What it needs is imported once signals are taken care of: Ctrl-C while that lasts is an interruption like any other.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from kanspice.base.processes.interruption import Interrupted, interruptible, leave


def main() -> None:
    """Runs the command line and leaves with its exit code.

    0 measured and within limits, 1 a limit not kept, 2 bad input or usage, 3 could not measure, 128 and the signal's
    number when interrupted: 130 for Ctrl-C.
    """
    try:
        with interruptible():
            _run()
    except Interrupted as interruption:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        leave(interruption.number)


def _run() -> None:
    """Where a package is missing that the command line itself needs, its message is all that can be printed."""
    try:
        from kanspice.cli.run import run  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        from kanspice.cli.missing import as_missing  # noqa: PLC0415

        expected = as_missing(error)
        if expected is None:
            raise
        sys.stderr.write(f"error: {expected}\n")
        sys.exit(expected.exit_code)
    run()
