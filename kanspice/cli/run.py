"""A command from its words to its exit code: errors become one message each."""

from __future__ import annotations

import sys
import traceback
from typing import NoReturn

import typer
from typer.rich_utils import rich_format_error

from kanspice.cli.commands import app
from kanspice.cli.options import say
from kanspice.errors import KanspiceError
from kanspice.memory import as_shortage
from kanspice.visible import visible

_UsageError: type[typer.BadParameter] = typer.BadParameter.__mro__[1]
"""Of the library that parses the command line, or of typer's own copy of it."""


def run() -> NoReturn:
    """Does what the command line says, and leaves with the exit code."""
    try:
        sys.exit(app(standalone_mode=False))
    except _UsageError as error:
        error.message = visible(error.message)
        rich_format_error(error)
        sys.exit(error.exit_code)
    except KanspiceError as error:
        _leave(error)
    except Exception as error:
        shortage = as_shortage(error)
        if shortage is not None:
            _leave(shortage)
        traceback.print_exc()
        say("this is a bug in kanspice: nothing was measured; please report the lines above", err=True)
        sys.exit(KanspiceError.exit_code)  # not 1, which says that a limit was exceeded


def _leave(error: KanspiceError) -> NoReturn:
    say(f"error: {error}", err=True)
    sys.exit(error.exit_code)
