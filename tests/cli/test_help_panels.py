"""The boxes of a command's help."""

from __future__ import annotations

from itertools import chain

import typer.main
from typer.core import TyperOption

from kanspice.cli.commands import app
from kanspice.cli.panels import _PANEL_OF, GroupedCommand


def test_options_of_many_stand_in_boxes():
    """All that the table names are there, and a command with few options has one box."""
    commands = [each for each in typer.main.get_command(app).commands.values() if isinstance(each, GroupedCommand)]
    options = {command.name: [each for each in command.params if isinstance(each, TyperOption)] for command in commands}
    assert set(_PANEL_OF) <= {each.opts[-1] for each in chain(*options.values())}
    verify = {each.opts[-1]: each.rich_help_panel for each in options["verify"]}
    assert verify["--inputs"] == "Network and samples"
    assert verify["--max"] == "Limits"
    assert verify["--attribute"] is None
    assert all(each.rich_help_panel is None for each in options["report"])


def test_every_command_is_under_a_heading(run):
    shown = run("--help").out
    headings = [
        shown.index(title) for title in ("How large is the gap?", "Close it", "The circuit", "Parts and set-up")
    ]
    assert headings == sorted(headings)
    assert "─ Commands" not in shown
