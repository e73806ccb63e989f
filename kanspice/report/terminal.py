"""A gap as the table that ends `kanspice verify` on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from kanspice.gap.resolution import Limit
from kanspice.report.formatting import (
    pair,
    plain,
)
from kanspice.report.verdict import Verdict

_GOOD, _BAD = "green", "bold red"


Row = tuple[str, Text]
"""A label and what is said under it; an empty label continues the row above."""


def labelled(rows: Iterator[Row]) -> Table:
    """Labels and what is said under them, without lines."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, min_width=9)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(Text(label, style="bold"), text)
    return grid


def limit_rows(limits: Sequence[Limit]) -> Iterator[Row]:
    """Each limit, and whether it was kept."""
    label = "limits"
    for limit in limits:
        word, style = ("pass", _GOOD) if limit.passed else ("FAIL", _BAD)
        value, most = pair(limit.value, limit.max)
        measured = f"{plain(limit.metric)} {value}, limit {most}"
        yield label, Text.assemble((word, style), "  ", measured)
        label = ""


def listed(label: str, lines: Iterator[str]) -> Iterator[Row]:
    """Lines under one label."""
    for line in lines:
        yield label, Text(line)
        label = ""


def said(found: Verdict) -> Text:
    """A sentence, in another colour where it warns."""
    return Text(found.text, style="yellow" if found.warning else "")


def judged(found: Verdict) -> Text:
    """A sentence that is good or bad."""
    return Text(found.text, style=_BAD if found.warning else _GOOD)
