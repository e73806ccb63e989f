"""The pull-request summary: the verdict is first, and nothing in a name is markup."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from rendered import to_markdown
from synthetic_results import EXTREMES, causes, synthetic, with_everything, with_failures

from kanspice.engine.solution import FailedSample, Outcome
from kanspice.experiments.compare import comparison_page
from kanspice.experiments.compare.comparison import Comparison
from kanspice.gap.resolution import Limit
from kanspice.report.page_markdown import escape, page_markdown

HOSTILE = "<script>alert(1)</script> | a | `b` ](http://x.y) **c** _d_ @maintainer #1 www.x.y &lt; \\| ![i](j)\n# e"
ALLOWED = {
    "h3",
    "p",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "strong",
    "code",
    "details",
    "summary",
    "ul",
    "li",
    "sub",
    "br",
    "pre",
}


class Rendered(HTMLParser):
    """Markdown as GitHub's renderer begins: CommonMark with tables, and HTML let through."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(MarkdownIt("commonmark").enable("table").render(text))

    def handle_starttag(self, tag, attrs):
        assert not attrs or tag in {"th", "td"}
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data):
        self.texts.append(data)
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return "".join(self.texts)


def hostile():
    result = with_everything(with_failures(synthetic(), 3))
    failed = (FailedSample(3, Outcome.CRASHED, HOSTILE),)
    stages = tuple(replace(stage, name=f"{HOSTILE}{place}") for place, stage in enumerate(result.stages))
    return replace(
        result,
        model=replace(result.model, path=HOSTILE, sha256=HOSTILE),
        engine=replace(result.engine, version=HOSTILE),
        failed=failed,
        stages=stages,
        limits=(Limit(HOSTILE, 2.0, 1.0),),
        causes=tuple(replace(cause, name=HOSTILE) for cause in causes()),
        notes=(HOSTILE,),
        command=HOSTILE,
    )


@pytest.mark.parametrize("name", EXTREMES)
def test_every_kind_of_result_is_a_heading_and_tables(name):
    page = Rendered(to_markdown(EXTREMES[name]()))
    assert set(page.tags) <= ALLOWED
    assert page.tags[0] == "h3"
    assert {len(row) for row in page.rows} <= {2, 3, 4, 5, 6}


def test_the_verdict_is_the_heading_and_says_what_to_look_at(result):
    assert to_markdown(result).startswith("### ✅ passed: 1 limit kept · <code>examples/digits/model.pt</code>\n")
    bad = to_markdown(replace(result, limits=(Limit("rmse", 0.5, 0.1),)))
    assert bad.startswith("### ❌ FAILED: of 1 limit, 1 exceeded")
    assert "| <code>rmse</code> | 0.5 | at most 0.1 | **EXCEEDED** |" in bad
    assert to_markdown(with_failures(result, 3)).startswith("### ⚠️ FAILED: not every sample was solved")


def test_what_a_reviewer_asks_is_answered(result):
    text = to_markdown(replace(with_everything(with_failures(result, *range(3, 16))), causes=causes()))
    page = Rendered(text)
    for words in (
        "relative RMSE 0.01",
        "numerical error",
        "l2.crossbar adds most",
        "network 98.0 % (49 of 50), circuit 96.0 % (48 of 50)",
        "13 of 50 samples without a result",
        "and 3 more",
        "diverged",
        "NOT MEASURED",
        "tia.gain",
        "ngspice raised gmin",
        "ngspice 42",
        "kanspice verify model.pt",
    ):
        assert words in page.text, words


def test_nothing_in_a_name_is_markup():
    text = to_markdown(hostile())
    page = Rendered(text)
    assert set(page.tags) <= ALLOWED
    assert {len(row) for row in page.rows} <= {2, 3, 4, 5, 6}
    one_line = " ".join(HOSTILE.split())
    seen = page.text.replace("\u200b", "")
    assert seen.count(one_line) >= 5 + 3 + 1 + 1 + 1 + 1
    assert "@m" not in text
    assert "http://" not in text
    assert "www.x" not in text


@pytest.mark.parametrize("text", [HOSTILE, "a_b", "l1.crossbar", "1e-07", "_x_", "~~a~~", "a*b*", "[x]", "é Ω 漢"])
def test_escaped_text_reads_as_it_was(text):
    page = Rendered(f"a {escape(text)} z")
    assert page.tags == ["p"]
    assert page.text.replace("\u200b", "").strip() == f"a {' '.join(text.split())} z"


def test_names_that_engineers_use_stay_readable():
    assert (
        escape("relative_rmse of l1.crossbar: 1.2e-07 (x = 3 %)") == "relative_rmse of l1.crossbar: 1.2e-07 (x = 3 %)"
    )


def test_a_comparison_is_markdown_too(result):
    text = page_markdown(comparison_page(Comparison(result, hostile(), 0.1)))
    page = Rendered(text)
    assert text.startswith("### ⚠️ FAILED: 1 of 50 samples have no result after")
    assert set(page.tags) <= ALLOWED | {"sub", "br"}
