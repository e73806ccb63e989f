"""`kanspice doctor`: what is installed, which ngspice, what it can do, and what to do about what is missing."""

from __future__ import annotations

import json as json_format
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import SimulatorError
from kanspice.base.files import write_text
from kanspice.base.visible import visible_json

if TYPE_CHECKING:
    from kanspice.cli.installed import Finding


def doctor(
    json: Annotated[
        str | None, typer.Option("--json", metavar="F", help="Write the checks as JSON to this file; - prints them.")
    ] = None,
) -> None:
    """Say what is installed, which ngspice, what it can do, and what to do about what is missing.

    Leaves with 0 when kanspice can measure, with 3 when something essential is missing.
    """
    from kanspice.cli.installed import can_measure, examine  # noqa: PLC0415 - --help stays fast

    checks = examine()
    if json != "-":
        _print_table(checks)
    if json is not None:
        _write_json(checks, json)
    if not can_measure(checks):
        raise typer.Exit(SimulatorError.exit_code)


def as_json(checks: Sequence[Finding]) -> str:
    """The checks as one JSON document of schema `kanspice.doctor/1`."""
    from kanspice.cli.doctor_document import DoctorDocument  # noqa: PLC0415 - --help stays fast
    from kanspice.cli.installed import can_measure  # noqa: PLC0415

    document = DoctorDocument.written({"can_measure": can_measure(checks), "checks": list(checks)})
    return json_format.dumps(document, indent=2, ensure_ascii=False)


def _write_json(checks: Sequence[Finding], target: str) -> None:
    """Raises InputError when the file cannot be written."""
    if target == "-":
        typer.echo(visible_json(as_json(checks)))
        return
    write_text(target, as_json(checks) + "\n")


def _print_table(checks: Sequence[Finding]) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from kanspice.cli.installed import can_measure  # noqa: PLC0415
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast

    table = Table(box=None, pad_edge=False)
    for heading in ("", "check", "found"):
        table.add_column(heading, no_wrap=heading != "found", overflow="fold")
    for check in checks:
        word, colour = _verdict(check)
        table.add_row(Text(word, style=colour), check.name, Text(check.found))
    console = Terminal()
    console.print(table)
    for check in checks:
        if check.advice is not None:
            console.print(Text(f"{check.name}: {check.advice}"))
    console.print("kanspice can measure." if can_measure(checks) else "kanspice cannot measure yet.")


def _verdict(check: Finding) -> tuple[str, str]:
    if check.ok:
        return "ok", "green"
    return ("FAIL", "bold red") if check.essential else ("note", "yellow")
