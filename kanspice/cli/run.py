"""A command from its words to its exit code: errors become one message each."""

from __future__ import annotations

import sys
import traceback

import typer

from kanspice.cli.commands import app
from kanspice.errors import KanspiceError


def run() -> None:
    """Does what the command line says, and leaves with the exit code."""
    try:
        app()
    except KanspiceError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception:  # a bug must not leave with 1, which says that a limit was exceeded
        traceback.print_exc()
        typer.echo("this is a bug in kanspice: nothing was measured; please report the lines above", err=True)
        sys.exit(KanspiceError.exit_code)
