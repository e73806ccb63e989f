"""`kanspice report`: reports that exist already, shown again or compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import check_outputs
from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.cli.options import Quiet, say

REPORTS = "kanspice.gap/1"
"""The schema of what this command shows."""
_COMPARED = 2
"""So many reports are compared; more are a history."""


@delivers(json={"help": "Write the comparison, or the history; - prints it."})
def report(
    reports: Annotated[
        list[Path] | None, typer.Argument(metavar="A.json", help="What `kanspice verify --json` wrote.")
    ] = None,
    *,
    max_growth: Annotated[
        str | None,
        typer.Option("--max-growth", metavar="X", help="Fail (exit 1) where the gap grew by more: 10% or 0.1."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="NAME", help="What a history shows, e.g. accuracy_drop; can be repeated."),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Show one or two reports as a history, too; three and more always are.")
    ] = False,
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
    """Show a report again, compare two (A before a change, B after it), or show how more of them follow each other.

    A page made from one report lacks what is not in its JSON: the pictures of outputs and of voltages over time. A
    history is in the order of the dates that reports record.

    Exit code: 0 shown, or the gap did not grow by more than --max-growth; 1 it did; 2 bad input; 3 one of two reports
    could not measure, or they cannot be compared and --max-growth was given. In a history these are the last two.

    Examples:

    `kanspice report before.json after.json --max-growth 10% --markdown summary.md`

    `kanspice report history/*.json --metric relative_rmse --metric accuracy --html history.html`
    """
    given = reports or []
    if schema:
        alone = len(given) <= 1 and not (max_growth or wanted.places or metric or history)
        _refuse(not alone, "--schema", "nothing beside it but the name of a schema")
        _print_schema(str(given[0]) if given else REPORTS)
        return
    _refuse(not given, "kanspice report", "one report, two to compare, or more for a history", "0 reports")
    if history or len(given) > _COMPARED:
        _over_time(given, metric or [], max_growth, wanted, quiet)
    _refuse(bool(metric), "--metric", "a history: three reports or more, or --history")
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


def _over_time(
    reports: list[Path], metrics: list[str], max_growth: str | None, wanted: Deliverables, quiet: bool
) -> NoReturn:
    from kanspice.experiments.api.history import history  # noqa: PLC0415
    from kanspice.experiments.history import history_json  # noqa: PLC0415

    found = history(reports, metric=metrics, max_growth=max_growth)
    check_outputs(wanted.files)
    deliver(found.page(), wanted, quiet, lambda: history_json(found))
    raise typer.Exit(found.exit_code)
