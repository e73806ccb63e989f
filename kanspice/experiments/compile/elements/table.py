"""A part of the table of a circuit's elements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Row = tuple[str | int, ...]


@dataclass(frozen=True)
class Elements:
    """Those of one stage. header: names of the columns, first the element's own, without SPICE's leading letter."""

    header: tuple[str, ...]
    rows: Iterator[Row]


CONNECTIONS = ("element", "layer", "row", "output", "connection", "kind", "parameters", "gain")
"""Of banks whose every connection is a circuit of its own: what it is, and its parts in SI units."""
