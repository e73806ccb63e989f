"""Clips as precision rectifiers: a subcircuit for every row and level."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kanspice.circuit import Rectifier
from kanspice.engine.netlist.names import layer_of, source_inside
from kanspice.engine.netlist.realised import drives_rows, write_clip
from kanspice.engine.netlist.sheet import Sheet
from kanspice.engine.netlist.stages.junctions import ideality, without_leaks
from kanspice.engine.netlist.stages.limiter import shifted


def write_rectifier(sheet: Sheet, stage: Rectifier, signal: Sequence[str], outputs: Sequence[str]) -> None:
    """Between the nodes of the stage before and the rows, which it drives."""
    layer, realised = layer_of(stage.name), sheet.design.realised
    if realised is not None and drives_rows(sheet.design, stage):
        for index, (source, output) in enumerate(zip(signal, outputs, strict=True)):
            reached = shifted(sheet, f"{layer}_in{index}", source, float(stage.shift_v[index]))
            write_clip(sheet, stage, realised, (index, reached, output))
        return
    subcircuit = "rectifier" if stage.has_drop else "rectifier_ideal"
    if stage.has_drop:
        without_leaks(sheet)
    for index, (source, output) in enumerate(zip(signal, outputs, strict=True)):
        name = f"{layer}_in{index}"
        reached = shifted(sheet, name, source, float(stage.shift_v[index]))
        levels = [
            ("low", 1.0, stage.low_v, float(stage.low_offset_v[index])),
            ("high", -1.0, stage.upper_v, float(stage.high_offset_v[index])),
        ]
        chained = [level for level in levels if math.isfinite(level[2])]
        first = reached
        for which, sign, level_v, offset_v in chained:
            after = output if which == chained[-1][0] else f"{name}_{which}"
            parameters = {"level": level_v, "offset": offset_v, "sign": sign, **_parts(stage)}
            if stage.one_amplifier and reached != first:
                parameters |= {"offset": 0.0, "ratio": 1.0}
            sheet.instance(f"{name}_{which}", subcircuit, reached, after, **parameters)
            reached = after
        sheet.drivers[output] = source_inside(f"{name}_{chained[-1][0]}", "bout")


def _parts(stage: Rectifier) -> dict[str, float]:
    """The parameters of a subcircuit besides what it follows, its level and its offset."""
    if not stage.has_drop:
        return {"ratio": stage.closed_loop_gain}
    diode = {"sat": stage.saturation_a, "n": ideality(stage.knee_v)}
    return {"gain": stage.open_loop_gain, "load": stage.load_ohm, **diode}
