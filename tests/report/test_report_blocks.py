"""Pages of blocks: every writer has every kind of block, nothing in them is markup, and no exit code is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args
from xml.etree import ElementTree

import pytest

from kanspice.report.blocks import Block, Facts, Line, Literal, Notes, Page, Picture, Pictures, Section, Table
from kanspice.report.checks import Check, Problem
from kanspice.report.junit import page_junit
from kanspice.report.page_html import page_html
from kanspice.report.page_markdown import page_markdown
from kanspice.report.verdict import Verdict

BAD = "<script>alert(1)</script> | @everyone `x` *y*"


def drawn():
    return "data:image/png;base64,cG5n"


BLOCKS = (
    Line(Verdict(BAD, warning=True)),
    Line(Verdict("qualified"), small=True),
    Facts([(BAD, Verdict(BAD)), ("nothing", None), ("plain", BAD)]),
    Table([BAD, "two\nlines"], [[BAD, BAD], ["short", "1"]], texts=frozenset({1}), bad=frozenset({0}), more=3),
    Pictures([Picture(BAD, drawn)]),
    Pictures([]),
    Notes([BAD]),
    Literal(BAD),
    Literal("{\n  1\n}", BAD),
)


def page_of(*blocks, **changes):
    page = Page("title", BAD, "kanspice test", Verdict(BAD), Verdict(BAD, True), 0, blocks, [Section(BAD, blocks)], [])
    return replace(page, **changes)


def test_every_kind_of_block_is_written():
    assert {type(block) for block in BLOCKS} == set(get_args(Block))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_nothing_in_a_block_is_markup(block):
    html, markdown = page_html(page_of(block)), page_markdown(page_of(block))
    for text in (html, markdown):
        assert "<script" not in text
    for markup in (" | @", "@everyone", "`", "*y*"):
        assert markup not in markdown


def test_a_small_page_in_markdown():
    facts, table = Facts([("engine", "batched")]), Table(("stage", "gap"), [("a", "1"), ("b", "2")], bad=frozenset({1}))
    aside = Section("How", [Literal("{\n  1\n}", "versions")], aside=True)
    page = Page("t", "m.pt", "c", Verdict("It does"), None, 0, [facts], [Section("Where", [table]), aside], [])
    expected = """\
### ✅ It does · <code>m.pt</code>

|  |  |
| --- | --- |
| engine | batched |

**Where**

| stage | gap |
| --- | --- |
| <code>a</code> | 1 |
| **<code>b</code>** | **2** |

<details><summary>How</summary>

<details><summary>versions</summary>

<pre>&#123;<br>  1<br>&#125;</pre>

</details>

</details>
"""
    assert page_markdown(page) == expected


def test_pictures_are_not_drawn_where_none_is_shown():
    def fails():
        raise AssertionError

    page = page_of(Pictures([Picture("alt", fails)]))
    assert page_markdown(page)
    assert page_junit(page)


def test_long_tables_end_in_markdown():
    table = Table(("n",), [(str(n),) for n in range(30)], more=5)
    assert "and 15 more" in page_markdown(page_of(table))


def counts(page):
    suite = ElementTree.fromstring(page_junit(page))[0]
    return {name: int(suite.get(name)) for name in ("tests", "failures", "errors")}


def test_checks_in_junit():
    checks = [
        Check("a", None),
        Check("b", Problem("X", BAD, is_measured=True, detail="\x00")),
        Check("c", Problem("Y", BAD)),
    ]
    assert counts(page_of(checks=checks, exit_code=3)) == {"tests": 3, "failures": 1, "errors": 1}
    assert counts(page_of(checks=checks[:1])) == {"tests": 1, "failures": 0, "errors": 0}


@pytest.mark.parametrize(("exit_code", "failures", "errors"), [(1, 1, 0), (3, 0, 1)])
def test_a_failed_command_is_no_passed_suite(exit_code, failures, errors):
    page = page_of(checks=[Check("a", None)], exit_code=exit_code)
    assert counts(page) == {"tests": 2, "failures": failures, "errors": errors}
