"""A layer's norm: one lane for every output, and two nodes that all lanes share."""

from __future__ import annotations

from collections.abc import Sequence

from kanspice.circuit import LayerNorm
from kanspice.engine.netlist.names import layer_of
from kanspice.engine.netlist.sheet import Sheet


def write_layer_norm(sheet: Sheet, stage: LayerNorm, signal: Sequence[str], outputs: Sequence[str]) -> None:
    """Between the nodes of the stage before and the outputs."""
    layer = layer_of(stage.name)
    mean, variance = f"{layer}_mean", f"{layer}_var"
    sheet.lines += [f"R{node} {node} 0 1" for node in (mean, variance)]
    for index, (source, output) in enumerate(zip(signal, outputs, strict=True)):
        lane = {"n": float(stage.width), "gain": float(stage.gain_v[index]), "offset": float(stage.offset_v[index])}
        nodes = source, output, mean, variance
        sheet.instance(f"{layer}_norm{index}", "layernorm_lane", *nodes, **lane, eps=stage.eps_v2)
