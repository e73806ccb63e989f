"""Crossbars: devices and wires between rows and columns, an amplifier per column and a subtractor per pair.

A row: its driver, then a segment before each crosspoint, left to right. A column: a segment after each crosspoint, down
to its amplifier. A resistance of 0 is no element. Every row and every column goes through a meter, by whose current it
is known what the row takes, and the amplifier.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from kanspice.circuit import Crossbar
from kanspice.engine.netlist.names import column_node, layer_of, tia_node
from kanspice.engine.vacask.elements import GROUND, element, level, meter


class CrossbarElements:
    """A crossbar between rows, which the nodes of `signal` drive, and the nodes of its outputs.

    modules: of every device type.
    """

    def __init__(
        self, crossbar: Crossbar, signal: Sequence[str], outputs: Sequence[str], modules: Sequence[str]
    ) -> None:
        self.crossbar, self.signal, self.outputs, self.modules = crossbar, signal, outputs, modules
        self.layer = layer_of(crossbar.name)
        places = [(pair, sign) for pair in range(crossbar.width) for sign in "pn"]
        self.columns = [column_node(self.layer, *place) for place in places]
        self.amplifiers = [tia_node(self.layer, *place) for place in places]
        self.row_meters = [f"{self.layer}_mr{row}" for row in range(crossbar.rows)]
        self.column_meters = [f"{self.layer}_mc{pair}{sign}" for pair, sign in places]

    @property
    def inner_nodes(self) -> int:
        """Nodes that are no outputs: behind the meters, along wires, columns and amplifiers."""
        crossbar, columns = self.crossbar, len(self.columns)
        wires = (crossbar.row_ohm > 0) + (crossbar.column_ohm > 0)
        behind_drivers = crossbar.rows * (crossbar.driver_ohm > 0)
        return crossbar.rows + 3 * columns + behind_drivers + wires * crossbar.rows * columns

    def lines(self) -> Iterator[str]:
        """Every element."""
        for row, (source, name) in enumerate(zip(self.signal, self.row_meters, strict=True)):
            yield meter(name, self._port(row), source)  # what the row takes flows to it from its source
        yield from self._wires()
        yield from self._devices()
        yield from self._amplifiers()

    def _port(self, row: int) -> str:
        return f"{self.layer}_b{row}"

    def _driven(self, row: int) -> str:
        return f"{self.layer}_d{row}" if self.crossbar.driver_ohm > 0 else self._port(row)

    def _row_node(self, row: int, column: int) -> str:
        return f"{self.layer}_r{row}_{column}" if self.crossbar.row_ohm > 0 else self._driven(row)

    def _column_node(self, row: int, column: int) -> str:
        return f"{self.columns[column]}_{row}" if self.crossbar.column_ohm > 0 else self.columns[column]

    def _wires(self) -> Iterator[str]:
        crossbar, columns = self.crossbar, range(len(self.columns))
        for row in range(crossbar.rows):
            if crossbar.driver_ohm > 0:
                yield _resistor(f"{self.layer}_rd{row}", self._port(row), self._driven(row), crossbar.driver_ohm)
            if crossbar.row_ohm > 0:
                nodes = [self._driven(row), *(self._row_node(row, column) for column in columns)]
                for place, ends in enumerate(pairwise(nodes)):
                    yield _resistor(f"{self.layer}_rr{row}_{place}", *ends, crossbar.row_ohm)
        if crossbar.column_ohm > 0:
            for column, foot in enumerate(self.columns):
                nodes = [*(self._column_node(row, column) for row in range(crossbar.rows)), foot]
                for place, ends in enumerate(pairwise(nodes)):
                    yield _resistor(f"{self.layer}_rc{column}_{place}", *ends, crossbar.column_ohm)

    def _devices(self) -> Iterator[str]:
        crossbar = self.crossbar
        amps = np.abs(crossbar.area) * crossbar.current_unit_a
        for row, pair, device in np.argwhere(crossbar.area).tolist():
            column = 2 * pair + bool(crossbar.area[row, pair, device] < 0)
            yield element(
                f"{self.layer}_x{row}_{pair}_{device}",
                (self._row_node(row, column), self._column_node(row, column)),
                self.modules[device],
                amps=float(amps[row, pair, device]),
                shift=float(crossbar.shift_v[row, pair, device]),
            )

    def _amplifiers(self) -> Iterator[str]:
        crossbar = self.crossbar
        for place, (column, amplifier) in enumerate(zip(self.columns, self.amplifiers, strict=True)):
            own = {"rf": float(crossbar.feedback_ohm[place]), "offset": float(crossbar.offset_v[place])}
            bias_a, summed = float(crossbar.bias_a[place]), f"{column}_t"
            if bias_a:
                yield element(f"{amplifier}_b", (GROUND, column), "isource", dc=bias_a)
            yield meter(self.column_meters[place], column, summed)
            module, values = self._amplifier
            yield element(f"{amplifier}_a", (summed, amplifier), module, **own, **values)
        offsets_v = np.broadcast_to(crossbar.subtractor_offset_v, (crossbar.width,))
        for pair, output in enumerate(self.outputs):
            nodes = self.amplifiers[2 * pair], self.amplifiers[2 * pair + 1], output
            gain, swing = crossbar.subtractor_gain, level(crossbar.swing_v)
            offset_v = float(offsets_v[pair])
            own = {"offset": offset_v} if offset_v else {}
            yield element(f"{self.layer}_s{pair}", nodes, "kan_subtractor", gain=gain, swing=swing, **own)

    @cached_property
    def _amplifier(self) -> tuple[str, dict[str, float]]:
        """The module of the amplifiers, and the parameters that are the same for all of them."""
        crossbar = self.crossbar
        if crossbar.holds_columns:
            return "kan_tia_ideal", {"swing": level(crossbar.swing_v)}
        values = {"gain": crossbar.open_loop_gain, "rout": crossbar.output_ohm}
        if math.isinf(crossbar.swing_v):
            return "kan_tia", values
        return "kan_tia_limited", values | {"swing": crossbar.swing_v}


def _resistor(name: str, first: str, second: str, ohm: float) -> str:
    return element(name, (first, second), "kan_resistor", r=ohm)
