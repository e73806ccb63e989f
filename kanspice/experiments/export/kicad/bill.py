"""The bill of materials of a sheet: what a board needs, in standard values, and how many of each."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from kanspice.experiments.export.kicad.excerpt import Excerpt
from kanspice.experiments.export.kicad.models import OpAmpModel, PoleModel
from kanspice.experiments.export.kicad.parts import (
    BranchModel,
    Capacitor,
    Component,
    CurrentSource,
    CurveDevice,
    OpAmp,
    Resistor,
    SineSource,
    VoltageSource,
    Wire,
    engineering,
    shown,
)

_HEADER = ("references", "quantity", "part", "value", "exactly", "remark")


@dataclass(frozen=True)
class Row:
    """Parts that are alike. least, most: what they should be exactly, in ohms, farads or reference devices."""

    references: tuple[str, ...]
    part: str
    value: str
    least: float
    most: float
    remark: str


def bill_text(excerpt: Excerpt) -> str:
    """As a table with commas between."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_HEADER)
    for row in bill(excerpt):
        exactly = "" if math.isnan(row.least) else _exactly(row.least, row.most)
        table.writerow((" ".join(row.references), len(row.references), row.part, row.value, exactly, row.remark))
    return text.getvalue()


def bill(excerpt: Excerpt) -> list[Row]:
    """A row for parts of the same kind and value, in the order of the first of them."""
    found: dict[tuple[str, str, str], list[tuple[str, float]]] = {}
    for part in excerpt.built:
        if isinstance(part.model, CurrentSource) and math.isinf(part.model.ohm):
            continue  # what the amplifier's input takes
        part_name, value, exactly, remark = _entry(part)
        found.setdefault((part_name, value, remark), []).append((part.reference, exactly))
    return [_row(key, members) for key, members in found.items()]


def _row(key: tuple[str, str, str], members: Sequence[tuple[str, float]]) -> Row:
    (part, value, remark), exact = key, [exactly for _, exactly in members]
    return Row(tuple(reference for reference, _ in members), part, value, min(exact), max(exact), remark)


def _entry(part: Component) -> tuple[str, str, float, str]:
    """What it is called, its value to buy, what it should be, and a remark."""
    model = part.model
    match model:
        case Resistor():
            return "resistor, E96", shown(model), model.ohm, ""
        case Capacitor():
            return "capacitor, E24", shown(model), model.farads, ""
        case CurrentSource():
            remark = f"from {model.rail} to the column, instead of {part.reference}"
            return "resistor, E96", shown(Resistor(model.ohm)), model.ohm, remark
        case CurveDevice():
            return f"device {model.subcircuit}", "", model.area, "exactly: areas in reference devices, as on the sheet"
        case BranchModel():
            amps = dict(model.values)["amps"]
            return f"branch {model.subcircuit.removeprefix('branch_')}", "", amps, "exactly: largest currents, amps"
        case OpAmp():
            return "op-amp", "", math.nan, ", ".join(_said(model))
        case VoltageSource() | SineSource() | Wire():
            raise ValueError(f"{part.reference} is no part of a board")
        case _:
            assert_never(model)


def _said(op_amp: OpAmp) -> Iterator[str]:
    model = op_amp.model
    match model:
        case OpAmpModel():
            yield "infinite gain" if math.isinf(model.gain) else f"gain {model.gain:g}"
            yield f"offset {engineering(model.offset_v)}V"
        case PoleModel():
            yield "ideal" if math.isinf(model.gbw_hz) else f"gain-bandwidth product {engineering(model.gbw_hz)}Hz"
        case _:
            assert_never(model)


def _exactly(least: float, most: float) -> str:
    ends: Iterable[float] = dict.fromkeys((least, most))
    return " to ".join(f"{end:.6g}" for end in ends)
