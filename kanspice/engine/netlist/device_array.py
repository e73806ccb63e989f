"""What lies between a crossbar's rows and its columns, flat in the circuit: no subcircuit has ports enough.

ngspice expands a subcircuit of 1,004 ports at most, and looks every node of every element up among them one by one.
Elements come row by row: see `emit` for the order in which ngspice takes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Crossbar
from kanspice.engine.netlist.cells import Cell, CrossbarRow, Placed, WindowCell
from kanspice.engine.netlist.names import layer_of, sense_node
from kanspice.engine.netlist.weight import Tally
from kanspice.engine.netlist.wires import WireText, capacitors


@dataclass(frozen=True)
class DeviceArray:
    """A crossbar's devices, with what they share, between `rows`, the nodes that drive it, and its columns.

    cells: of the device types that it has. dynamic: with its capacitances.
    """

    crossbar: Crossbar
    cells: tuple[Cell, ...]
    rows: Sequence[str]
    dynamic: bool

    @property
    def is_windowed(self) -> bool:
        """True where some cells are exact only within their reach."""
        return any(isinstance(cell, WindowCell) for cell in self.cells)

    @property
    def reach_v(self) -> float:
        """Largest column voltage, either sign, for which all cells are exact."""
        return min(cell.reach_v for cell in self.cells)

    @property
    def inner_nodes(self) -> int:
        """How many nodes there are beside the ends of rows and columns."""
        shared = len(self._shared_by_a_row) // 2
        senses = 2 * self.crossbar.width if self.is_windowed else 0
        return senses + shared * self.crossbar.rows + sum(1 for _ in self._wires.inner_nodes)

    def count(self, tally: Tally) -> None:
        """Adds its elements; capacitors, which are nothing in an operating point, are not counted."""
        wires, shared = self._wires, self._shared_by_a_row
        for line in shared:
            tally.add_times(self.crossbar.rows, line)
        if self.is_windowed:
            tally.add_lines(self._senses(wires))
        tally.add_lines(wires.lines())
        numbers = np.count_nonzero(self.crossbar.area, axis=(0, 1)).tolist()
        ends = wires.ends(0, 0)
        for cell in self.cells:
            placed = Placed(self._named_rows[0], 0, "p", ends, self.crossbar.current_unit_a, 0.0)
            tally.add_times(numbers[cell.index], cell.written_out(placed))

    def lines(self) -> Iterator[str]:
        """Every element: what limits the columns' voltages, wires, what devices share, and they, row by row."""
        wires = self._wires
        if self.is_windowed:
            yield from self._senses(wires)
        yield from wires.lines()
        for row in self._named_rows:
            yield from (line for cell in self.cells for line in cell.row_lines(row))
        cells = {cell.index: cell for cell in self.cells}
        for row in self._named_rows:
            yield from self._devices(row, wires, cells)
        if self.dynamic:
            yield from capacitors(self.crossbar, wires)

    @property
    def _wires(self) -> WireText:
        return WireText(self.crossbar, self.rows, every_node=self.dynamic)

    @property
    def _named_rows(self) -> list[CrossbarRow]:
        layer = layer_of(self.crossbar.name)
        return [CrossbarRow(layer, index, node) for index, node in enumerate(self.rows)]

    @property
    def _shared_by_a_row(self) -> list[str]:
        """A row's shared elements: pairs of a source and a resistor for each node."""
        return [line for cell in self.cells for line in cell.row_lines(self._named_rows[0])]

    def _senses(self, wires: WireText) -> Iterator[str]:
        reach = spice_number(min(cell.reach_v for cell in self.cells if isinstance(cell, WindowCell)))
        for column, (pair, sign) in zip(wires.columns, _columns(self.crossbar), strict=True):
            sense = sense_node(wires.layer, pair, sign)
            yield f"X{sense} {column} {sense} column_sense reach={reach}"

    def _devices(self, row: CrossbarRow, wires: WireText, cells: Mapping[int, Cell]) -> Iterator[str]:
        """One source per non-zero area of a row."""
        areas, shifts_v = self.crossbar.area[row.number], self.crossbar.shift_v[row.number]
        pairs, devices = np.nonzero(areas)
        found = areas[pairs, devices]
        scales_a = (np.abs(found) * self.crossbar.current_unit_a).tolist()
        places = zip(pairs.tolist(), devices.tolist(), (found < 0).tolist(), strict=True)
        for (pair, device, negative), scale_a, shift_v in zip(
            places, scales_a, shifts_v[pairs, devices].tolist(), strict=True
        ):
            ends = wires.ends(row.number, 2 * pair + negative)
            yield cells[device].device(Placed(row, pair, "pn"[negative], ends, scale_a, shift_v))


def _columns(crossbar: Crossbar) -> Iterator[tuple[int, str]]:
    return ((pair, sign) for pair in range(crossbar.width) for sign in "pn")
