"""Pages of blocks: every writer has every kind of block, nothing in them is markup, and no exit code is lost."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import get_args
from xml.etree import ElementTree

import pytest
from rich.console import Console

from kanspice.engine.solution import FailedSample, Outcome
from kanspice.gap.resolution import Limit
from kanspice.report.blocks import (
    Block,
    BoxChain,
    ChainBox,
    Detail,
    Facts,
    Failures,
    Highlight,
    Highlights,
    Limits,
    Line,
    Literal,
    Notes,
    Page,
    Picture,
    Pictures,
    Section,
    Table,
)
from kanspice.report.checks import Check, Problem
from kanspice.report.junit import page_junit
from kanspice.report.page_html import page_html
from kanspice.report.page_markdown import page_markdown
from kanspice.report.terminal import print_page
from kanspice.report.verdict import Verdict

BAD = "<script>alert(1)</script> | @everyone `x` *y* [red]z :smile:"


def drawn():
    return "data:image/png;base64,cG5n"


BLOCKS = (
    Line(Verdict(BAD, warning=True)),
    Line(Verdict("qualified"), small=True),
    Facts([(BAD, Verdict(BAD)), ("nothing", None), ("plain", BAD)]),
    Highlights([Highlight(BAD, BAD, Verdict(BAD, warning=True)), Highlight("a", "1", Verdict("b"), again=True)]),
    Table([BAD, "two\nlines"], [[BAD, BAD], ["short", "1"]], texts=frozenset({1}), bad=frozenset({0}), more=3),
    Table([BAD], [[BAD]], under=[BAD], fold=BAD),
    Limits([Limit(BAD, 1.0, 2.0), Limit("b", 3.0, 2.0), Limit("c", float("nan"), 2.0)]),
    Failures([FailedSample(3, Outcome.CRASHED, BAD)]),
    Detail([Line(Verdict(BAD))]),
    Pictures([Picture(BAD, drawn)]),
    Pictures([]),
    BoxChain([ChainBox(BAD, BAD, [BAD], [(BAD, BAD)], 0.5), ChainBox("a", "sum", [])]),
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


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_nothing_in_a_block_is_markup_for_a_terminal(block):
    said = " ".join(printed(page_of(block), 200).split())
    found = (
        isinstance(block, Pictures | BoxChain | Detail)
        or getattr(block, "summary", "")
        or getattr(block, "small", False)
    )
    assert said.count(BAD) >= (3 if not found else 2)


def printed(page, width=80, **options):
    file = io.StringIO()
    print_page(page, Console(file=file, width=width, **options))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


SMALL = Page(
    "t",
    "m.pt",
    "c",
    Verdict("It does"),
    Verdict("FAILED: not quite", warning=True),
    1,
    [Limits([Limit("rmse", 1.0, 2.0), Limit("max_abs", 4.0, 2.0), Limit("max_relative", float("nan"), 2.0)])],
    [
        Section("May it?", [Facts([("engine", Verdict("no", True)), ("engine", "yes"), ("-", None)]), Notes(["so"])]),
        Section("Where?", [Table(("stage", "gap, relative"), [("a", "1e-07"), ("b", "2")]), Line(Verdict("* none"))]),
        Section("Worst", [Facts([("worst", "alone:")]), Literal("kanspice " + 90 * "x"), Literal("{}", "versions")]),
        Section("How", [Facts([("digest", "abc")])], long=True),
    ],
    [],
    Facts([("model", "m.pt")]),
)


def test_a_small_page_on_a_terminal():
    """What was measured first, tables, what they mean, the outcome last; commands are not broken."""
    assert (
        printed(SMALL, 60)
        == f"""\
model   m.pt

Where?
           gap,
stage  relative
───────────────
a         1e-07
b             2
* none

engine  warning: no
        yes
note    so
worst   alone:
kanspice {90 * "x"}
limits  kept          rmse 1, at most 2
        EXCEEDED      max_abs 4, at most 2
        NOT MEASURED  max_relative -, at most 2
answer  It does
result  FAILED: not quite
"""
    )


def test_the_answer_is_the_last_word_where_nothing_judges_it():
    assert printed(replace(SMALL, outcome=None, setup=Facts(()), sections=[], lead=[])) == "result  It does\n"


def test_colours_are_for_terminals():
    assert "\x1b" not in printed(SMALL)
    assert "\x1b[1;31mFAILED" in printed(SMALL, force_terminal=True, color_system="standard")


def test_columns_that_can_be_spared_are_left_out_where_they_do_not_fit():
    header, row = ("point", "draws", "median", "95 %", "yield"), ("a" * 30, "100", "0.001", "0.0023", "98.5 %")
    page = page_of(Table(header, [row] * 4, spare=frozenset({2, 3}), enough=3))
    wide, narrow = printed(page, 80), printed(page, 50)
    assert "0.0023" in wide
    assert "0.0023" not in narrow
    assert "98.5 %" in narrow
    assert narrow.count("98.5 %") == 2 * 3
    assert "and 1 more" in narrow


def test_failures_end_where_readers_do():
    """A page has more of them than a summary, and that more than a terminal."""
    failed = [FailedSample(index, Outcome.CRASHED, f"seen{index}.") for index in range(250)]
    page = page_of(sections=[Section("Failed", [Failures(failed)])])
    for text, shown in ((printed(page), 5), (page_markdown(page), 10), (page_html(page), 200)):
        assert f"seen{shown - 1}." in text
        assert f"seen{shown}." not in text
        assert f"and {250 - shown} more" in text


def test_what_a_section_says_too_is_a_highlight_of_pages_only():
    shown = [Highlight("accuracy", "99 %", Verdict("of 100"), again=True), Highlight("stable", "yes", Verdict("all"))]
    page = page_of(Highlights(shown))
    assert "stable  yes: all" in printed(page, 100)
    assert "| stable | yes: all |" in page_markdown(page)
    assert "accuracy" not in printed(page, 100) + page_markdown(page)
    assert '<span class="figure">99 %</span>' in page_html(page)


def test_a_single_picture_stands_beside_the_rest():
    picture, line = Pictures([Picture("a", drawn)]), Line(Verdict("text"))
    assert page_html(page_of(line, picture)).count('<div class="beside">') == 2
    assert '<div class="beside">' not in page_html(page_of(picture))
    assert '<div class="beside">' not in page_html(page_of(Table(["a"] * 9, []), picture))
    assert '<div class="beside">' not in page_html(page_of(line, Pictures([*picture.shown, *picture.shown])))


def test_a_chain_has_the_whole_width_and_what_is_before_it_too():
    picture, line, chain = (
        Pictures([Picture("a", drawn)]),
        Line(Verdict("text")),
        BoxChain([ChainBox("a", "sum", ["b"])]),
    )
    first, _, rest = page_html(page_of(line, chain, line, picture)).partition('<div class="beside">')
    assert first.count("<p>text</p>") == first.count('<div class="chain">') == 1
    assert rest.count('<div class="chain">') == 1


def test_what_stands_between_back_ticks_is_code():
    page = page_html(page_of(Notes(["see `kanspice settle`", "`<b>`"])))
    assert 'see <code class="whole">kanspice settle</code>' in page
    assert "&lt;b&gt;</code>" in page


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
    table = Table(("n",), [(str(n),) for n in range(60)], more=5)
    assert "and 15 more" in page_markdown(page_of(table))
    assert "and 5 more" in page_markdown(page_of(replace(table, fold="65 of them")))


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
