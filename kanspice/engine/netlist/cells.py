"""How a device's I-V curve is written: once per row and device type, and briefly in every device.

A B source costs memory and time for every term in its expression, so 40,000 copies of a spline do not
fit. A cell puts what depends on the row alone into nodes of the row (volts across 1 ohm), and leaves each
device an expression in those nodes and its own column's voltage. Which cell is exact depends on how far
the columns can move; `choose_cell` decides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Crossbar
from kanspice.devices import Curve, PiecewisePolynomial, is_resistance
from kanspice.devices.curves import spice_literal
from kanspice.engine.fidelity import Fidelity, check_shared
from kanspice.engine.netlist.names import cell_node, device_element, sense_node

_WINDOW_DEGREE = 3
_WINDOW_MARGIN = 1.5
"""A window is chosen when it is at least this many times wider than the expected column voltage."""


class CrossbarRow(NamedTuple):
    """A row of a layer's crossbar, and the node that drives it."""

    layer: str
    number: int
    node: str


class Placed(NamedTuple):
    """One device of a row: its pair, and of that the column; the nodes it is between, amps per current unit, its shift.

    A tuple, not a dataclass, which takes three times as long to make: there are millions.
    """

    row: CrossbarRow
    pair: int
    sign: str
    ends: tuple[str, str]
    scale_a: float
    shift_v: float


@dataclass(frozen=True)
class Cell(ABC):
    """One device type in one crossbar. `index` is the type's place on the last axis of the areas."""

    index: int
    curve: Curve

    @property
    def reach_v(self) -> float:
        """Largest column voltage, either sign, for which the cell is exact."""
        return float("inf")

    @abstractmethod
    def row_lines(self, row: CrossbarRow) -> Iterator[str]:
        """The elements of the nodes that all devices of this type on a row share."""

    @abstractmethod
    def device(self, placed: Placed) -> str:
        """The line of the device between its ends, carrying `scale_a * phi(row - column)` amps.

        Text, no object: there are 40,000 of them, and more.
        """

    def written_out(self, placed: Placed) -> str:
        """The device's line with all that it needs, for one that calls a function."""
        return self.device(placed)

    def _node(self, name: str, row: CrossbarRow) -> str:
        return cell_node(row.layer, name, row.number, self.index)

    def _held(self, name: str, row: CrossbarRow, expression: str) -> Iterator[str]:
        node = self._node(name, row)
        yield f"B{node} 0 {node} i={expression}"
        yield f"R{node} {node} 0 1"

    def _name(self, placed: Placed) -> str:
        return device_element(placed.row.layer, placed.row.number, placed.pair, self.index)

    def _source(self, placed: Placed, expression: str) -> str:
        """A nonlinear source, its scale as ngspice's multiplier `m`: exact, where a number in the expression is not."""
        return f"B{self._name(placed)} {' '.join(placed.ends)} i={expression} m={spice_number(placed.scale_a)}"


@dataclass(frozen=True)
class SharedCell(Cell):
    """The curve at the row's voltage, scaled by each device: the column's voltage is taken for zero."""

    def row_lines(self, row: CrossbarRow) -> Iterator[str]:
        """Node `phi`: the current of a unit device, in current units."""
        yield from self._held("phi", row, self.curve.spice(f"v({row.node})"))

    def device(self, placed: Placed) -> str:
        """A linear source: scale_a * phi."""
        phi = self._node("phi", placed.row)
        return f"G{self._name(placed)} {' '.join(placed.ends)} {phi} 0 {spice_number(placed.scale_a)}"


@dataclass(frozen=True)
class TangentCell(Cell):
    """Value and slope at the row's voltage: exact where the column is held at 0 V, which is where it is used."""

    def row_lines(self, row: CrossbarRow) -> Iterator[str]:
        """Nodes `phi` (current units) and `g` (current units per volt)."""
        yield from self._held("phi", row, self.curve.spice(f"v({row.node})"))
        yield from self._held("g", row, self.curve.spice_derivative(f"v({row.node})"))

    def device(self, placed: Placed) -> str:
        """scale_a * (phi - column * g)."""
        phi, slope = self._node("phi", placed.row), self._node("g", placed.row)
        return self._source(placed, f"v({phi})-v({placed.ends[1]})*v({slope})")


@dataclass(frozen=True)
class WindowCell(Cell):
    """The two pieces of a piecewise polynomial on either side of the breakpoint nearest the row's voltage.

    The row publishes its distance `s` from that breakpoint, the curve's value there, and the coefficients
    below and above it; a device evaluates the piece that its own voltage s - column falls in. Exact,
    corners included, while the column stays within half of the shortest piece.
    """

    @property
    def pieces(self) -> PiecewisePolynomial:
        """The curve, which is piecewise here."""
        if not isinstance(self.curve, PiecewisePolynomial):
            raise TypeError("a window needs a piecewise polynomial")
        return self.curve

    @property
    def reach_v(self) -> float:
        """Half of the shortest piece: beyond it a device could need a third piece."""
        return float(np.diff(self.pieces.breakpoints).min()) / 2

    def row_lines(self, row: CrossbarRow) -> Iterator[str]:
        """Nodes `s` (volts), `k0` (value), `lo<m>` and `up<m>` (coefficient of the m-th power below and above)."""
        knots = self.pieces.breakpoints
        edges = (knots[1:] + knots[:-1]) / 2
        volts = f"v({row.node})"
        yield from self._held("s", row, f"{volts}-{_select(volts, edges, knots)}")
        for name, values in _taylor_at_breakpoints(self.pieces).items():
            yield from self._held(name, row, _select(volts, edges, values))

    def device(self, placed: Placed) -> str:
        """scale_a * (k0 + y * (below or above)(y)), y = s - limited column voltage (see column_sense.cir)."""
        row = placed.row
        distance = f"v({self._node('s', row)},{sense_node(row.layer, placed.pair, placed.sign)})"
        sides = [self._horner(side, row, distance) for side in ("lo", "up")]
        value = f"v({self._node('k0', row)})+{distance}*({distance}<0?{sides[0]}:{sides[1]})"
        return self._source(placed, value)

    def _horner(self, side: str, row: CrossbarRow, distance: str) -> str:
        degree = self.pieces.coefficients.shape[1] - 1
        text = f"v({self._node(f'{side}{degree}', row)})"
        for power in range(degree - 1, 0, -1):
            text = f"(v({self._node(f'{side}{power}', row)})+{distance}*{text})"
        return text


