"""Any page of blocks as Markdown: what a pull request, or the summary of a CI job, shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from kanspice.report.blocks import (
    Block,
    Detail,
    Facts,
    Failures,
    Limits,
    Line,
    Literal,
    Notes,
    Page,
    Pictures,
    Section,
    Table,
)
from kanspice.report.markdown import code, document, escape, folded, mark, said, table

_SHOWN_ROWS = 50
"""Of a table that nothing folds: a summary is read on the way."""
_SHOWN_FAILURES = 10


def page_markdown(page: Page) -> str:
    """Markdown as GitHub reads it: the outcome, the answer, every section but for its pictures."""
    return document(_parts(page))


def _parts(page: Page) -> Iterator[str]:
    yield f"### {mark(page.outcome or page.answer, page.exit_code)} · {code(page.subject)}"
    if page.outcome is not None:
        yield f"{said(page.answer)}."
    yield from map(_written, page.lead)
    yield from map(_section, page.sections)


def _section(section: Section) -> str:
    blocks = [text for text in map(_written, section.blocks) if text]
    if not blocks:
        return ""
    inside = "\n\n".join(blocks)
    return folded(section.title, inside) if section.aside else f"**{escape(section.title)}**\n\n{inside}"


def _written(block: Block) -> str:
    match block:
        case Line():
            written = f"<sub>{escape(block.said.text)}</sub>" if block.small else said(block.said)
        case Facts():
            written = table(("", ""), [(escape(label), said(found)) for label, found in block.known])
        case Table():
            written = _folded(block.fold, _table(block))
        case Limits():
            written = _limits(block)
        case Failures():
            written = _failures(block)
        case Notes():
            written = _folded(block.fold, "\n".join(f"- {escape(line)}" for line in block.lines))
        case Literal():
            copied = "<br>".join(map(_copied, block.text.splitlines()))
            written = _folded(block.summary, f"<pre>{copied}</pre>")
        case Pictures() | Detail():
            written = ""
        case _:
            assert_never(block)
    return written


def _folded(summary: str, shown: str) -> str:
    return folded(summary, shown) if summary and shown else shown


def _limits(block: Limits) -> str:
    judged = zip(block.limits, block.rows, strict=True)
    rows = [
        (code(metric), value, most, word if limit.passed else f"**{word}**")
        for limit, (metric, value, most, word) in judged
    ]
    return table(("limit", "measured", "at most", ""), rows)


def _failures(block: Failures) -> str:
    rows = [(sample, outcome, escape(advice)) for sample, outcome, advice in block.first(_SHOWN_FAILURES)]
    return _counted(table(("failed sample", "outcome", "advice"), rows), len(block.failed) - len(rows))


def _copied(line: str) -> str:
    """One with its indentation."""
    return " " * (len(line) - len(line.lstrip(" "))) + escape(line)


def _table(block: Table) -> str:
    rows, shown_rows = [], None if block.fold else block.enough or _SHOWN_ROWS
    for place, (name, *cells) in enumerate(block.rows[:shown_rows]):
        bold = "**" if place in block.bad else ""
        under = f"<br><sub>{escape(block.under[place])}</sub>" if block.under else ""
        rows.append(
            [f"{bold}{code(name)}{bold}{under}", *(f"{bold}{escape(cell)}{bold}" if cell else "" for cell in cells)]
        )
    shown = table([escape(name.replace("\n", " ")) for name in block.header], rows)
    return _counted(shown, block.more + len(block.rows) - len(rows))


def _counted(shown: str, left: int) -> str:
    return f"{shown}\n\nand {left:,} more" if left > 0 else shown
