"""A sheet of KiCad 6 and newer, in units of 1.27 mm with y downwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from kanspice.experiments.export.kicad.expressions import Node, Text, form, identity, written
from kanspice.experiments.export.kicad.symbols import GRID_MM, LIBRARY, SMALL_MM, SYMBOLS, Symbol, font

_VERSION = "20211123"
"""KiCad 6.0."""
Spot = tuple[float, float]
Caption = tuple[Spot, str]
"""Where a text stands, and how it is justified."""


@dataclass(frozen=True)
class PlacedSymbol:
    """A symbol on the sheet. texts: where its reference and its value stand, and how they are justified."""

    symbol: Symbol
    reference: str
    value: str
    at: Spot
    is_built: bool = True
    reference_at: Caption | None = None
    value_at: Caption | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    def pin(self, number: str) -> Spot:
        """Where a pin's free end is."""
        x, y = next(pin.at for pin in self.symbol.pins if pin.number == number)
        return self.at[0] + x, self.at[1] - y

    @property
    def across(self) -> tuple[Spot, Spot]:
        """The ends of one that lies, from left to right."""
        first, *_, last = sorted(self.pin(pin.number) for pin in self.symbol.pins)
        return first, last

    @property
    def downwards(self) -> tuple[Spot, Spot]:
        """The ends of one that stands, from the upper to the lower."""
        first, *_, last = sorted((self.pin(pin.number) for pin in self.symbol.pins), key=lambda spot: spot[1])
        return first, last


@dataclass
class Drawing:
    """What lies on a sheet of paper. name: of the file, and what identities rest on."""

    name: str
    paper: str
    title: str
    comments: Sequence[str]
    company: str
    placed: list[PlacedSymbol] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)

    def place(self, placed: PlacedSymbol) -> PlacedSymbol:
        """Puts a symbol down."""
        self.placed.append(placed)
        return placed

    def power(self, symbol: Symbol, at: Spot) -> None:
        """Puts a power symbol down."""
        number = sum(each.symbol.letter == symbol.letter for each in self.placed) + 1
        above = symbol.pins[0].angle == 90
        caption = (at[0], at[1] + (-3 if above else 3)), ""
        self.place(
            PlacedSymbol(symbol, f"{symbol.letter}{number:02d}", symbol.name, at, is_built=False, value_at=caption)
        )

    def wire(self, *spots: Spot) -> None:
        """Straight lines from one to the next."""
        for ends in pairwise(spots):
            self._add("wire", ends, form("pts", *map(_xy, ends)), _stroke("default"))

    def junction(self, at: Spot) -> None:
        """Where more than two ends meet."""
        self._add("junction", at, _at(at), form("diameter", 0), form("color", 0, 0, 0, 0))

    def label(self, text: str, at: Spot) -> None:
        """The name of a wire's net, above the wire."""
        self._add("label", at, Text(text), _at(at, 0), font(1.27, form("justify", "left", "bottom")))

    def flag(self, text: str, at: Spot, angle: int, shape: str) -> None:
        """The same for nets that are in several places. angle: where the flag points to from the wire."""
        side = form("justify", "right" if angle in (180, 270) else "left")
        self._add("global_label", at, Text(text), form("shape", shape), _at(at, angle), font(1.27, side))

    def text(self, text: str, at: Spot, size_mm: float = 1.27) -> None:
        """Words beside the circuit, from here to the right and upwards."""
        self._add("text", at, Text(text), _at(at, 0), font(size_mm, form("justify", "left", "bottom")))

    def frame(self, first: Spot, last: Spot) -> None:
        """A dashed line around something."""
        (x1, y1), (x2, y2) = first, last
        for ends in pairwise(
            ((x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1))
        ):  # KiCad 6 has lines of two points only
            self._add("polyline", ends, form("pts", *map(_xy, ends)), _stroke("dash"))

    @property
    def written(self) -> str:
        """The file."""
        comments = [form("comment", place, Text(text)) for place, text in enumerate(self.comments, start=1)]
        used = {each.symbol.name for each in self.placed}
        sheet = form(
            "kicad_sch",
            form("version", _VERSION),
            form("generator", LIBRARY),
            form("uuid", self.identity),
            form("paper", Text(self.paper)),
            form("title_block", form("title", Text(self.title)), form("company", Text(self.company)), *comments),
            form("lib_symbols", *(SYMBOLS[name].node(f"{LIBRARY}:{name}") for name in SYMBOLS if name in used)),
            *self.items,
            *map(self._symbol, self.placed),
            form("sheet_instances", form("path", Text("/"), form("page", Text("1")))),
            form("symbol_instances", *map(self._instance, self.placed)),
        )
        return written(sheet)

    @property
    def identity(self) -> str:
        """Of the sheet."""
        return identity(self.name)

    def _add(self, head: str, at: object, *parts: Node) -> None:
        self.items.append(form(head, *parts, form("uuid", identity(self.name, head, at))))

    def _symbol(self, each: PlacedSymbol) -> Node:
        built = "yes" if each.is_built else "no"
        shown = {"Reference": each.reference_at, "Value": each.value_at}
        texts = {"Reference": each.reference, "Value": each.value, "Footprint": "", "Datasheet": "", **each.fields}
        return form(
            "symbol",
            form("lib_id", Text(f"{LIBRARY}:{each.symbol.name}")),
            _at(each.at, 0),
            form("unit", 1),
            form("in_bom", built),
            form("on_board", built),
            form("uuid", identity(self.name, each.reference)),
            *(_property(each, key, text, place, shown.get(key)) for place, (key, text) in enumerate(texts.items())),
            *(
                form("pin", Text(pin.number), form("uuid", identity(self.name, each.reference, pin.number)))
                for pin in each.symbol.pins
            ),
        )

    def _instance(self, each: PlacedSymbol) -> Node:
        path = Text(f"/{identity(self.name, each.reference)}")
        names = form("reference", Text(each.reference)), form("unit", 1), form("value", Text(each.value))
        return form("path", path, *names, form("footprint", Text("")))


def _property(each: PlacedSymbol, key: str, text: str, place: int, shown: Caption | None) -> Node:
    at, side = shown or (each.at, "")
    words: list[Node] = [form("justify", side)] if side else []
    effects = font(SMALL_MM, *words, *(() if shown else ("hide",)))
    return form("property", Text(key), Text(text), form("id", place), _at(at, 0), effects)


def _at(spot: Spot, *angle: int) -> Node:
    return form("at", *(part * GRID_MM for part in spot), *angle)


def _xy(spot: Spot) -> Node:
    return form("xy", *(part * GRID_MM for part in spot))


def _stroke(kind: str) -> Node:
    return form("stroke", form("width", 0), form("type", kind), form("color", 0, 0, 0, 0))