@dataclass(frozen=True)
class FullCell(Cell):
    """The whole curve in every device: exact everywhere, and slow. `devices.lib` holds it as a function."""

    def row_lines(self, row: CrossbarRow) -> Iterator[str]:
        """Nothing is shared."""
        del row
        yield from ()

    def device(self, placed: Placed) -> str:
        """scale_a * phi(row - column - shift)."""
        volts = f"v({','.join(placed.ends)})"
        argument = f"{volts}-({spice_number(placed.shift_v)})" if placed.shift_v else volts
        return self._source(placed, f"{self.function}({argument})")

    def written_out(self, placed: Placed) -> str:
        """The same with the curve in it."""
        return self._source(placed, self.curve.spice(f"v({','.join(placed.ends)})"))

    @property
    def function(self) -> str:
        """Name of the curve's function."""
        return f"phi{self.index}"

    @property
    def definition(self) -> str:
        """The curve as a SPICE function."""
        return f".func {self.function}(x) {{{self.curve.spice('x')}}}"


@dataclass(frozen=True)
class ResistorCell(Cell):
    """A resistor: exact everywhere."""

    def row_lines(self, row: CrossbarRow) -> Iterator[str]:
        """Nothing is shared."""
        del row
        yield from ()

    def device(self, placed: Placed) -> str:
        """1 / (scale_a * slope) ohm."""
        return f"R{self._name(placed)} {' '.join(placed.ends)} {spice_number(1 / (placed.scale_a * self._slope))}"

    @property
    def _slope(self) -> float:
        if not is_resistance(self.curve):
            raise TypeError("a resistor needs a straight line through 0 V")
        return float(self.curve.coefficients[0, 1])


def choose_cells(curves: Sequence[Curve], crossbar: Crossbar, fidelity: Fidelity, *, full: bool) -> tuple[Cell, ...]:
    """The cells of the device types that a crossbar has; `full` forces the whole curve into every device."""
    return tuple(_choose_cell(place, curves[place], crossbar, fidelity, full) for place in crossbar.types.tolist())


def _choose_cell(index: int, curve: Curve, crossbar: Crossbar, fidelity: Fidelity, full: bool) -> Cell:
    if fidelity == "shared":
        check_shared(crossbar)
    leaves_out_columns = fidelity == "shared" and not crossbar.sees_rows_only
    rises = is_resistance(curve) and curve.coefficients[0, 1] > 0
    if rises and not leaves_out_columns and not crossbar.shift_v[:, :, index].any():
        return ResistorCell(index, curve)
    if fidelity == "shared":
        return SharedCell(index, curve)
    if crossbar.sees_rows_only:
        return TangentCell(index, curve)
    if not full and not crossbar.has_own_voltages and _window_fits(curve, crossbar):
        return WindowCell(index, curve)
    return FullCell(index, curve)


def _window_fits(curve: Curve, crossbar: Crossbar) -> bool:
    if not isinstance(curve, PiecewisePolynomial) or curve.coefficients.shape[1] - 1 > _WINDOW_DEGREE:
        return False
    expected_v = crossbar.column_swing_v / crossbar.open_loop_gain + float(np.abs(crossbar.offset_v).max())
    return WindowCell(0, curve).reach_v >= _WINDOW_MARGIN * expected_v


def _taylor_at_breakpoints(curve: PiecewisePolynomial) -> dict[str, Array]:
    """Per breakpoint: the value `k0`, and the coefficients in powers of (v - breakpoint) below and above it."""
    degree = curve.coefficients.shape[1] - 1
    widths = np.diff(curve.breakpoints)
    ends = np.array([_shifted(piece, width) for piece, width in zip(curve.coefficients, widths, strict=True)])
    constant = np.zeros((1, degree + 1))
    above = np.vstack([curve.coefficients, constant])
    below = np.vstack([constant, ends])
    values = {"k0": np.append(curve.coefficients[:, 0], ends[-1, 0])}
    for side, table in (("lo", below), ("up", above)):
        values |= {f"{side}{power}": table[:, power] for power in range(1, degree + 1)}
    return values


def _shifted(coefficients: Array, by: float) -> Array:
    """Coefficients in powers of x of a polynomial given in powers of (x + by)."""
    shifted = np.polynomial.Polynomial(coefficients)(np.polynomial.Polynomial([by, 1.0])).coef
    return np.pad(shifted, (0, len(coefficients) - len(shifted)))


def _select(argument: str, edges: Array, values: Array) -> str:
    """values[m] for the m-th interval between the edges, as balanced nested conditions."""
    if len(values) == 1 or np.all(values == values[0]):
        return f"({spice_literal(values[0])})"
    middle = len(values) // 2
    low = _select(argument, edges[: middle - 1], values[:middle])
    high = _select(argument, edges[middle:], values[middle:])
    return f"({argument}<{spice_literal(edges[middle - 1])}?{low}:{high})"
