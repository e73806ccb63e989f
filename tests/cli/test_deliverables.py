"""What commands write: every format of the table, by an option that its line alone brings."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from kanspice.base.errors import InputError
from kanspice.cli import deliverables
from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.report.blocks import Page
from kanspice.report.formats import FORMATS, PageFormat
from kanspice.report.verdict import Verdict

PAGE = Page("title", "model.pt", "kanspice test", Verdict("as it should be"), None, 0, [], [], [])


def titles(page: Page) -> str:
    return f"title,answer\n{page.title},{page.answer.text}\n"


@pytest.fixture
def command(monkeypatch):
    """Calls a command that delivers a page, where the table has one format more."""
    added = PageFormat("csv", "csv", f"{__name__}:titles", "Write a table.")
    monkeypatch.setattr(deliverables, "FORMATS", (*FORMATS, added))
    app = typer.Typer()

    @app.command()
    @delivers(csv={"metavar": "T.csv"})
    def command(*, first: bool = False, wanted: Deliverables, last: bool = False) -> None:
        assert not first
        assert last
        deliver(PAGE, wanted, quiet=False, json=lambda: "{}\n")

    return lambda *arguments: CliRunner().invoke(app, [*map(str, arguments), "--last"], catch_exceptions=False)


def test_a_line_of_the_table_is_an_option_of_commands(command, tmp_path):
    help_ = command("--help").output
    names = ["--first", "--json", *(f"--{each.name}" for each in FORMATS), "--csv", "--last"]
    assert sorted(names, key=help_.index) == names
    assert "T.csv" in help_
    done = command("--csv", tmp_path / "page.csv", "--json", tmp_path / "page.json")
    assert "as it should be" in done.stdout
    assert (tmp_path / "page.csv").read_text() == "title,answer\ntitle,as it should be\n"
    assert (tmp_path / "page.json").read_text() == "{}\n"


@pytest.mark.parametrize("name", ["json", "csv", *(each.name for each in FORMATS)])
def test_every_format_can_be_printed(command, tmp_path, name):
    command(f"--{name}", tmp_path / "page")
    done = command(f"--{name}", "-")
    assert done.stdout == (tmp_path / "page").read_text()
    assert "as it should be" in done.stderr


def test_one_thing_is_printed_at_most():
    with pytest.raises(InputError, match="only one") as raised:
        Deliverables({"html": "-", "json": "gap.json", "junit": "-"})
    assert raised.value.where == "--html - --junit -"
