"""Where everything of a filter lies: from left to right as the signal goes, and below what tests it.

Units are 1.27 mm, y downwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from kanspice.experiments.export.kicad.drawing import Drawing, Spot
from kanspice.experiments.export.kicad.filter import FilterPath
from kanspice.experiments.export.kicad.parts import Capacitor, Component, Resistor, engineering
from kanspice.experiments.export.kicad.placing import (
    ABOVE_AND_BELOW,
    BESIDE,
    CORNERS,
    FARTHER,
    MARGIN,
    SUPPLIES,
    Captions,
    new_sheet,
    put,
    put_directives,
    put_supplies,
    titled,
)
from kanspice.experiments.export.kicad.symbols import SYMBOLS

_SIGNAL, _BEGIN, _PASS = 58, MARGIN + 14, 42
"""Where the signal goes, where it begins, and how far it is from one pass to the next."""
_BENCH = _SIGNAL + 44


def filter_sheet(path: FilterPath, name: str, company: str, sample: str) -> Drawing:
    """The sheet of a filter. name: of the file. sample: which inputs drive it, in words."""
    sheet = new_sheet(path, "A4", name, company, sample)
    titled(sheet, path, f"The sine of its row, {path.sine.nets[0]}, becomes what its detector sees, {path.output}.")
    high_f, high_ohm, first, low_ohm, low_f, second, *last = path.network
    start = (_BEGIN, _SIGNAL)
    sheet.flag(path.sine.nets[0], start, 180, "input")
    after_first = _pass(sheet, (high_f, high_ohm, first), start)
    after_second = _pass(sheet, (low_ohm, low_f, second), after_first)
    _gain(sheet, path, last, after_second)
    for place, text in enumerate(_said(path)):
        sheet.text(text, (_BEGIN + 4, _SIGNAL + 24 + 3 * place), 1.5)
    _bench(sheet, path, sample)
    return sheet


def _pass(sheet: Drawing, parts: tuple[Component, Component, Component], at: Spot) -> Spot:
    """A pass: what is in series, what is from there to ground, and the follower; where its output is."""
    series, shunt, follower = parts
    x, y = at
    placed = put(sheet, series, (x + 8, y), _captions(series))
    sheet.wire(at, placed.pin("1"))
    joint = (x + 16, y)
    grounded = put(sheet, shunt, (joint[0], y + 7), BESIDE, is_standing=True)
    sheet.wire(joint, grounded.pin("1"))
    sheet.power(SYMBOLS["GND"], grounded.pin("2"))
    amplifier = put(sheet, follower, (x + 30, y - 2), CORNERS)
    sheet.wire(placed.pin("2"), joint, amplifier.pin("1"))
    sheet.junction(joint)
    (out_x, out_y), (minus_x, minus_y) = amplifier.pin("5"), amplifier.pin("2")
    corner = (out_x + 2, out_y)
    sheet.wire((out_x, out_y), corner, (corner[0], y - 13), (minus_x - 2, y - 13), (minus_x - 2, minus_y))
    sheet.wire((minus_x - 2, minus_y), (minus_x, minus_y))
    sheet.junction(corner)
    _supplied(sheet, amplifier.pin("3"), amplifier.pin("4"))
    end = (x + _PASS, y)
    sheet.wire(corner, (end[0], out_y), end)
    return end


def _gain(sheet: Drawing, path: FilterPath, parts: list[Component], at: Spot) -> None:
    """The inverting amplifier and the output's flag."""
    first, feedback, op_amp = parts
    x, y = at
    placed = put(sheet, first, (x + 8, y), ABOVE_AND_BELOW)
    joint = (x + 16, y)
    amplifier = put(sheet, op_amp, (x + 30, y + 2), CORNERS)
    sheet.wire(at, placed.pin("1"))
    sheet.wire(placed.pin("2"), joint, amplifier.pin("2"))
    sheet.junction(joint)
    back = put(sheet, feedback, (x + 30, y - 11), ABOVE_AND_BELOW)
    output = amplifier.pin("5")
    end = (output[0] + 4, output[1])
    sheet.wire(joint, (joint[0], y - 11), back.pin("1"))
    sheet.wire(back.pin("2"), (end[0], y - 11), end)
    sheet.wire(output, end, (end[0] + 5, end[1]))
    sheet.junction(end)
    sheet.flag(path.output, (end[0] + 5, end[1]), 0, "output")
    plus = amplifier.pin("1")
    sheet.wire(plus, (plus[0], plus[1] + 3))
    sheet.power(SYMBOLS["GND"], (plus[0], plus[1] + 3))
    _supplied(sheet, amplifier.pin("3"), amplifier.pin("4"))


def _bench(sheet: Drawing, path: FilterPath, sample: str) -> None:
    sheet.text(f"Bench, no part of the board: the row's sine in {sample}", (MARGIN, _BENCH + 2), 1.8)
    placed = put(sheet, path.sine, (MARGIN + 8, _BENCH + 18), BESIDE)
    sheet.flag(path.sine.nets[0], placed.pin("1"), 90, "output")
    sheet.power(SYMBOLS["GND"], placed.pin("2"))
    at = MARGIN + 38
    put_supplies(sheet, path, (at, _BENCH + 18))
    put_directives(sheet, path, (at + 26, _BENCH + 1))
    sheet.frame((MARGIN - 2, _BENCH - 2), (at + SUPPLIES + 26, _BENCH + 28))


def _supplied(sheet: Drawing, upper: Spot, lower: Spot) -> None:
    sheet.power(SYMBOLS["VCC"], upper)
    sheet.power(SYMBOLS["VEE"], lower)


def _captions(part: Component) -> Captions:
    return FARTHER if isinstance(part.model, Capacitor) else ABOVE_AND_BELOW


def _said(path: FilterPath) -> Iterator[str]:
    high_f, high_ohm, _, low_ohm, low_f, _, first, feedback, _ = (part.model for part in path.network)
    for what, ohm, farads in (("high-pass", high_ohm, high_f), ("low-pass", low_ohm, low_f)):
        if isinstance(ohm, Resistor) and isinstance(farads, Capacitor):
            yield f"{what}: cut-off at {engineering(1 / (2 * math.pi * ohm.ohm * farads.farads))}Hz"
    if isinstance(first, Resistor) and isinstance(feedback, Resistor):
        yield f"gain: {feedback.ohm / first.ohm:.4g}"
    yield f"{path.measured} is to be {path.expected_v:.9g} V"
