"""Any page of blocks on a terminal, in short: with what, then tables, what they mean, and the outcome.

A terminal is read from its end, so the answer and what it amounts to come last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kanspice.report import blocks
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
)
from kanspice.report.verdict import Verdict

_GOOD, _BAD, _WARNING = "green", "bold red", "yellow"
_SHOWN_FAILURES = 5
_WIDEST_LABEL, _NARROWEST_TEXT = 15, 16
_UNBOUNDED = 10_000
_WORD = re.compile(r"(?<=\s)|(?<=\w{3}\.)(?=\w)")
"""Where a header may be broken: between words, and where the parts of a name end."""

Row = tuple[str, Text]
"""A label and what is said beside it."""


def print_page(page: Page, console: Console) -> None:
    """Print the short form of a page. Plain where the console is no terminal."""
    shown = [*(section for section in page.sections if not section.long), Section("", page.lead)]
    setup, said = list(_rows(page.setup)), [*_said(shown), *_verdict(page)]
    labels = (label for part in (setup, said) for label, _ in (row for row in part if isinstance(row, tuple)))
    width = min(max(map(cell_len, labels), default=0), _WIDEST_LABEL)
    if setup:
        _print_rows(setup, console, width)
        console.print()
    for section in shown:
        if _has_tables(section):
            _print_tables(section, console)
            console.print()
    _print_rows(said, console, width)


def _has_tables(section: Section) -> bool:
    return any(isinstance(block, blocks.Table) for block in section.blocks)


def _said(sections: Sequence[Section]) -> Iterator[Row | Literal]:
    """All but the tables, and the sentences beside them."""
    for section in sections:
        beside = _has_tables(section)
        for block in section.blocks:
            if not (beside and isinstance(block, Line)):
                yield from _rows(block)


def _verdict(page: Page) -> Iterator[Row]:
    if page.outcome is not None:
        yield "answer", Text(page.answer.text, style=_WARNING if page.answer.warning else "")
    last = page.outcome or page.answer
    yield "result", Text(last.text, style=_BAD if last.warning else _GOOD)


def _rows(block: Block) -> Iterator[Row | Literal]:
    match block:
        case Line():
            yield "note", _sentence(block.said)
        case Facts():
            yield from ((label, _sentence(said)) for label, said in block.known)
        case Highlights():
            yield from ((label, _sentence(said)) for label, said in block.only_here)
        case Limits():
            yield from _limits(block)
        case Failures():
            yield from _failures(block)
        case Notes():
            yield from (("note", Text(line)) for line in block.lines)
        case Literal():
            if not block.summary:
                yield block
        case blocks.Table() | Pictures() | BoxChain() | Detail():
            return
        case _:
            assert_never(block)


def _sentence(said: Verdict) -> Text:
    return Text(f"warning: {said.text}", style=_WARNING) if said.warning else Text(said.text)


def _limits(block: Limits) -> Iterator[Row]:
    longest = max((len(word) for *_, word in block.rows), default=0)
    for limit, (metric, value, allowed, word) in zip(block.limits, block.rows, strict=True):
        style = _GOOD if limit.passed else _BAD
        yield "limits", Text.assemble((f"{word:{longest}}", style), f"  {metric} {value}, {allowed}")


def _failures(block: Failures) -> Iterator[Row]:
    for sample, outcome, advice in block.first(_SHOWN_FAILURES):
        yield "failed", Text(f"sample {sample}: {outcome}: {advice}")
    left = len(block.failed) - _SHOWN_FAILURES
    if left > 0:
        yield "failed", Text(f"and {left:,} more")


def _print_rows(rows: Iterable[Row | Literal], console: Console, width: int) -> None:
    """Labels and what is said beside them, without lines; a label that is the one above is left out."""
    grid, above = _grid(width), ""
    for row in rows:
        if isinstance(row, Literal):
            console.print(grid)
            console.print(Text(row.text), soft_wrap=True)  # not folded: it is there to be copied
            grid, above = _grid(width), ""
            continue
        label, said = row
        grid.add_row("" if label == above else Text(label, style="bold"), said)
        above = label
    console.print(grid)


def _grid(width: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=width)
    grid.add_column(overflow="fold")
    return grid


def _print_tables(section: Section, console: Console) -> None:
    if section.title:
        console.print(Text(section.title, style="bold"))
    for block in section.blocks:
        if isinstance(block, Line):
            console.print(Text(block.said.text, style=_WARNING if block.said.warning else ""))
        elif isinstance(block, blocks.Table):
            _print_table(block, console)


def _print_table(block: blocks.Table, console: Console) -> None:
    every = range(len(block.header))
    table = _table(block, every)
    if console.measure(table, options=console.options.update(max_width=_UNBOUNDED)).maximum > console.width:
        table = _table(block, [column for column in every if column not in block.spare])
    console.print(table)
    left = block.more + len(block.rows[block.enough :] if block.enough else ())
    if left:
        console.print(Text(f"and {left:,} more"))


def _table(block: blocks.Table, columns: Sequence[int]) -> Table:
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    rows = block.rows[: block.enough]
    for column in columns:
        widest = max((cell_len(row[column]) for row in rows), default=0)
        heading = Text(_broken(block.header[column], widest))
        if column == 0 or column in block.texts:
            table.add_column(heading, overflow="fold", min_width=min(widest, _NARROWEST_TEXT))
        else:
            table.add_column(heading, justify="right", no_wrap=True)
    for place, row in enumerate(rows):
        cells = [Text(row[column]) for column in columns]
        if block.under:
            cells[0].append(f"\n{block.under[place]}", style="dim")
        table.add_row(*cells, style=_BAD if place in block.bad else None)
    return table


def _broken(heading: str, width: int) -> str:
    """A header on two lines or so where it is wider than what stands below it, unless it says itself where to break."""
    if "\n" in heading:
        return heading
    words = _WORD.split(heading)
    width = max(width, (len(heading) + 1) // 2, *(len(word.rstrip()) for word in words))
    lines = [""]
    for word in words:
        if len((lines[-1] + word).rstrip()) > width:
            lines.append("")
        lines[-1] += word
    return "\n".join(line.rstrip() for line in lines)
