"""The command line's commands, by name."""

from __future__ import annotations

from typing import Annotated

import typer

from kanspice.base.files import inputs_spared
from kanspice.base.process_memory import check_allowance
from kanspice.cli import (
    calibrate,
    characterise,
    control,
    demo,
    devices,
    doctor,
    export,
    identify,
    lifetime,
    project,
    report,
    sensitivity,
    settle,
    simulate,
    study,
    technology,
    tune,
    verify,
)
from kanspice.cli import compile as compile_command

app = typer.Typer(
    name="kanspice",
    help="Compile trained analogue networks to circuits, run them in ngspice, and measure the sim-to-real gap.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)
app.command("demo")(demo.demo)
app.command("compile")(compile_command.compile_)
app.command("export")(export.export)
app.command("simulate")(simulate.simulate)
app.command("verify")(verify.verify)
app.command("project")(project.project)
app.command("control")(control.control)
app.command("tune")(tune.tune)
app.command("characterise")(characterise.characterise)
app.command("sensitivity")(sensitivity.sensitivity)
app.command("settle")(settle.settle)
app.command("report")(report.report)
app.command("study")(study.study)
app.command("lifetime")(lifetime.lifetime)
app.command("calibrate")(calibrate.calibrate)
app.command("identify")(identify.identify)
app.add_typer(devices.app, name="devices")
app.command("technology")(technology.technology)
app.command("doctor")(doctor.doctor)


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
    if context.invoked_subcommand != "doctor":
        check_allowance()
