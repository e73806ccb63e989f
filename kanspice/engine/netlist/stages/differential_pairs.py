"""Sigmoids and tanhs as differential pairs: a subcircuit for every row."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kanspice.circuit import DifferentialPairs
from kanspice.engine.netlist.names import layer_of, source_inside
from kanspice.engine.netlist.sheet import Sheet
from kanspice.engine.netlist.stages.junctions import ideality, without_leaks
from kanspice.engine.netlist.stages.limiter import shifted

_SUBCIRCUITS = {"sigmoid": "sigmoid_pair", "tanh": "tanh_pair"}
_MOST_GAIN = 1e15
"""Written for an infinite one: base currents are below what is rounded then."""


def write_differential_pairs(
    sheet: Sheet, stage: DifferentialPairs, signal: Sequence[str], outputs: Sequence[str]
) -> None:
    """Between the nodes of the stage before and the rows, which it drives."""
    layer, subcircuit = layer_of(stage.name), _SUBCIRCUITS[stage.shape]
    without_leaks(sheet)
    for index, (source, output) in enumerate(zip(signal, outputs, strict=True)):
        name = f"{layer}_in{index}"
        sheet.instance(
            name,
            subcircuit,
            shifted(sheet, name, source, float(stage.shift_v[index])),
            output,
            upper=stage.upper_ohm,
            lower=stage.lower_ohm,
            source=stage.source_ohm,
            offset=float(stage.offset_v[index]),
            tail=float(stage.tail_a[index]),
            load=stage.load_ohm,
            rail=stage.rail_v,
            beta=_MOST_GAIN if math.isinf(stage.current_gain) else stage.current_gain,
            nf=ideality(stage.thermal_v),
        )
        sheet.drivers[output] = source_inside(name, "eout")
