"""Crossbars: devices and wires between rows and columns, an amplifier per column and a subtractor per pair."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Crossbar, Realised
from kanspice.engine.netlist.cells import Cell, FullCell, choose_cells
from kanspice.engine.netlist.device_array import DeviceArray
from kanspice.engine.netlist.named import NamedCell, named_cells
from kanspice.engine.netlist.names import column_node, layer_of, source_inside, tia_node
from kanspice.engine.netlist.realised import write_columns_amplifier, write_subtractor
from kanspice.engine.netlist.sheet import Lines, Sheet

_UNLIMITED_V = 1e30
_COLUMN_SOURCES = {
    "tia_ideal": "vsense",
    "tia_ideal_limited": "vsense",
    "tia_finite": "eopamp",
    "tia_resistive": "eopamp",
    "tia_real": "vsense",
    "tia_pole": "vsense",
}
"""Through what a column's current flows to ground, in each amplifier."""


def write_crossbar(sheet: Sheet, stage: Crossbar, signal: Sequence[str], outputs: Sequence[str]) -> Lines:
    """Between the rows and the outputs of the subtractors; what lies between rows and columns is returned."""
    if sheet.named:
        cells: tuple[Cell, ...] = named_cells(sheet.design.devices, sheet.curves, stage, shifts=sheet.shifts)
    else:
        cells = choose_cells(sheet.curves, stage, sheet.fidelity, full=sheet.full_cells)
    sheet.functions |= {cell.function: cell.definition for cell in cells if isinstance(cell, FullCell | NamedCell)}
    array = DeviceArray(stage, cells, tuple(signal), sheet.dynamic)
    sheet.reach_v[stage.name] = array.reach_v
    if array.is_windowed:
        sheet.used.add("column_sense")
    sheet.nodes.update(signal, of_columns(stage, column_node))
    array.count(sheet.tally)
    sheet.inner_nodes += array.inner_nodes
    sheet.row_sources[stage.name] = tuple(sheet.drivers[row] for row in signal)
    realised = sheet.design.realised
    sheet.amplifier_sources[stage.name] = (
        _write_macro_models(sheet, stage, outputs)
        if realised is None
        else _write_realised(sheet, stage, outputs, realised)
    )
    return array.lines


def _write_macro_models(sheet: Sheet, stage: Crossbar, outputs: Sequence[str]) -> tuple[str, ...]:
    """Amplifiers and subtractors as the stage's numbers say; the sources through which columns' currents flow."""
    tia = _tia(stage, dynamic=sheet.dynamic)
    for pair, output in enumerate(outputs):
        _write_pair(sheet, stage, pair, output, tia)
    source = _COLUMN_SOURCES[tia[0]]
    return tuple(source_inside(name, source) for name in of_columns(stage, tia_node))


def _write_realised(sheet: Sheet, stage: Crossbar, outputs: Sequence[str], realised: Realised) -> tuple[str, ...]:
    """The same as subcircuits."""
    sources = list[str]()
    for pair, output in enumerate(outputs):
        for place in (2 * pair, 2 * pair + 1):
            sources.append(write_columns_amplifier(sheet, stage, realised, place))
            _write_bias(sheet, stage, place)
        write_subtractor(sheet, stage, realised, pair, output)
    return tuple(sources)


def of_columns(stage: Crossbar, node: Callable[[str, int, str], str]) -> tuple[str, ...]:
    """A node of every column, positive and negative in turn."""
    return tuple(node(layer_of(stage.name), pair, sign) for pair in range(stage.width) for sign in "pn")


def _write_pair(sheet: Sheet, stage: Crossbar, pair: int, output: str, tia: tuple[str, dict[str, float]]) -> None:
    layer, (subcircuit, shared) = layer_of(stage.name), tia
    for place, sign in enumerate("pn", start=2 * pair):
        column, output_node = column_node(layer, pair, sign), tia_node(layer, pair, sign)
        own = {"rf": float(stage.feedback_ohm[place]), "offset": float(stage.offset_v[place])}
        if subcircuit == "tia_pole":
            own |= {"cf": float(stage.feedback_f[place])}
        sheet.instance(output_node, subcircuit, column, output_node, **own, **shared)
        _write_bias(sheet, stage, place)
    both = tia_node(layer, pair, "p"), tia_node(layer, pair, "n")
    offset_v = float(np.broadcast_to(stage.subtractor_offset_v, (stage.width,))[pair])
    subtractor, values = "subtractor", {"gain": stage.subtractor_gain}
    if math.isfinite(stage.swing_v) or offset_v:
        subtractor, values = "subtractor_limited", values | {"swing": min(stage.swing_v, _UNLIMITED_V)}
    if offset_v:
        values |= {"offset": offset_v}
    sheet.instance(f"{layer}_sub{pair}", subtractor, *both, output, **values)


def _write_bias(sheet: Sheet, stage: Crossbar, place: int) -> None:
    layer, pair, sign = layer_of(stage.name), place // 2, "pn"[place % 2]
    bias_a = float(sheet.design.sourced_a(stage)[place])
    if bias_a:
        sheet.lines.append(f"I{layer}_b{pair}{sign} 0 {column_node(layer, pair, sign)} {spice_number(bias_a)}")


def _tia(stage: Crossbar, *, dynamic: bool) -> tuple[str, dict[str, float]]:
    """The subcircuit of a crossbar's amplifiers, and the parameters that are the same for all of them."""
    if dynamic and math.isfinite(stage.gbw_hz):
        return "tia_pole", _pole(stage)
    limited = math.isfinite(stage.swing_v)
    if stage.holds_columns:
        return ("tia_ideal_limited", {"swing": stage.swing_v}) if limited else ("tia_ideal", {})
    shared = {"gain": stage.open_loop_gain}
    if not limited:
        return ("tia_resistive", shared | {"rout": stage.output_ohm}) if stage.output_ohm else ("tia_finite", shared)
    return "tia_real", shared | {"rout": stage.output_ohm, "swing": stage.swing_v}


def _pole(stage: Crossbar) -> dict[str, float]:
    """The parameters of amplifiers with one pole that are the same for all of them."""
    reach_v = stage.slew_v_per_s / (2 * math.pi * stage.gbw_hz)
    return {
        "leak": 1 / stage.open_loop_gain,
        "gbw": stage.gbw_hz,
        "reach": min(reach_v, _UNLIMITED_V),
        "rout": stage.output_ohm,
        "swing": min(stage.swing_v, _UNLIMITED_V),
    }
