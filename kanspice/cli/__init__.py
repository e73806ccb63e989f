"""The command line: parse, call the API, print, leave with the right exit code."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from types import FrameType
from typing import Annotated, NoReturn

import typer

from kanspice.errors import KanspiceError
from kanspice.files import inputs_spared

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
    context: typer.Context,
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Compile trained analogue networks to circuits, run them in ngspice, and measure the sim-to-real gap."""
    context.with_resource(inputs_spared())


def _add_commands() -> None:
    from kanspice.cli import (  # noqa: PLC0415 - after `app` exists
        compile,
        control,
        devices,
        doctor,
        report,
        settle,
        simulate,
        study,
        technology,
        verify,
    )

    app.command("compile")(compile.compile_)
    app.command("simulate")(simulate.simulate)
    app.command("verify")(verify.verify)
    app.command("control")(control.control)
    app.command("settle")(settle.settle)
    app.command("report")(report.report)
    app.command("study")(study.study)
    app.add_typer(devices.app, name="devices")
    app.command("technology")(technology.technology)
    app.command("doctor")(doctor.doctor)


_add_commands()


class _Interrupted(BaseException):
    """A signal that ends us: unwinds everything, so that simulators are killed and folders removed."""


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise _Interrupted(number)


def main() -> None:
    """Runs the command line and leaves with its exit code.

    0 measured and within limits, 1 a limit exceeded, 2 bad input or usage, 3 could not measure, 128 and the signal's
    number when interrupted: 130 for Ctrl-C.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    try:
        app()
    except KanspiceError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except _Interrupted as interruption:
        _leave_interrupted(int(interruption.args[0]))
    except Exception:  # a bug must not leave with 1, which says that a limit was exceeded
        traceback.print_exc()
        typer.echo("this is a bug in kanspice: nothing was measured; please report the lines above", err=True)
        sys.exit(KanspiceError.exit_code)


def _leave_interrupted(number: int) -> NoReturn:
    """Whoever read our output may be gone, so that nothing more can be written there."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device
        if number == getattr(signal, "SIGPIPE", None):
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        else:
            typer.echo("interrupted", err=True)
    sys.exit(128 + number)
