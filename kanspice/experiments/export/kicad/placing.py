"""What all sheets have: parts with their captions, and what supplies op-amps and tells a simulator what to do.

Units are 1.27 mm, y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from kanspice.experiments.export.kicad.drawing import Drawing, PlacedSymbol, Spot
from kanspice.experiments.export.kicad.excerpt import Excerpt
from kanspice.experiments.export.kicad.models import MODELS_FILE
from kanspice.experiments.export.kicad.parts import (
    BranchModel,
    Capacitor,
    Component,
    CurrentSource,
    CurveDevice,
    Model,
    OpAmp,
    Resistor,
    SineSource,
    VoltageSource,
    Wire,
    shown,
    simulation_fields,
)
from kanspice.experiments.export.kicad.symbols import SYMBOLS, Symbol

PAPERS_MM = {"A4": (297, 210), "A3": (420, 297), "A2": (594, 420), "A1": (841, 594), "A0": (1189, 841)}
"""Lying."""
MARGIN, TOP = 14, 14
SUPPLIES = 40
"""How wide supplies are."""


def titled(sheet: Drawing, excerpt: Excerpt, about: str) -> None:
    """The words at its top."""
    sheet.text(excerpt.title, (MARGIN, TOP + 3), 3.0)
    sheet.text(about, (MARGIN, TOP + 8), 1.5)


def new_sheet(excerpt: Excerpt, paper: str, name: str, company: str, sample: str) -> Drawing:
    """An empty one. name: of the file. sample: which inputs drive it, in words."""
    comments = (
        excerpt.contents,
        "values are the nearest of E96 and E24",
        f"{sample}: {excerpt.expected_v:.6g} V at {excerpt.output}",
    )
    return Drawing(name, paper, excerpt.title, comments, company)


def put_directives(sheet: Drawing, excerpt: Excerpt, at: Spot) -> None:
    """What a simulator is to do, a line each."""
    for place, text in enumerate(excerpt.directives):
        sheet.text(text, (at[0], at[1] + 2 * place))


def put_supplies(sheet: Drawing, excerpt: Excerpt, at: Spot) -> None:
    """Of the op-amp, each with the flag that tells KiCad's checks that the net is supplied; the ground's is between."""
    x, y = at
    for part, place in zip(excerpt.supplies, ((x, y), (x + 22, y)), strict=True):
        placed = put(sheet, part, place, BESIDE)
        (first_x, first_y), second = placed.pin("1"), placed.pin("2")
        sheet.wire((first_x, first_y), (first_x + 7, first_y), (first_x + 12, first_y))
        sheet.power(SYMBOLS[part.nets[0]], (first_x + 7, first_y))
        sheet.power(SYMBOLS["PWR_FLAG"], (first_x + 12, first_y))
        sheet.power(SYMBOLS["GND"], second)
    sheet.wire((x, y + 4), (x - 6, y + 4))
    sheet.power(SYMBOLS["PWR_FLAG"], (x - 6, y + 4))


@dataclass(frozen=True)
class Captions:
    """Where a symbol's reference and value stand, from its middle, and how they are justified."""

    reference: Spot
    value: Spot
    side: str


ABOVE_AND_BELOW = Captions((0, -2.1), (0, 2.1), "")
FARTHER = Captions((0, -2.7), (0, 2.7), "")
BESIDE = Captions((2.4, -0.8), (2.4, 1.0), "left")
BY_THE_WIRE = Captions((0.8, -0.8), (0.8, 0.8), "left")
CORNERS = Captions((2, -4.5), (2, 4.5), "left")


def put(sheet: Drawing, part: Component, at: Spot, captions: Captions, *, is_standing: bool = False) -> PlacedSymbol:
    """A part's symbol with its reference and its value. is_standing: of one that could lie, too."""
    x, y = at
    reference, value = ((x + dx, y + dy) for dx, dy in (captions.reference, captions.value))
    return sheet.place(
        PlacedSymbol(
            *(_symbol(part.model, is_standing=is_standing), part.reference, shown(part.model), at),
            is_built=not isinstance(part.model, VoltageSource | SineSource | Wire),
            reference_at=(reference, captions.side),
            value_at=(value, captions.side),
            fields=simulation_fields(part.model, MODELS_FILE),
        )
    )


def _symbol(model: Model, *, is_standing: bool) -> Symbol:
    match model:
        case Resistor():
            return SYMBOLS["R_down" if is_standing else "R"]
        case Wire():
            return SYMBOLS["WIRE"]
        case Capacitor():
            return SYMBOLS["C_down" if is_standing else "C"]
        case VoltageSource() | SineSource():
            return SYMBOLS["V"]
        case CurrentSource():
            return SYMBOLS["I"]
        case CurveDevice():
            return SYMBOLS["NDR"]
        case BranchModel():
            return SYMBOLS["BRANCH_OUT" if model.leaves else "BRANCH_IN"]
        case OpAmp():
            return SYMBOLS["OPAMP"]
        case _:
            assert_never(model)
