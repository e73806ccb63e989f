"""Any page of blocks as Markdown: what a pull request, or the summary of a CI job, shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from kanspice.report.blocks import Block, Facts, Line, Literal, Notes, Page, Pictures, Section, Table
from kanspice.report.markdown import code, document, escape, folded, mark, said, table

_SHOWN_ROWS = 20
"""Of a table: a summary is read on the way."""


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
            return f"<sub>{escape(block.said.text)}</sub>" if block.small else said(block.said)
        case Facts():
            return table(("", ""), [(escape(label), said(found)) for label, found in block.known])
        case Table():
            return _table(block)
        case Pictures():
            return ""
        case Notes():
            return "\n".join(f"- {escape(line)}" for line in block.lines)
        case Literal():
            shown = f"<pre>{'<br>'.join(map(_copied, block.text.splitlines()))}</pre>"
            return folded(block.summary, shown) if block.summary else shown
        case _:
            assert_never(block)


def _copied(line: str) -> str:
    """One with its indentation."""
    return " " * (len(line) - len(line.lstrip(" "))) + escape(line)


def _table(block: Table) -> str:
    rows = []
    for place, (name, *cells) in enumerate(block.rows[:_SHOWN_ROWS]):
        bold = "**" if place in block.bad else ""
        rows.append([f"{bold}{code(name)}{bold}", *(f"{bold}{escape(cell)}{bold}" if cell else "" for cell in cells)])
    left = block.more + len(block.rows) - len(rows)
    shown = table([escape(name.replace("\n", " ")) for name in block.header], rows)
    return f"{shown}\n\nand {left:,} more" if left > 0 else shown
