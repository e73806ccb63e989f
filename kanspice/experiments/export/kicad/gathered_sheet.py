"""Where all that is gathered on a net lies: rungs in strips, the amplifier to their right, below them what tests it.

Units are 1.27 mm, y downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kanspice.base.errors import InputError
from kanspice.experiments.export.kicad.drawing import Drawing, Spot
from kanspice.experiments.export.kicad.excerpt import GROUND
from kanspice.experiments.export.kicad.gathered import Gathered
from kanspice.experiments.export.kicad.parts import (
    Capacitor,
    Component,
)
from kanspice.experiments.export.kicad.placing import (
    ABOVE_AND_BELOW,
    BESIDE,
    BY_THE_WIRE,
    CORNERS,
    FARTHER,
    MARGIN,
    PAPERS_MM,
    SUPPLIES,
    new_sheet,
    put,
    put_directives,
    put_supplies,
    titled,
)
from kanspice.experiments.export.kicad.symbols import GRID_MM, SYMBOLS

_BUS, _FIRST_RUNG = 48, 54
_PITCH, _STRIP = 7, 27
_READABLE = 8
"""Rungs that a strip has before another is begun."""
_LANE = 5
"""Right of a strip, where its column goes up again."""
_AMPLIFIER = 66
"""Right of the last strip."""
_BENCH_HEIGHT, _SOURCE_PITCH = 28, 10
_BELOW = 34
"""For the title block."""
_LEAST_BELOW_BUS = 52
"""For what stands below the amplifier."""
_HEADING = 98
"""How wide the words above the bench may be."""
_SUPPLY = 57
"""Of the bench, for supplies and flags."""


@dataclass(frozen=True)
class Plan:
    """per_strip: rungs in a strip. per_line: sources in a line of the bench."""

    paper: str
    per_strip: int
    strips: int
    per_line: int
    lines: int

    @property
    def bench_top(self) -> int:
        """Where the bench begins."""
        return max(_FIRST_RUNG + _PITCH * self.per_strip, _BUS + _LEAST_BELOW_BUS) + 4


def planned(devices: int, drives: int) -> Plan:
    """The smallest paper that a column fits on. Raises InputError for one that fits on none."""
    for paper, (width_mm, height_mm) in PAPERS_MM.items():
        width, height = int(width_mm / GRID_MM) - 2 * MARGIN, int(height_mm / GRID_MM) - MARGIN
        per_line = (width - _SUPPLY) // _SOURCE_PITCH
        lines = -(-drives // per_line)
        room = height - _BELOW - lines * _BENCH_HEIGHT - 4
        strips = min((width - _AMPLIFIER) // _STRIP, devices)
        if strips < 1 or room < _BUS + _LEAST_BELOW_BUS:
            continue
        per_strip = -(-devices // strips)
        if per_strip * _PITCH + _FIRST_RUNG <= room:
            per_strip = max(per_strip, min(_READABLE, (room - _FIRST_RUNG) // _PITCH, devices))
            strips = -(-devices // per_strip)
            return Plan(paper, -(-devices // strips), strips, per_line, lines)
    raise InputError(
        "this column fits on no paper",
        where="--to kicad",
        expected="a column that fits on A0",
        found=f"{devices} devices",
    )


def gathered_sheet(found: Gathered, name: str, company: str, sample: str) -> Drawing:
    """The sheet of a column, or of a node. name: of the file. sample: which inputs drive it, in words."""
    plan = planned(len(found.devices), len(found.drives))
    sheet = new_sheet(found, plan.paper, name, company, sample)
    titled(sheet, found, found.about)
    _amplifier(sheet, found, _strips(sheet, found, plan))
    _bench(sheet, found, plan, sample)
    return sheet


def _strips(sheet: Drawing, found: Gathered, plan: Plan) -> int:
    """The rungs in strips, and what joins their columns; where the bus leaves them.

    Strips of one net hang on a bus side by side. With wires in between they are one chain: down a strip, up again
    beside it, and down the next.
    """
    wires = {rung.parts[-1].reference: rung.wire for rung in found.rungs if rung.wire is not None}
    outers = {part.reference: rung.outer for rung in found.rungs for part in rung.parts}
    x = 0
    for strip in range(plan.strips):
        x = MARGIN + _STRIP * (strip + 1)
        members = found.devices[strip * plan.per_strip : (strip + 1) * plan.per_strip]
        sheet.wire(*([(x, _BUS)] if strip or not wires else []), (x, _FIRST_RUNG))
        for place, part in enumerate(members):
            at, before = (x, _FIRST_RUNG + _PITCH * place), members[place - 1] if place else None
            outer = outers[part.reference]
            _rung(sheet, part, at, outer, is_first=before is None or outers[before.reference] != outer)
            _down(sheet, at, wires.get(part.reference), goes_on=bool(wires) or place < len(members) - 1)
            if (place or strip or not wires) and (wires or place < len(members) - 1):
                sheet.junction(at)
        if wires:
            end, lane = _FIRST_RUNG + _PITCH * len(members), x + _LANE
            sheet.wire((x, end), (lane, end), (lane, _BUS))
            if strip < plan.strips - 1:
                sheet.wire((lane, _BUS), (x + _STRIP, _BUS))
        elif strip:
            sheet.wire((x - _STRIP, _BUS), (x, _BUS))
            sheet.junction((x, _BUS))
    return x + _LANE if wires else x


def _down(sheet: Drawing, at: Spot, wire: Component | None, *, goes_on: bool) -> None:
    """The column from a rung to the next."""
    x, y = at
    if wire is not None:
        placed = put(sheet, wire, (x, y + _PITCH / 2), BY_THE_WIRE)
        sheet.wire(at, placed.pin("1"))
        sheet.wire(placed.pin("2"), (x, y + _PITCH))
    elif goes_on:
        sheet.wire(at, (x, y + _PITCH))


def _rung(sheet: Drawing, part: Component, at: Spot, outer: str, *, is_first: bool) -> None:
    """A device: to its left its other net's flag, or a wire to the device above, to its right the net of all."""
    x, y = at
    left, right = put(sheet, part, (x - 6, y), ABOVE_AND_BELOW).across
    joint = (x - 11.0, y)
    sheet.wire(joint, left)
    sheet.wire(right, at)
    if not is_first:
        sheet.wire((joint[0], y - _PITCH), joint)
        sheet.junction((joint[0], y - _PITCH))
    elif outer == GROUND:
        sheet.wire((x - 15, y), joint)
        sheet.power(SYMBOLS["GND"], (x - 15, y))
    else:
        sheet.wire((x - 12, y), joint)
        sheet.flag(outer, (x - 12, y), 180, "input")


