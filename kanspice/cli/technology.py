"""`kanspice technology`: what a technology says, key by key."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.cli.options import Set, Tech, print_json, say

if TYPE_CHECKING:
    from kanspice.technology import Technology

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
Write = Annotated[
    Path | None,
    typer.Option("--write", metavar="FILE.toml", help="Write a file with every key and its meaning, to be edited."),
]


def technology(tech: Tech = None, set_: Set = None, write: Write = None, *, json: Json = False) -> None:
    """Print every key of a technology with its value and what it means.

    A * marks an imperfection that is not at its ideal.

    Examples: `kanspice technology --tech board.toml --set tia.gain=1000`, `kanspice technology --tech typical
    --write board.toml`
    """
    from kanspice.base.files import check_outputs, is_there, write_text  # noqa: PLC0415 - --help stays fast
    from kanspice.technology import load_technology, technology_text  # noqa: PLC0415

    if write is not None and json:
        raise InputError("a file and JSON, both", where="--write --json", expected="one of them")
    check_outputs([write])
    loaded = load_technology(tech, set_ or ())
    if write is not None:
        if is_there(write):
            hint = "name a file that is not there yet"
            raise InputError("the file is there already", where=write, hint=hint)
        write_text(write, technology_text(loaded))
        say(f"technology: {write}")
    elif json:
        _print_json(loaded)
    else:
        _print_tables(loaded)


def _print_json(loaded: Technology) -> None:
    from kanspice.technology import entries  # noqa: PLC0415

    keys = {
        entry.name: {
            "value": _plain(entry.value),
            "is_ideal": entry.name not in loaded.causes,
            "meaning": entry.meaning,
        }
        for _, _, keys in entries(loaded)
        for entry in keys
    }
    print_json({"name": loaded.name, "keys": keys})


def _plain(value: float | str) -> float | str:
    """JSON has no infinity."""
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _print_tables(loaded: Technology) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.technology import entries  # noqa: PLC0415

    console = Terminal()
    console.print(Text(f"technology {loaded.name}", style="bold"))
    for section, about, keys in entries(loaded):
        table = Table(title=Text(f"[{section}] {about}"), title_justify="left", box=None, pad_edge=False, expand=True)
        table.add_column("key", no_wrap=True, min_width=28)
        table.add_column("value", justify="right", no_wrap=True, min_width=11)
        table.add_column("meaning", ratio=1)
        for key in keys:
            mark = "* " if key.name in loaded.causes else ""
            table.add_row(Text(key.name), Text(f"{mark}{_shown(key.value)}"), Text(key.meaning))
        console.print()
        console.print(table)


def _shown(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
