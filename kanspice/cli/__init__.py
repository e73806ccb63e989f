"""The command line: parse, call the API, print, leave with the right exit code."""

from __future__ import annotations

import signal
import sys
import traceback
from types import FrameType
from typing import Annotated

import typer

from kanspice.errors import KanspiceError

_INTERRUPTED = 130

app = typer.Typer(
    name="kanspice",
    help="Compile trained analogue networks to circuits, run them in ngspice, and measure the sim-to-real gap.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - only for this option

        typer.echo(f"kanspice {version('kanspice')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Compile trained analogue networks to circuits, run them in ngspice, and measure the sim-to-real gap."""


def _add_commands() -> None:
    from kanspice.cli import compile, devices, doctor, simulate, verify  # noqa: PLC0415, A004 - after `app` exists

    app.command("compile")(compile.compile_)
    app.command("simulate")(simulate.simulate)
    app.command("verify")(verify.verify)
    app.add_typer(devices.app, name="devices")
    app.command("doctor")(doctor.doctor)


_add_commands()


class _Interrupted(BaseException):
    """Ctrl-C or SIGTERM: unwinds everything, so that simulators are killed and folders removed."""


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise _Interrupted


def main() -> None:
    """Runs the command line and leaves with its exit code.

    0 measured and within limits, 1 a limit exceeded, 2 bad input or usage, 3 could not measure, 130 interrupted.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        app()
    except KanspiceError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except _Interrupted:
        typer.echo("interrupted", err=True)
        sys.exit(_INTERRUPTED)
    except Exception:  # a bug must not leave with 1, which says that a limit was exceeded
        traceback.print_exc()
        typer.echo("this is a bug in kanspice: nothing was measured; please report the lines above", err=True)
        sys.exit(KanspiceError.exit_code)
