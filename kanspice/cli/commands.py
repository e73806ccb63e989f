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
from kanspice.cli.panels import GroupedCommand

_GAP, _CLOSER, _CIRCUIT, _PARTS = "How large is the gap?", "Close it", "The circuit", "Parts and set-up"

app = typer.Typer(
    name="kanspice",
    help="Compile trained analogue networks to circuits, run them in ngspice, and measure the sim-to-real gap.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)
app.command("demo", cls=GroupedCommand, rich_help_panel=_GAP)(demo.demo)
app.command("verify", cls=GroupedCommand, rich_help_panel=_GAP)(verify.verify)
app.command("study", cls=GroupedCommand, rich_help_panel=_GAP)(study.study)
app.command("settle", cls=GroupedCommand, rich_help_panel=_GAP)(settle.settle)
app.command("sensitivity", cls=GroupedCommand, rich_help_panel=_GAP)(sensitivity.sensitivity)
app.command("lifetime", cls=GroupedCommand, rich_help_panel=_GAP)(lifetime.lifetime)
app.command("control", cls=GroupedCommand, rich_help_panel=_GAP)(control.control)
app.command("report", cls=GroupedCommand, rich_help_panel=_GAP)(report.report)
app.command("tune", cls=GroupedCommand, rich_help_panel=_CLOSER)(tune.tune)
app.command("calibrate", cls=GroupedCommand, rich_help_panel=_CLOSER)(calibrate.calibrate)
app.command("identify", cls=GroupedCommand, rich_help_panel=_CLOSER)(identify.identify)
app.command("project", cls=GroupedCommand, rich_help_panel=_CIRCUIT)(project.project)
app.command("compile", cls=GroupedCommand, rich_help_panel=_CIRCUIT)(compile_command.compile_)
app.command("export", cls=GroupedCommand, rich_help_panel=_CIRCUIT)(export.export)
app.command("simulate", cls=GroupedCommand, rich_help_panel=_CIRCUIT)(simulate.simulate)
app.add_typer(devices.app, name="devices", rich_help_panel=_PARTS)
app.command("characterise", cls=GroupedCommand, rich_help_panel=_PARTS)(characterise.characterise)
app.command("technology", cls=GroupedCommand, rich_help_panel=_PARTS)(technology.technology)
app.command("doctor", cls=GroupedCommand, rich_help_panel=_PARTS)(doctor.doctor)


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
