"""Symbols of a sheet, in units of 1.27 mm with y upwards: what KiCad has in its own libraries, drawn for kanspice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kanspice.experiments.export.kicad.expressions import Node, Text, form

GRID_MM = 1.27
LIBRARY = "kanspice"
Point = tuple[float, float]
TEXT_MM = 1.27
SMALL_MM = 1.0


@dataclass(frozen=True)
class Pin:
    """at: its free end. angle: from there to the body, degrees."""

    number: str
    name: str
    at: Point
    angle: int
    length: float
    kind: str = "passive"
    is_hidden: bool = False

    @property
    def node(self) -> Node:
        x, y = (part * GRID_MM for part in self.at)
        hidden: tuple[Node, ...] = ("hide",) if self.is_hidden else ()
        place = form("at", x, y, self.angle), form("length", self.length * GRID_MM)
        names = form("name", Text(self.name), font()), form("number", Text(self.number), font())
        return form("pin", self.kind, "line", *place, *hidden, *names)


@dataclass(frozen=True)
class Symbol:
    """shapes: its drawing. is_power: its net is called what its pin is."""

    name: str
    letter: str
    about: str
    pins: tuple[Pin, ...]
    shapes: tuple[Node, ...]
    is_power: bool = False

    def node(self, name: str) -> Node:
        """As libraries and sheets have it, called `name`."""
        hidden, on_board = font(TEXT_MM, "hide"), "no" if self.letter.startswith("#") else "yes"
        texts = {"Reference": self.letter, "Value": self.name, "Footprint": "", "Datasheet": ""}
        texts["ki_description"] = self.about
        return form(
            "symbol",
            Text(name),
            *((form("power"),) if self.is_power else ()),
            form("pin_numbers", "hide"),
            form("pin_names", form("offset", 0), "hide"),
            form("in_bom", on_board),
            form("on_board", on_board),
            *(
                form("property", Text(key), Text(value), form("id", place), form("at", 0, 0, 0), hidden)
                for place, (key, value) in enumerate(texts.items())
            ),
            form("symbol", Text(f"{self.name}_0_1"), *self.shapes),
            form("symbol", Text(f"{self.name}_1_1"), *(pin.node for pin in self.pins)),
        )


def font(size_mm: float = TEXT_MM, *words: Node) -> Node:
    """Of a text."""
    return form("effects", form("font", form("size", size_mm, size_mm)), *words)


def line(*points: Point, width: float = 0.254, fill: str = "none") -> Node:
    """Through points."""
    corners = [form("xy", x * GRID_MM, y * GRID_MM) for x, y in points]
    return form("polyline", form("pts", *corners), _stroke(width), form("fill", form("type", fill)))


def circle(radius: float) -> Node:
    """Around the middle."""
    return form(
        "circle",
        form("center", 0, 0),
        form("radius", radius * GRID_MM),
        _stroke(0.254),
        form("fill", form("type", "background")),
    )


def rectangle(width: float, height: float) -> Node:
    """Around the middle."""
    half = width / 2 * GRID_MM, height / 2 * GRID_MM
    corners = [form("start", -half[0], half[1]), form("end", half[0], -half[1])]
    return form("rectangle", *corners, _stroke(0.254), form("fill", form("type", "background")))


def _stroke(width: float) -> Node:
    return form("stroke", form("width", width), form("type", "default"), form("color", 0, 0, 0, 0))


def _lying(first: str, second: str, length: float) -> tuple[Pin, ...]:
    return Pin("1", first, (-4, 0), 0, length), Pin("2", second, (4, 0), 180, length)


def _standing(upper: str, lower: str) -> tuple[Pin, ...]:
    """Pin 1 is `+`."""
    upper_number, lower_number = ("1", "2") if upper == "+" else ("2", "1")
    return Pin(upper_number, upper, (0, 4), 270, 2), Pin(lower_number, lower, (0, -4), 90, 2)


def _down(length: float) -> tuple[Pin, ...]:
    return Pin("1", "~", (0, 4), 270, length), Pin("2", "~", (0, -4), 90, length)


def _power(name: str, shapes: Sequence[Node], angle: int) -> Symbol:
    pin = Pin("1", name, (0, 0), angle, 0, "power_in", is_hidden=True)
    return Symbol(name, "#PWR", f"power net {name}", (pin,), tuple(shapes), is_power=True)


_UP = line((0, 0), (0, 1.5), width=0), line((-0.75, 0.9), (0, 2), (0.75, 0.9), width=0)
_DOWN = line((0, 0), (0, -1.5), width=0), line((-0.75, -0.9), (0, -2), (0.75, -0.9), width=0)
_GROUND = line((0, 0), (0, -1), (1, -1), (0, -2), (-1, -1), (0, -1), width=0)
_FLAG = line((0, 0), (0, 1), (-0.8, 1.5), (0, 2), (0.8, 1.5), (0, 1), width=0)

RESISTOR = Symbol("R", "R", "resistor", _lying("~", "~", 2), (rectangle(4, 1.6),))
RESISTOR_DOWN = Symbol("R_down", "R", "resistor", _down(2), (rectangle(1.6, 4),))
WIRE = Symbol(
    *("WIRE", "RW", "resistance of a wire"),
    (Pin("1", "~", (0, 1.5), 270, 0.5), Pin("2", "~", (0, -1.5), 90, 0.5)),
    (rectangle(0.8, 2),),
)
CAPACITOR = Symbol(
    *("C", "C", "capacitor", _lying("~", "~", 3.6)),
    (line((-0.4, 1.6), (-0.4, -1.6), width=0.4), line((0.4, 1.6), (0.4, -1.6), width=0.4)),
)
CAPACITOR_DOWN = Symbol(
    *("C_down", "C", "capacitor", _down(3.6)),
    (line((-1.6, 0.4), (1.6, 0.4), width=0.4), line((-1.6, -0.4), (1.6, -0.4), width=0.4)),
)
CURVE = Symbol(
    *("NDR", "X", "device with a measured current-voltage curve", _lying("a", "k", 2)),
    (rectangle(4, 2.4), line((-1.5, -0.9), (-0.7, 0.8), (0.3, -0.5), (1.5, 0.9), width=0.2)),
)
_LAW = line((-1.2, -0.6), (-0.5, -0.5), (0.5, 0.5), (1.2, 0.6), width=0.2)
BRANCH_IN = Symbol(
    *("BRANCH_IN", "X", "branch: its current flows from s to d", _lying("s", "d", 2)),
    (rectangle(4, 2.4), _LAW, line((1.4, 0.9), (1.9, 0), (1.4, -0.9), width=0.2)),
)
BRANCH_OUT = Symbol(
    *("BRANCH_OUT", "X", "branch: its current flows from s to d"),
    (Pin("2", "d", (-4, 0), 0, 2), Pin("1", "s", (4, 0), 180, 2)),
    (rectangle(4, 2.4), _LAW, line((-1.4, 0.9), (-1.9, 0), (-1.4, -0.9), width=0.2)),
)
VOLTAGE = Symbol(
    *("V", "V", "voltage source", _standing("+", "-")),
    (
        circle(2),
        line((0, 1.4), (0, 0.4), width=0.2),
        line((-0.5, 0.9), (0.5, 0.9), width=0.2),
        line((-0.5, -0.9), (0.5, -0.9), width=0.2),
    ),
)
CURRENT = Symbol(
    *("I", "I", "current source; a positive current goes where its arrow points", _standing("-", "+")),
    (
        circle(2),
        line((0, -1.3), (0, 1.3), width=0.2),
        line((-0.5, 0.5), (0, 1.3), (0.5, 0.5), width=0.2),
    ),
)
OP_AMP = Symbol(
    *("OPAMP", "U", "operational amplifier"),
    (
        Pin("1", "+", (-6, -2), 0, 2, "input"),
        Pin("2", "-", (-6, 2), 0, 2, "input"),
        Pin("3", "V+", (0, 5), 270, 5 - 25 / 9, "power_in"),
        Pin("4", "V-", (0, -5), 90, 5 - 25 / 9, "power_in"),
        Pin("5", "~", (7, 0), 180, 2, "output"),
    ),
    (
        line((-4, 5), (5, 0), (-4, -5), (-4, 5), fill="background"),
        line((-3.4, 2), (-2.4, 2), width=0.2),
        line((-3.4, -2), (-2.4, -2), width=0.2),
        line((-2.9, -1.5), (-2.9, -2.5), width=0.2),
    ),
)
GROUND = _power("GND", (_GROUND,), 270)
UPPER, LOWER = _power("VCC", _UP, 90), _power("VEE", _DOWN, 270)
FLAG = Symbol(
    *("PWR_FLAG", "#FLG", "says that a net is supplied"),
    (Pin("1", "pwr", (0, 0), 90, 0, "power_out", is_hidden=True),),
    (_FLAG,),
    is_power=True,
)
_ALL = (
    *(RESISTOR, RESISTOR_DOWN, WIRE, CAPACITOR, CAPACITOR_DOWN, CURVE, BRANCH_IN, BRANCH_OUT, VOLTAGE, CURRENT, OP_AMP),
    *(GROUND, UPPER, LOWER, FLAG),
)
SYMBOLS: Mapping[str, Symbol] = {symbol.name: symbol for symbol in _ALL}


def library_node() -> Node:
    """All of them, as a library."""
    head = form("version", "20211014"), form("generator", LIBRARY)
    return form("kicad_symbol_lib", *head, *(symbol.node(name) for name, symbol in SYMBOLS.items()))
