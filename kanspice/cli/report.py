"""`kanspice report`: reports that exist already, shown again or compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import check_outputs
from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.cli.options import Quiet, say

REPORTS = "kanspice.gap/1"
"""The schema of what this command shows."""


@delivers(json={"help": "Write the comparison; - prints it."})
def report(
    reports: Annotated[
        list[Path] | None, typer.Argument(metavar="A.json [B.json]", help="What `kanspice verify --json` wrote.")
    ] = None,
    *,
    max_growth: Annotated[
        str | None,
        typer.Option("--max-growth", metavar="X", help="Fail (exit 1) where the gap grew by more: 10% or 0.1."),
    ] = None,
    wanted: Deliverables,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help="Print the JSON schema of reports, or of what is named instead: kanspice.tuning/1. list: their names.",
        ),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Show a report again, or compare two: A before a change, B after it.

    A page made from one report lacks what is not in its JSON: the pictures of outputs and of voltages over time.

    Exit code: 0 shown, or the gap did not grow by more than --max-growth; 1 it did; 2 bad input; 3 one of two reports
    could not measure, or they cannot be compared and --max-growth was given.

    Example: `kanspice report before.json after.json --max-growth 10% --markdown summary.md`
    """
    given = reports or []
    if schema:
        alone = len(given) <= 1 and not (max_growth or wanted.places)
        _refuse(not alone, "--schema", "nothing beside it but the name of a schema")
        _print_schema(str(given[0]) if given else REPORTS)
        return
    _refuse(len(given) not in {1, 2}, "kanspice report", "one report, or two to compare", f"{len(given)} reports")
    if len(given) == 1:
        _refuse(max_growth is not None, "--max-growth", "two reports to compare")
        _refuse("json" in wanted.places, "--json", "two reports to compare; one is JSON already")
        _show(given[0], wanted, quiet)
    else:
        _compare(given[0], given[1], max_growth, wanted, quiet)


def _refuse(wrong: bool, where: str, expected: str, found: str | None = None) -> None:
    if wrong:
        raise InputError("does not fit the other arguments", where=where, expected=expected, found=found)


def _print_schema(name: str) -> None:
    """name: `kanspice.tuning/1`, or `list` for the names of all."""
    from kanspice.base.resources import schemas  # noqa: PLC0415 - --help stays fast
    from kanspice.base.validation import nearest  # noqa: PLC0415
    from kanspice.base.visible import shown_name  # noqa: PLC0415

    known = schemas()
    if name == "list":
        say("\n".join(known))
    elif name in known:
        typer.echo(known[name].read_text(encoding="utf-8"), nl=False)
    else:
        hint = f"{nearest(name, known)}; kanspice report --schema list names all"
        raise InputError("there is no such schema", where="--schema", found=shown_name(name), hint=hint)


def _show(path: Path, wanted: Deliverables, quiet: bool) -> None:
    from kanspice.experiments.verify.reading import read_report  # noqa: PLC0415 - --help stays fast

    result = read_report(path)
    check_outputs(wanted.files)
    deliver(result.page(), wanted, quiet)


def _compare(before: Path, after: Path, max_growth: str | None, wanted: Deliverables, quiet: bool) -> None:
    from kanspice.experiments.compare import Comparison, comparison_json  # noqa: PLC0415
    from kanspice.experiments.verify.reading import read_report  # noqa: PLC0415
    from kanspice.gap.limits import parse_growth  # noqa: PLC0415

    allowed = None if max_growth is None else parse_growth(max_growth)
    found = Comparison(read_report(before), read_report(after), allowed)
    check_outputs(wanted.files)
    deliver(found.page(), wanted, quiet, lambda: comparison_json(found))
    raise typer.Exit(found.exit_code)
