"""What drives rows: a follower for each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kanspice.circuit import Drivers
from kanspice.engine.netlist.names import layer_of, source_inside
from kanspice.engine.netlist.realised import driver_node, write_driver
from kanspice.engine.netlist.sheet import Sheet


def write_drivers(sheet: Sheet, stage: Drivers, signal: Sequence[str], outputs: Sequence[str]) -> None:
    """Between an input stage and the rows. Clips of transistors drive them already."""
    layer, realised = layer_of(stage.name), sheet.design.realised
    for index, (source, row) in enumerate(zip(signal, outputs, strict=True)):
        name = f"{layer}_d{index}"
        if realised is not None:
            write_driver(sheet, realised, name, source, row, is_driven=driver_node(row) in sheet.starts)
        else:
            parameters = {"offset": float(stage.offset_v[index]), "ratio": 1 / (1 + float(stage.leak[index]))}
            parameters |= {"swing": stage.swing_v} if math.isfinite(stage.swing_v) else {}
            subcircuit = "follower_limited" if math.isfinite(stage.swing_v) else "follower"
            sheet.instance(name, subcircuit, source, row, **parameters)
            sheet.drivers[row] = source_inside(name, "bout")
