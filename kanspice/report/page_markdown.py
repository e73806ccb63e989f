"""Any page of blocks as Markdown: what a pull request, or the summary of a CI job, shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from kanspice.report.blocks import (
    Block,
    BoxChain,
    Detail,
    Facts,
    Failures,
    Highlights,
    Limits,
    Line,
    Literal,
    Notes,
    Page,
    Pictures,
    Section,
    Table,
)
from kanspice.report.formatting import plain
from kanspice.report.verdict import Verdict

_SHOWN_ROWS = 50
"""Of a table that nothing folds: a summary is read on the way."""
_SHOWN_FAILURES = 10

# Whatever could begin markup, HTML, a table cell, a link, a mention or an issue's number, written as an entity.
_MARKUP = re.compile(r"[^\w\s.,:;/=%+()'-]|:(?=/)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=www)\.", re.ASCII)
_TICKED = re.compile("&#96;((?:(?!&#96;).)+)&#96;")
"""Once it is escaped."""
_MENTION = "@#"
_NO_SPACE = "&#8203;"

Row = Sequence[str]


def page_markdown(page: Page) -> str:
    """Markdown as GitHub reads it: the outcome, the answer, every section but for its pictures."""
    return "\n\n".join(part for part in _parts(page) if part) + "\n"


def _parts(page: Page) -> Iterator[str]:
    yield f"### {_mark(page.outcome or page.answer, page.exit_code)} · {_code(page.subject)}"
    if page.outcome is not None:
        yield f"{_said(page.answer)}."
    yield from map(_written, page.lead)
    yield from map(_section, page.sections)


def _section(section: Section) -> str:
    blocks = [text for text in map(_written, section.blocks) if text]
    if not blocks:
        return ""
    inside = "\n\n".join(blocks)
    return _folded(section.title, inside) if section.aside else f"**{escape(section.title)}**\n\n{inside}"


def _written(block: Block) -> str:
    match block:
        case Line():
            written = f"<sub>{prose(block.said.text)}</sub>" if block.small else _said(block.said)
        case Facts():
            written = _rows(("", ""), [(escape(label), _said(found)) for label, found in block.known])
        case Highlights():
            written = _rows(("", ""), [(escape(label), _said(found)) for label, found in block.only_here])
        case Table():
            written = _folded(block.fold, _table(block))
        case Limits():
            written = _limits(block)
        case Failures():
            written = _failures(block)
        case Notes():
            written = _folded(block.fold, "\n".join(f"- {prose(line)}" for line in block.lines))
        case Literal():
            copied = "<br>".join(map(_copied, block.text.splitlines()))
            written = _folded(block.summary, f"<pre>{copied}</pre>")
        case Pictures() | BoxChain() | Detail():
            written = ""
        case _:
            assert_never(block)
    return written


def _limits(block: Limits) -> str:
    judged = zip(block.limits, block.rows, strict=True)
    rows = [
        (_code(metric), value, allowed, word if limit.passed else f"**{word}**")
        for limit, (metric, value, allowed, word) in judged
    ]
    return _rows(("limit", "measured", "allowed", ""), rows)


def _failures(block: Failures) -> str:
    rows = [(sample, outcome, prose(advice)) for sample, outcome, advice in block.first(_SHOWN_FAILURES)]
    return _counted(_rows(("failed sample", "outcome", "advice"), rows), len(block.failed) - len(rows))


def _copied(line: str) -> str:
    """One with its indentation."""
    return " " * (len(line) - len(line.lstrip(" "))) + escape(line)


def _table(block: Table) -> str:
    rows, shown_rows = [], None if block.fold else block.enough or _SHOWN_ROWS
    for place, (name, *cells) in enumerate(block.rows[:shown_rows]):
        bold = "**" if place in block.bad else ""
        under = f"<br><sub>{prose(block.under[place])}</sub>" if block.under else ""
        rows.append(
            [f"{bold}{_code(name)}{bold}{under}", *(f"{bold}{escape(cell)}{bold}" if cell else "" for cell in cells)]
        )
    shown = _rows([escape(name.replace("\n", " ")) for name in block.header], rows)
    return _counted(shown, block.more + len(block.rows) - len(rows))


def _counted(shown: str, left: int) -> str:
    return f"{shown}\n\nand {left:,} more" if left > 0 else shown


def _mark(found: Verdict, exit_code: int) -> str:
    """The verdict of a heading, with a sign that is seen from afar."""
    signs = {0: "✅", 1: "❌"}
    return f"{signs.get(exit_code, '⚠️')} {prose(found.text)}"


def _rows(header: Row, rows: Iterable[Row]) -> str:
    """A table of cells that are Markdown already; nothing where there are no rows."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(header) + " |", "|" + " --- |" * len(header), *lines])


def _folded(summary: str, shown: str) -> str:
    """What opens with a click, where there is a summary to click on."""
    if not (summary and shown):
        return shown
    return f"<details><summary>{escape(summary)}</summary>\n\n{shown}\n\n</details>"


def _said(found: Verdict) -> str:
    """A verdict's sentence, bold where it must not be overlooked."""
    return f"**{prose(found.text)}**" if found.warning else prose(found.text)


def _code(text: object) -> str:
    """A name: everything in it visible, nothing in it markup."""
    return f"<code>{escape(text)}</code>"


def prose(text: object) -> str:
    """The same of a sentence, in which what stands between back-ticks is code."""
    return _TICKED.sub(r"<code>\1</code>", escape(text))


def escape(text: object) -> str:
    """Text on one line that Markdown and HTML leave as it is, and that mentions nobody."""
    return _MARKUP.sub(_entity, plain(text))


def _entity(found: re.Match[str]) -> str:
    letter = found.group()
    if not letter.isascii():
        return letter
    return f"&#{ord(letter)};" + (_NO_SPACE if letter in _MENTION else "")