def _amplifier(sheet: Drawing, found: Gathered, x: int) -> None:
    """To the right of the last column: the reference's current, the op-amp, its feedback, and the output's flag."""
    amplifier = put(sheet, found.amplifier, (x + 36, _BUS + 2), CORNERS)
    minus, plus, output = amplifier.pin("2"), amplifier.pin("1"), amplifier.pin("5")
    corners = [x + 16, x + 26] if found.hanging else [x + 26]
    sheet.wire((x, _BUS), *((corner, _BUS) for corner in corners), minus)
    sheet.label(found.net, (x + 3, _BUS))
    if found.hanging is not None:
        sheet.junction((x + 16, _BUS))
        _hang(sheet, found.hanging, (x + 16, _BUS))
    sheet.junction((x + 26, _BUS))
    end = (x + 46, output[1])
    sheet.wire(output, end)
    sheet.junction(end)
    levels = [(found.feedback, _BUS - 12)]
    if found.feedback_capacitor is not None:
        levels.append((found.feedback_capacitor, _BUS - 19))
    below = _BUS
    for part, y in levels:
        captions = FARTHER if isinstance(part.model, Capacitor) else ABOVE_AND_BELOW
        placed = put(sheet, part, (x + 36, y), captions)
        sheet.wire((x + 26, below), (x + 26, y), placed.pin("1"))
        sheet.wire(placed.pin("2"), (end[0], y), (end[0], end[1] if below == _BUS else below))
        if below != _BUS:
            sheet.junction((x + 26, below))
            sheet.junction((end[0], below))
        below = y
    sheet.wire(end, (end[0] + 5, end[1]))
    sheet.flag(found.output, (end[0] + 5, end[1]), 0, "output")
    sheet.wire(plus, (plus[0], plus[1] + 3))
    held = found.amplifier.nets[0]
    if held == GROUND:
        sheet.power(SYMBOLS["GND"], (plus[0], plus[1] + 3))
    else:
        sheet.flag(held, (plus[0], plus[1] + 3), 270, "input")
    sheet.power(SYMBOLS["VCC"], amplifier.pin("3"))
    sheet.power(SYMBOLS["VEE"], amplifier.pin("4"))
    _notes(sheet, found, (x + 16, _BUS + 26))


def _hang(sheet: Drawing, part: Component, at: Spot) -> None:
    """What is between the net and ground."""
    x, y = at
    upper, lower = put(sheet, part, (x, y + 8), BESIDE, is_standing=True).downwards
    sheet.wire(at, upper)
    sheet.power(SYMBOLS["GND"], lower)


def _notes(sheet: Drawing, found: Gathered, at: Spot) -> None:
    for place, text in enumerate(found.notes):
        sheet.text(text, (at[0], at[1] + 3 * place), 1.5)


def _bench(sheet: Drawing, found: Gathered, plan: Plan, sample: str) -> None:
    """The sources of the rows, in lines whose other ends are ground; then the supplies, and what says that they are."""
    top = plan.bench_top
    sheet.text(f"Bench, no part of the board: {found.given} in {sample}", (MARGIN, top + 2), 1.8)
    for line in range(plan.lines):
        members = found.drives[line * plan.per_line : (line + 1) * plan.per_line]
        y = top + 18 + _BENCH_HEIGHT * line
        xs = [MARGIN + 4 + _SOURCE_PITCH * place for place in range(len(members))]
        for x, part in zip(xs, members, strict=True):
            placed = put(sheet, part, (x, y), BESIDE)
            sheet.flag(part.nets[0], placed.pin("1"), 90, "output")
        _grounded(sheet, [(x, y + 4) for x in xs])
    supplies_at = MARGIN + 15 + _SOURCE_PITCH * min(plan.per_line, len(found.drives))
    put_supplies(sheet, found, (supplies_at, top + 18))
    said_at = max(supplies_at - 6, MARGIN + _HEADING)
    put_directives(sheet, found, (said_at, top + 1))
    right = max(supplies_at, said_at + 6) + SUPPLIES
    sheet.frame((MARGIN - 2, top - 2), (right, top + 2 + _BENCH_HEIGHT * plan.lines))


def _grounded(sheet: Drawing, ends: Sequence[Spot]) -> None:
    """Joins ends on one level, and grounds them."""
    lower = [(x, y + 2) for x, y in ends]
    for end, below in zip(ends, lower, strict=True):
        sheet.wire(end, below)
    sheet.wire(*lower)
    for below in lower[1:-1] if len(lower) > 1 else []:
        sheet.junction(below)
    if len(lower) > 1:
        sheet.junction(lower[0])
    sheet.wire(lower[0], (lower[0][0], lower[0][1] + 2))
    sheet.power(SYMBOLS["GND"], (lower[0][0], lower[0][1] + 2))
