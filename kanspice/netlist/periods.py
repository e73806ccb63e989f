"""A KirchhoffNet's netlist: a bank of branches for each period, and which nodes to look at."""

from __future__ import annotations

from kanspice.design import Design, OdePeriod, ReadOut
from kanspice.errors import InputError
from kanspice.netlist.branches import bank_text
from kanspice.netlist.cells import Fidelity
from kanspice.netlist.names import bank, layer_of, period_node
from kanspice.netlist.netlist import CIRCUIT, Netlist


def bank_file(layer: str) -> str:
    """The file of a layer's bank."""
    return f"{bank(layer)}.cir"


def period_netlist(design: Design, fidelity: Fidelity) -> Netlist:
    """The banks alone: capacitors, and their voltages at the beginning, belong to a run.

    Raises InputError for a fidelity that means nothing here.
    """
    if fidelity != "device":
        raise InputError("this fidelity is for crossbars", where="--fidelity", expected="device", found=fidelity)
    files: dict[str, str] = {}
    probes: dict[str, tuple[str, ...]] = {}
    nodes: tuple[str, ...] = ()
    for stage in design.stages:
        if isinstance(stage, OdePeriod):
            layer = layer_of(stage.name)
            files[bank_file(layer)] = f"* {stage.branches} branches\n{bank_text(stage, design.schematic)}"
            nodes = probes[stage.name] = tuple(period_node(layer, node) for node in range(1, stage.nodes + 1))
        elif isinstance(stage, ReadOut):
            probes[stage.name] = nodes[stage.start : stage.start + stage.width]
    files[CIRCUIT] = "".join(f".include {name}\n" for name in files)
    capacitors = sum(period.nodes for period in design.periods)
    branches = sum(line[0] not in "*+." for text in files.values() for line in text.splitlines())
    return Netlist(
        fidelity=fidelity,
        files=files,
        inputs=probes[design.periods[0].name][: design.input_width],
        probes=probes,
        columns={},
        reach_v={},
        nodes=capacitors,
        elements=capacitors + branches,
    )
