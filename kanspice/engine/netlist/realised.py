"""Amplifiers, and clips of transistors, as subcircuits: around the nodes that their macro-models would have."""

from __future__ import annotations

import math

from kanspice.base.spice_numbers import spice_number, spice_seed
from kanspice.circuit import Crossbar, Design, Drivers, Realised, Rectifier
from kanspice.engine.netlist.names import column_node, layer_of, stage_node, tia_node
from kanspice.engine.netlist.sheet import Sheet
from kanspice.subcircuits.amplifier import Amplifier

LIBRARY = "amplifiers.lib"
UPPER, LOWER = "vdd", "vss"
"""The supplies' nodes; their sources are `vsupply_upper` and `vsupply_lower`."""
SUPPLIES = ("vsupply_upper", "vsupply_lower")


def supply_volts(design: Design) -> dict[str, float]:
    """The supplies' sources and their volts; none where all amplifiers are their numbers."""
    if design.realised is None:
        return {}
    amplifier = design.realised.amplifier
    return dict(zip(SUPPLIES, (amplifier.vdd_v, amplifier.vss_v), strict=True))


def library_lines(realised: Realised) -> list[str]:
    """Everything that the subcircuits are defined by. Raises InputError where their transistors are not installed."""
    lines = list(realised.amplifier.definition())
    if realised.own_amplifier is not None:
        lines += realised.own_amplifier.subcircuit.lines
    for part in (realised.clip, realised.rectifier):
        lines += () if part is None else part.lines
    return lines


def supply_lines(design: Design, amplifier: Amplifier) -> list[str]:
    """The supplies, the temperature, and what the foundry's statistics are drawn from."""
    lines = [
        f".include {LIBRARY}",
        f"V{SUPPLIES[0][1:]} {UPPER} 0 {spice_number(amplifier.vdd_v)}",
        f"V{SUPPLIES[1][1:]} {LOWER} 0 {spice_number(amplifier.vss_v)}",
        f".options temp={spice_number(amplifier.temperature_c)}",
    ]
    if amplifier.models is not None and amplifier.models.mismatch:
        lines.append(f".options seed={spice_seed(design.seed)}")
    return lines


def write_columns_amplifier(sheet: Sheet, stage: Crossbar, realised: Realised, place: int) -> str:
    """A column's amplifier with its feedback; the source through which the column's current flows, which is given."""
    layer, pair, sign = layer_of(stage.name), place // 2, "pn"[place % 2]
    column, output = column_node(layer, pair, sign), tia_node(layer, pair, sign)
    summed = f"{column}_s"
    sheet.lines += [
        f"V{output}_m {column} {summed} 0",
        f"R{output}_f {summed} {output} {spice_number(float(stage.feedback_ohm[place]))}",
    ]
    if stage.feedback_f[place] > 0:
        sheet.lines.append(f"C{output}_f {summed} {output} {spice_number(float(stage.feedback_f[place]))}")
    sheet.starts[summed] = column, 1.0
    _write_amplifier(sheet, realised.amplifier, output, ("0", summed, output))
    return f"v{output}_m"


def write_subtractor(sheet: Sheet, stage: Crossbar, realised: Realised, pair: int, output: str) -> None:
    """A difference amplifier: four resistors in two equal pairs."""
    layer, ratio = layer_of(stage.name), stage.subtractor_ratio
    positive, negative = (tia_node(layer, pair, sign) for sign in "pn")
    name, in_ohm = f"{layer}_sub{pair}", stage.subtractor_ohm * max(1.0, 1.0 / ratio)
    plus, minus = f"{name}_p", f"{name}_m"
    sheet.lines += [
        f"R{name}_1 {positive} {minus} {spice_number(in_ohm)}",
        f"R{name}_2 {minus} {output} {spice_number(in_ohm * ratio)}",
        f"R{name}_3 {negative} {plus} {spice_number(in_ohm)}",
        f"R{name}_4 {plus} 0 {spice_number(in_ohm * ratio)}",
    ]
    for node in (plus, minus):
        sheet.starts[node] = negative, ratio / (1 + ratio)
    _write_amplifier(sheet, realised.amplifier, name, (plus, minus, output))


def write_driver(sheet: Sheet, realised: Realised, name: str, source: str, row: str, *, is_driven: bool) -> None:
    """A follower, and the source through which its row's current flows.

    is_driven: what is before it drives the row already, as a clip does.
    """
    inside = driver_node(row)
    if not is_driven:
        _write_amplifier(sheet, realised.amplifier, name, (source, inside, inside))
        sheet.starts[inside] = row, 1.0
    sheet.lines.append(f"V{name}_m {row} {inside} 0")
    sheet.drivers[row] = f"v{name}_m"


def driver_node(row: str) -> str:
    """The output of what drives a row."""
    return f"{row}_a"


def drives_rows(design: Design, stage: Rectifier) -> bool:
    """Whether a clip is one of transistors, which drives its rows itself."""
    return design.realised is not None and design.realised.clip is not None and stage.one_amplifier


def write_clip(sheet: Sheet, stage: Rectifier, realised: Realised, place: tuple[int, str, str]) -> None:
    """A clip of transistors, up to the row's driver. place: which row, its input, and what shows what is held."""
    (index, source, output), layer = place, layer_of(stage.name)
    name, row = f"{layer}_in{index}", stage_node(f"{layer}.{Drivers.KIND}", index)
    inside = driver_node(row)
    supplies = f"{UPPER} {LOWER}"
    has_high = math.isfinite(stage.high_v)
    part, kind = (realised.clip, "clip") if has_high else (realised.rectifier, "rectifier")
    if part is None or not math.isfinite(stage.low_v):
        raise ValueError(f"{stage.name} has no clip of transistors")
    low = _level(sheet, layer, "low", stage.low_v)
    levels = f"{low} {_level(sheet, layer, 'high', stage.high_v)}" if has_high else low
    line = f"X{name} {source} {inside} {levels} {supplies} {part.name}"
    sheet.foreign(name, kind, [line], (source,), inner=40)
    held = f"x{name}.held" if has_high else f"x{name}.xlimit.held"
    sheet.lines.append(f"E{name}_held {output} 0 {held} 0 1")
    sheet.starts[inside] = row, 1.0


def _level(sheet: Sheet, layer: str, which: str, volts: float) -> str:
    """A clip level of a layer, from one source for all of its rows."""
    node = f"{layer}_{which}"
    line = f"V{node} {node} 0 {spice_number(volts)}"
    if node not in sheet.nodes:
        sheet.nodes.add(node)
        sheet.lines.append(line)
    return node


def _write_amplifier(sheet: Sheet, amplifier: Amplifier, name: str, nodes: tuple[str, str, str]) -> None:
    """nodes: its inputs, the non-inverting one first, and its output."""
    plus, minus, out = nodes
    lines = amplifier.instance(name, plus=plus, minus=minus, out=out, vdd=UPPER, vss=LOWER)
    sheet.foreign(name, "amplifier", lines, (plus, out), inner=len(amplifier.subcircuit.lines))
