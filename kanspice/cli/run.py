"""A command from its words to its exit code: errors become one message each."""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TextIO

import typer

from kanspice.base.errors import KanspiceError, SimulatorError
from kanspice.base.process_memory import as_shortage
from kanspice.base.visible import visible
from kanspice.cli.commands import app
from kanspice.cli.missing import as_missing
from kanspice.cli.options import say

_NOT_WRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
_UsageError: type[typer.BadParameter] = typer.BadParameter.__mro__[1]
"""Of the library that parses the command line, or of typer's own copy of it."""


def run() -> NoReturn:
    """Does what the command line says, and leaves with the exit code."""
    _prepare()
    try:
        code = app(standalone_mode=False, prog_name="kanspice")
        _flush(sys.stdout)
        sys.exit(code)
    except _UsageError as error:
        error.message = visible(error.message)
        _say_usage(error)
        _exit(error.exit_code)
    except KanspiceError as error:
        _leave(error)
    except Exception as error:
        expected = as_missing(error) or as_shortage(error) or _unwritable(error)
        if expected is not None:
            _leave(expected)
        with suppress(OSError):
            traceback.print_exc()
            say("this is a bug in kanspice: nothing was measured; please report the lines above", err=True)
        _exit(KanspiceError.exit_code)  # not 1, which says that a limit was not kept


def _prepare() -> None:
    """What is printed is printed as far as the terminal can, and what libraries warn of is not for users.

    Values that are not finite are looked for where they matter: such samples have no answer, and the exit code says so.
    Pictures go to files: what a notebook says of where its own are shown, which may be missing here, does not count.
    """
    os.environ["MPLBACKEND"] = "agg"
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for category in (RuntimeWarning, UserWarning):
        warnings.simplefilter("ignore", category)


def _say_usage(error: typer.BadParameter) -> None:
    from typer.rich_utils import rich_format_error  # noqa: PLC0415 - --version stays fast

    with suppress(OSError):
        rich_format_error(error)


def _leave(error: KanspiceError) -> NoReturn:
    with suppress(OSError):
        say(f"error: {error}", err=True)
    _exit(error.exit_code)


def _exit(code: int) -> NoReturn:
    """Leaves with this code, also where what is left to print cannot be."""
    for stream in (sys.stdout, sys.stderr):
        try:
            _flush(stream)
        except OSError:
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())
    sys.exit(code)


def _unwritable(error: Exception) -> SimulatorError | None:
    """The message for an error of writing to what has no name, hence none of ours; None for any other.

    Files that a user names have their own messages, so that what is left are standard output and temporary files.
    """
    if not isinstance(error, OSError) or error.filename is not None or error.errno not in _NOT_WRITTEN:
        return None
    found, hint = error.strerror, "make room; results go to files with --json, --html or -o"
    return SimulatorError("standard output, or a temporary file, cannot be written", found=found, hint=hint)


def _flush(stream: TextIO | None) -> None:
    """Python has no stream where it was started with a closed one."""
    if stream is not None:
        stream.flush()
