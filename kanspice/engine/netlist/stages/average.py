"""Averages: for each channel resistors that meet in a node."""

from __future__ import annotations

from collections.abc import Sequence

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Average
from kanspice.engine.netlist.names import layer_of
from kanspice.engine.netlist.sheet import Sheet


def write_average(sheet: Sheet, stage: Average, signal: Sequence[str], outputs: Sequence[str]) -> None:
    """Between the nodes of all positions and one for each channel."""
    sheet.nodes.update(signal, outputs)
    layer, channels = layer_of(stage.name), len(outputs)
    for place, (node, ohm) in enumerate(zip(signal, stage.ohm.reshape(-1).tolist(), strict=True)):
        position, channel = divmod(place, channels)
        sheet.lines.append(f"R{layer}_m{position}_{channel} {node} {outputs[channel]} {spice_number(ohm)}")
