"""Resistors between a crossbar's ports and the ends of its devices.

A row: port, driver, then a segment before each crosspoint, left to right. A column: a segment after each crosspoint,
down to the port. A resistance of 0 is no element: its two ends are one node. Segments between which there is no device
are one resistor, and those beyond the last device, which carry nothing, are none: a third of all nodes, with devices
on one side of each pair. Over time every crosspoint has its capacitance, and its node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Crossbar
from kanspice.engine.netlist.names import column_node, layer_of


class WireText:
    """Names of ports and nodes, and the resistors' lines. Columns count positive and negative in turn."""

    def __init__(self, crossbar: Crossbar, rows: Sequence[str], *, every_node: bool) -> None:
        """rows: the nodes that drive them. every_node: also of crosspoints without a device."""
        self.crossbar = crossbar
        self.every_node = every_node
        self.layer = layer_of(crossbar.name)
        self.rows = rows
        self.columns = [column_node(self.layer, pair, sign) for pair in range(crossbar.width) for sign in "pn"]

    def ends(self, row: int, column: int) -> tuple[str, str]:
        """The nodes of row and column at a crosspoint."""
        return self._row_node(row, column), self._column_node(row, column)

    def lines(self) -> Iterator[str]:
        """Every resistor, row by row and then column by column."""
        crossbar = self.crossbar
        if crossbar.driver_ohm > 0:
            ohm = spice_number(crossbar.driver_ohm)
            yield from (f"R{self._driven(row)} {port} {self._driven(row)} {ohm}" for row, port in enumerate(self.rows))
        if crossbar.row_ohm > 0:
            for row in range(crossbar.rows):
                nodes = [self._driven(row), *(self._row_node(row, column) for column in range(len(self.columns)))]
                yield from _chain(f"R{self.layer}_r{row}", nodes, [True, *self._kept[row]], crossbar.row_ohm)
        if crossbar.column_ohm > 0:
            for column, port in enumerate(self.columns):
                nodes = [*(self._column_node(row, column) for row in range(crossbar.rows)), port]
                yield from _chain(f"R{port}", nodes, [*self._kept[:, column], True], crossbar.column_ohm)

    @property
    def inner_nodes(self) -> Iterator[str]:
        """Nodes that are no ports."""
        crosspoints = np.argwhere(self._kept).tolist()
        if self.crossbar.driver_ohm > 0:
            yield from (self._driven(row) for row in range(self.crossbar.rows))
        if self.crossbar.row_ohm > 0:
            yield from (self._row_node(row, column) for row, column in crosspoints)
        if self.crossbar.column_ohm > 0:
            yield from (self._column_node(row, column) for row, column in crosspoints)

    @cached_property
    def _kept(self) -> npt.NDArray[np.bool_]:
        """(rows, columns), whether a crosspoint has nodes of its own."""
        has_device = np.asarray(self.crossbar.column_area.any(axis=2))
        return np.ones_like(has_device) if self.every_node else has_device

    def _driven(self, row: int) -> str:
        return f"{self.layer}_d{row}" if self.crossbar.driver_ohm > 0 else self.rows[row]

    def _row_node(self, row: int, column: int) -> str:
        return f"{self.layer}_r{row}_{column}" if self.crossbar.row_ohm > 0 else self._driven(row)

    def _column_node(self, row: int, column: int) -> str:
        return f"{self.columns[column]}_{row}" if self.crossbar.column_ohm > 0 else self.columns[column]


def _chain(name: str, nodes: list[str], kept: Sequence[bool], ohm: float) -> Iterator[str]:
    """A resistor between each node that is kept and the next such one, for all segments between them."""
    for first, second in pairwise(np.flatnonzero(kept).tolist()):
        yield f"{name}_{first} {nodes[first]} {nodes[second]} {spice_number(ohm * (second - first))}"


def capacitors(crossbar: Crossbar, wires: WireText) -> Iterator[str]:
    """Every capacitor's line: of devices across their crosspoints, of rows and columns to ground there.

    Capacitances at the same nodes are one element.
    """
    areas = crossbar.column_area.sum(axis=2) * crossbar.junction_f
    farads: dict[tuple[str, str], float] = {}
    for row, column in np.ndindex(areas.shape):
        ends = wires.ends(row, column)
        parts = ((ends, areas[row, column]), ((ends[0], "0"), crossbar.row_f), ((ends[1], "0"), crossbar.column_f))
        for nodes, part in parts:
            if part > 0:
                farads[nodes] = farads.get(nodes, 0.0) + float(part)
    for number, (nodes, total) in enumerate(farads.items()):
        yield f"C{wires.layer}_{number} {' '.join(nodes)} {spice_number(total)}"
