"""One column of a crossbar as parts between nets: what a sheet shows, what a deck simulates, what a bill lists."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kanspice.base.errors import InputError
from kanspice.circuit import Crossbar, Design, Stage
from kanspice.devices import is_resistance
from kanspice.engine.batched.crosspoint_rows import crosspoint_rows_v
from kanspice.engine.netlist.named import device_names
from kanspice.engine.netlist.names import column_node, layer_of, stage_node, tia_node
from kanspice.engine.solution import Solution
from kanspice.experiments.export.kicad.excerpt import GROUND, LOWER, UPPER, supplies_of
from kanspice.experiments.export.kicad.gathered import Gathered, Rung
from kanspice.experiments.export.kicad.models import OP_AMP, OpAmpModel, crossbar_library
from kanspice.experiments.export.kicad.parts import (
    Capacitor,
    Component,
    CurrentSource,
    CurveDevice,
    Model,
    OpAmp,
    Resistor,
    VoltageSource,
    Wire,
    engineering,
    shown,
)
from kanspice.report.formatting import many
from kanspice.technology.standard_values import nearest


@dataclass(frozen=True)
class Place:
    """A column: layer from 1 on, output from 0 on, and which of the pair."""

    layer: int
    output: int
    sign: str

    @classmethod
    def read(cls, text: str) -> Place:
        """`1:0p` -> layer 1, output 0, the positive column. Raises InputError for anything else."""
        layer, _, column = text.partition(":")
        output, sign = column[:-1], column[-1:]
        if not (layer.isdecimal() and output.isdecimal() and sign in ("p", "n")):
            expected = "LAYER:OUTPUT and p or n, as in 1:0p: the positive column of output 0 of layer 1"
            raise InputError("no column is called that", where="--part", expected=expected, found=repr(text))
        return cls(int(layer), int(output), sign)

    def __str__(self) -> str:
        return f"{self.layer}:{self.output}{self.sign}"


@dataclass(frozen=True)
class Column(Gathered):
    """A column with its amplifier; what hangs on it is its reference current, less what the amplifier takes."""

    sign: str

    @property
    def title(self) -> str:
        layer, sign = layer_of(self.stage)[1:], SIGNS[self.sign]
        return f"Layer {layer}, output {self.output_index}: its {sign} column"

    @property
    def contents(self) -> str:
        return f"{many(len(self.devices), 'device')} and an amplifier"

    @property
    def about(self) -> str:
        held = f"Devices lead from their rows to the column {self.net}, which {self.amplifier.reference} holds near 0 V"
        return f"{held}: it turns the column's current into the voltage {self.output}."

    @property
    def notes(self) -> Iterator[str]:
        for part in self.built:
            match part.model:
                case OpAmp(model=OpAmpModel() as model):
                    gain = "infinite" if math.isinf(model.gain) else f"{model.gain:g}"
                    yield f"{part.reference}: gain {gain}, offset {engineering(model.offset_v)}V"
                case CurrentSource() as model if math.isfinite(model.ohm):
                    yield f"{part.reference} on a board: {shown(Resistor(model.ohm))} from {model.rail}"
                case Resistor() as model if part is self.feedback and nearest(np.array(model.ohm), "E96") != model.ohm:
                    yield f"{part.reference}: simulated as {model.ohm:.9g} ohm"
                case _:
                    pass
        if any(rung.outer.endswith("x") for rung in self.rungs):
            yield "rows have resistances: they are driven with what they have where they cross this column"
        yield f"expected at {self.output}: {self.expected_v:.9g} V"

    @property
    def given(self) -> str:
        return "the rows' voltages"

    @property
    def built(self) -> Iterator[Component]:
        yield from self.devices
        yield from filter(None, (self.hanging, self.feedback, self.feedback_capacitor))
        yield self.amplifier

    @property
    def driven_by(self) -> Iterator[Component]:
        yield from (rung.wire for rung in self.rungs if rung.wire is not None)
        yield from self.drives


SIGNS = {"p": "positive", "n": "negative"}


def first_place(design: Design) -> Place:
    """The first column that has a device. Raises InputError for a circuit that has no columns."""
    for crossbar in _crossbars(design):
        used = np.flatnonzero(crossbar.column_area.any(axis=(0, 2)))
        if used.size:
            output, which = divmod(int(used[0]), 2)
            return Place(int(layer_of(crossbar.name)[1:]), output, "pn"[which])
    raise InputError("no column of this circuit has a device", where="--to kicad")


def column_of(design: Design, place: Place, solution: Solution) -> Column:
    """The column at a place, in the first sample of a solution of the design.

    Rows with a resistance of their own are driven by the voltages that they have where they cross this column, which
    depend on all others. Raises InputError where there is no such column.
    """
    before, crossbar, layer = *_stage_of(design, place), f"l{place.layer}"
    index = 2 * place.output + "pn".index(place.sign)
    column, output = (node(layer, place.output, place.sign) for node in (column_node, tia_node))
    crossing_v = crosspoint_rows_v(design, crossbar, solution.stage_v[before.name][:1])[0, :, index]
    rows = list(_Rungs(design, crossbar, before, index, column, device_names(design.devices)).all())
    rungs = tuple(rung for _, rung in rows)
    if not rungs:
        raise InputError("this column has no device", where=f"--part {place}")
    drives = tuple(
        Component(f"V{number}", (rung.outer, GROUND), VoltageSource(float(crossing_v[row])))
        for number, (row, rung) in enumerate(rows, start=1)
    )
    ohm, farads = float(crossbar.feedback_ohm[index]), float(crossbar.feedback_f[index])
    resistors = sum(isinstance(part.model, Resistor) for rung in rungs for part in rung.parts)
    op_amp = OpAmp(OP_AMP, _op_amp(crossbar, index))
    return Column(
        stage=crossbar.name,
        place=str(place),
        output=output,
        output_index=place.output,
        expected_v=_expected_v(crossbar, index, solution),
        supplies=supplies_of(crossbar.rail_v, len(drives)),
        models=crossbar_library(design, crossbar),
        sign=place.sign,
        net=column,
        rungs=rungs,
        drives=drives,
        hanging=_bias(design, crossbar, index, column),
        feedback=Component(f"R{resistors + 1}", (column, output), Resistor(ohm)),
        feedback_capacitor=Component("C1", (column, output), Capacitor(farads)) if farads > 0 else None,
        amplifier=Component("U1", (GROUND, column, UPPER, LOWER, output), op_amp),
    )


def _crossbars(design: Design) -> tuple[Crossbar, ...]:
    if not design.crossbars:
        found = design.tiles[0].name if design.tiles else f"a circuit of {design.sort.name.lower()}"
        expected = "crossbars, of which a column becomes the sheet, filters, or periods, of which a node does"
        raise InputError("this circuit has no column to draw", where="--to kicad", expected=expected, found=found)
    return design.crossbars


def _stage_of(design: Design, place: Place) -> tuple[Stage, Crossbar]:
    known = {crossbar.name: (before, crossbar) for before, crossbar in design.driven_crossbars}
    _crossbars(design)
    if f"l{place.layer}.crossbar" not in known:
        raise InputError("there is no such layer", where=f"--part {place}", expected=f"one of {', '.join(known)}")
    before, crossbar = known[f"l{place.layer}.crossbar"]
    if place.output >= crossbar.width:
        expected = f"outputs 0 to {crossbar.width - 1} of {crossbar.name}"
        raise InputError("there is no such column", where=f"--part {place}", expected=expected)
    return before, crossbar


@dataclass(frozen=True)
class _Rungs:
    """Makes the rungs of a column. index: of the column among all of the crossbar. before: what drives the rows."""

    design: Design
    crossbar: Crossbar
    before: Stage
    index: int
    column: str
    names: Sequence[str]

    def all(self) -> Iterator[tuple[int, Rung]]:
        """Rows that have a device here, each with its rung."""
        crossbar, numbers = self.crossbar, {"R": 0, "X": 0}
        rows = np.flatnonzero(crossbar.column_area[:, self.index].any(axis=1)).tolist()
        crossing = "x" if max(crossbar.row_ohm, crossbar.driver_ohm) > 0 else ""
        has_wire = crossbar.column_ohm > 0
        ends = [f"{self.column}_{row}" if has_wire else self.column for row in rows]
        for place, (row, (end, after)) in enumerate(zip(rows, pairwise([*ends, self.column]), strict=True)):
            net, parts = stage_node(self.before.name, row) + crossing, list[Component]()
            for kind in np.flatnonzero(crossbar.column_area[row, self.index]).tolist():
                model = self._device(row, kind)
                letter = "R" if isinstance(model, Resistor) else "X"
                numbers[letter] += 1
                parts.append(Component(f"{letter}{numbers[letter]}", (net, end), model))
            segments = (rows[place + 1] if place + 1 < len(rows) else crossbar.rows) - row
            wire = Component(f"RW{place + 1}", (end, after), Wire(segments * crossbar.column_ohm))
            yield row, Rung(net, tuple(parts), wire if has_wire else None)

    def _device(self, row: int, kind: int) -> Model:
        crossbar, curve = self.crossbar, self.design.devices[kind].curve
        area = float(crossbar.column_area[row, self.index, kind])
        shift_v = float(crossbar.shift_v[row, self.index // 2, kind])
        amps = area * crossbar.current_unit_a
        if is_resistance(curve) and shift_v == 0 and curve.coefficients[0, 1] > 0:
            return Resistor(self.design.input_v_per_unit / (amps * float(curve.coefficients[0, 1])))
        return CurveDevice(self.names[kind], area, amps, shift_v)


def _bias(design: Design, crossbar: Crossbar, index: int, column: str) -> Component | None:
    """What the reference and the amplifier's input give the column together."""
    amps = float(crossbar.bias_a[index])
    taken_a = float(json.loads(design.technology_json)["tia"]["input_bias_a"])
    if amps == 0:
        return None
    reference_a = amps + taken_a
    ohm = math.inf if reference_a == 0 else crossbar.rail_v / abs(reference_a)
    return Component("I1", (GROUND, column), CurrentSource(amps, ohm, UPPER if reference_a > 0 else LOWER))


def _op_amp(crossbar: Crossbar, index: int) -> OpAmpModel:
    return OpAmpModel(
        gain=crossbar.open_loop_gain,
        offset_v=float(crossbar.offset_v[index]),
        output_ohm=0.0 if crossbar.holds_columns else crossbar.output_ohm,
        swing_v=crossbar.swing_v,
    )


def _expected_v(crossbar: Crossbar, index: int, solution: Solution) -> float:
    """Of the amplifier: the column, less what its current drops across the feedback."""
    column_v, amps = solution.column_v[crossbar.name][0, index], solution.amplifier_a[crossbar.name][0, index]
    return float(column_v - crossbar.feedback_ohm[index] * amps)
