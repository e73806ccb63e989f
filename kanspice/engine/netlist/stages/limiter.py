"""Input stages: a subcircuit for every row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import assert_never

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Limiter
from kanspice.engine.netlist.names import layer_of, source_inside
from kanspice.engine.netlist.sheet import Sheet

_OUTPUT_SOURCES = {
    "buffer": "eout",
    "clipper": "bout",
    "clamp": "bout",
    "sigmoid_stage": "bout",
    "sigmoid_stage_limited": "bout",
    "tanh_stage": "bout",
}
"""What drives the output of each subcircuit."""
_NO_LEVEL_V = 1e30
"""A level that nothing reaches."""


def write_limiter(sheet: Sheet, stage: Limiter, signal: Sequence[str], outputs: Sequence[str]) -> None:
    """Between the nodes of the stage before and the rows, which it drives."""
    names = [f"{layer_of(stage.name)}_in{index}" for index in range(stage.width)]
    subcircuit, parameters = _subcircuit(stage)
    for name, source, output, shift_v in zip(names, signal, outputs, stage.shift_v.tolist(), strict=True):
        sheet.instance(name, subcircuit, shifted(sheet, name, source, shift_v), output, **parameters)
    for name, output in zip(names, outputs, strict=True):
        sheet.drivers[output] = source_inside(name, _OUTPUT_SOURCES[subcircuit])


def shifted(sheet: Sheet, name: str, source: str, shift_v: float) -> str:
    """A node whose voltage is so much lower than that of `source`; that node itself where it is nothing."""
    if not shift_v:
        return source
    node = f"{name}_shifted"
    sheet.nodes.update((source, node))
    sheet.lines.append(f"V{name}_shift {source} {node} {spice_number(shift_v)}")
    return node


def _subcircuit(stage: Limiter) -> tuple[str, dict[str, float]]:
    """The subcircuit of a limiter, and its parameters."""
    units = {"in_unit": stage.input_v_per_unit, "unit": stage.unit_v}
    match stage.kind:
        case "none":
            return "buffer", {}
        case "clip":
            levels = {"low": max(stage.low_v, -_NO_LEVEL_V), "high": min(stage.high_v, _NO_LEVEL_V)}
            return ("clamp", levels | {"knee": stage.knee_v}) if stage.knee_v > 0 else ("clipper", levels)
        case "sigmoid":
            limited = {"reach": stage.reach}
            return (
                ("sigmoid_stage_limited", units | limited) if math.isfinite(stage.reach) else ("sigmoid_stage", units)
            )
        case "tanh":
            return "tanh_stage", units
        case _:
            assert_never(stage.kind)
