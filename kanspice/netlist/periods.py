"""A KirchhoffNet's netlist: a bank of branches for each period, and which nodes to look at."""

from __future__ import annotations

from kanspice.design import Design, ReadOut
from kanspice.errors import InputError
from kanspice.netlist.branches import bank_text
from kanspice.netlist.cells import Fidelity
from kanspice.netlist.names import bank, layer_of, period_node
from kanspice.netlist.netlist import CIRCUIT, Netlist
from kanspice.netlist.switching import SUBCIRCUITS, capacitor_nodes, circuit_lines, subcircuits_text


def bank_file(layer: str) -> str:
    """The file of a layer's bank."""
    return f"{bank(layer)}.cir"


def period_netlist(design: Design, fidelity: Fidelity) -> Netlist:
    """The banks; capacitors belong to a run of a period, or, where periods are switched, to the circuit.

    Raises InputError for a fidelity that means nothing here.
    """
    if fidelity != "device":
        raise InputError("this fidelity is for crossbars", where="--fidelity", expected="device", found=fidelity)
    files: dict[str, str] = {}
    probes: dict[str, tuple[str, ...]] = {}
    nodes: tuple[str, ...] = ()
    for stage, own in zip(design.periods, _nodes(design), strict=True):
        layer = layer_of(stage.name)
        files[bank_file(layer)] = f"* {stage.branches} branches\n{bank_text(stage, design.schematic)}"
        nodes = probes[stage.name] = own
    probes |= {s.name: nodes[s.start : s.start + s.width] for s in design.stages if isinstance(s, ReadOut)}
    circuit = [f".include {name}" for name in files]
    if design.switching is not None:
        files[SUBCIRCUITS] = subcircuits_text()
        circuit += [f".include {SUBCIRCUITS}", *circuit_lines(design, design.switching)]
    files[CIRCUIT] = "\n".join(circuit) + "\n"
    capacitors = {node for period in design.periods for node in probes[period.name]}
    elements = sum(line[0] not in "*+." for text in files.values() for line in text.splitlines())
    return Netlist(
        fidelity=fidelity,
        files=files,
        inputs=probes[design.periods[0].name][: design.input_width],
        probes=probes,
        columns={},
        reach_v={},
        nodes=len(capacitors),
        elements=elements if design.switching is not None else elements + len(capacitors),
    )


def _nodes(design: Design) -> list[tuple[str, ...]]:
    """Each period's nodes: capacitors of its own where periods are simulated by themselves."""
    if design.switching is not None:
        return capacitor_nodes(design)
    layers = [(layer_of(period.name), period.nodes) for period in design.periods]
    return [tuple(period_node(layer, node) for node in range(1, nodes + 1)) for layer, nodes in layers]
