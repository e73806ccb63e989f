"""What the command line says of itself: the help of every command, every key of a technology."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer
from rich.text import Text
from typer.testing import CliRunner

from kanspice.cli.commands import app


def commands(found=None, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command, `kanspice` itself first."""
    found = typer.main.get_command(app) if found is None else found
    yield words
    for name, command in getattr(found, "commands", {}).items():
        yield from commands(command, (*words, name))


def said(*arguments: str) -> str:
    """What a command prints on a terminal of 100 columns that knows no colours."""
    done = CliRunner().invoke(app, arguments, catch_exceptions=False, env={"COLUMNS": "100", "NO_COLOR": "1"})
    assert done.exit_code == 0, done.output
    return Text.from_ansi(done.output).plain + "\n"


@pytest.mark.parametrize("words", list(commands()), ids=lambda words: "-".join(("kanspice", *words)))
def test_help(golden, words):
    golden(said(*words, "--help"))


@pytest.mark.parametrize("name", ("ideal", "typical"))
def test_technology(golden, name):
    golden(said("technology", "--tech", name))
