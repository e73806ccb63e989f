"""A KirchhoffNet's netlist: a bank of branches for each period, and which nodes to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

import numpy as np

from kanspice.circuit import Design, OdePeriod, ReadOut, TransistorBranches
from kanspice.circuit.branch_laws import LAWS
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist.branches import bank_text, branch_lines, carries_current
from kanspice.engine.netlist.merged import pair_lines, pair_of, parallel_branches
from kanspice.engine.netlist.named import branch_definition, named_branch_lines
from kanspice.engine.netlist.names import bank_node, branch_element, branches_node, layer_of, pair_element, period_node
from kanspice.engine.netlist.netlist import CIRCUIT, DEVICES, Netlist, Text, whole
from kanspice.engine.netlist.nodes import node_lines
from kanspice.engine.netlist.poles import always_on_line, pole_lines
from kanspice.engine.netlist.switching import SUBCIRCUITS, capacitor_nodes, circuit_lines, subcircuits_text
from kanspice.engine.netlist.transistor_banks import (
    TRANSISTORS,
    lines_of_node,
    seed_line,
    transistor_bank_lines,
    transistors_text,
)
from kanspice.engine.netlist.weight import Tally, estimated_bytes


def bank_file(layer: str) -> str:
    """The file of a layer's bank."""
    return f"{layer}_bank.cir"


def period_files(design: Design, period: OdePeriod) -> tuple[str, ...]:
    """The files that a run of a period by itself needs."""
    shared = [SUBCIRCUITS] if subcircuits_text(design) else []
    shared += [] if design.transistors is None else [TRANSISTORS]
    return (bank_file(layer_of(period.name)), *shared)


def period_netlist(design: Design, fidelity: Fidelity, *, named: bool = False) -> Netlist:
    """The banks; capacitors belong to a run of a period, or, where periods are switched, to the circuit.

    named: branches without a schematic are instances of subcircuits with their laws.
    """
    files: dict[str, Text] = {}
    tally = Tally()
    probes: dict[str, tuple[str, ...]] = {}
    nodes: tuple[str, ...] = ()
    for stage, own in zip(design.periods, _nodes(design), strict=True):
        layer = layer_of(stage.name)
        files[bank_file(layer)], bank = _bank(stage, design, fidelity, named=named)
        tally.add(bank)
        nodes = probes[stage.name] = own
    probes |= {s.name: probes[p.name] for p in design.periods if (s := design.sum_after(p)) is not None}
    probes |= {s.name: nodes[s.start : s.start + s.width] for s in design.stages if isinstance(s, ReadOut)}
    circuit = [f".include {name}" for name in files]
    text = subcircuits_text(design)
    if _is_named(design, named=named):
        laws = {period.law: LAWS[period.law] for period in design.periods}
        files[DEVICES] = whole("\n".join(branch_definition(law) for law in laws.values()))
        circuit.append(f".include {DEVICES}")
    if text:
        files[SUBCIRCUITS] = whole(text)
        circuit.append(f".include {SUBCIRCUITS}")
    if design.transistors is not None:
        unit_a, switched = design.periods[0].current_unit_a, design.switching is not None
        files[TRANSISTORS] = whole(transistors_text(design.transistors, unit_a, switched=switched))
        circuit.append(f".include {TRANSISTORS}")
        circuit += seed_line(design.transistors, design.seed, "circuit")
    if design.switching is not None:
        circuit += circuit_lines(design, design.switching)
        tally.add_lines([*text.splitlines(), *circuit])
    files[CIRCUIT] = whole("".join(f"{line}\n" for line in circuit))
    capacitors = {node for period in design.periods for node in probes[period.name]}
    if design.switching is None:
        tally.add_lines(node_lines("any", 1.0, design.losses) * len(capacitors))
    return Netlist(
        fidelity=fidelity,
        files=files,
        inputs=probes[design.periods[0].name][: design.input_width],
        probes=probes,
        columns={},
        amplifiers={},
        reach_v={},
        nodes=len(capacitors),
        elements=tally.elements,
        simulator_bytes=estimated_bytes(tally.simulator_bytes),
        first_s=tally.first_s,
    )


def element_names(period: OdePeriod, fidelity: Fidelity) -> list[str]:
    """For each branch the name of its element in the bank, without SPICE's leading letter; "" where it needs none."""
    names = [""] * period.branches
    source, destination = period.source.tolist(), period.destination.tolist()
    layer = layer_of(period.name)
    for index in np.flatnonzero(carries_current(period)).tolist():
        pair = pair_of(source[index], destination[index])
        names[index] = pair_element(layer, *pair) if fidelity == "merged" else branch_element(layer, index)
    return names


def _bank(period: OdePeriod, design: Design, fidelity: Fidelity, *, named: bool) -> tuple[Text, Tally]:
    """A bank's text and what it comes to. It hangs on the capacitors, or on switches or poles before them."""
    numbers, layer = range(period.nodes + 1), layer_of(period.name)
    outer = period_node if design.switching is None else bank_node
    nodes = outside = [outer(layer, node) for node in numbers]
    poles: list[str] = []
    if design.lag_s > 0:
        nodes = [branches_node(layer, node) for node in numbers]
        poles = [*pole_lines(period, design.lag_s, outside, nodes)]
        poles += [always_on_line(period)] if design.switching is None else []
    branches: Callable[[], Iterable[str]]
    if design.transistors is not None:
        branches = partial(_transistor_bank, period, design, design.transistors, nodes)
    elif fidelity == "device":
        branches = partial(branch_lines, period, nodes, design.schematic)
    else:
        branches = partial(pair_lines, period, nodes, parallel_branches(period))
    tally = Tally()
    tally.add_lines(chain(poles, branches()))
    if _is_named(design, named=named):
        branches = partial(named_branch_lines, period, nodes)
    return lambda: bank_text(period, chain(poles, branches())), tally


def _is_named(design: Design, *, named: bool) -> bool:
    """Whether branches are instances of subcircuits with their laws: ideal ones can be."""
    return named and design.schematic is None and design.transistors is None


def _transistor_bank(
    period: OdePeriod, design: Design, transistors: TransistorBranches, nodes: Sequence[str]
) -> Iterator[str]:
    """Of transistors; a bank that is simulated by itself has the lines of its nodes, too."""
    seen = nodes
    if design.switching is None:
        yield from seed_line(transistors, design.seed, period.name)
        yield from (lines_of_node(transistors, node) for node in nodes[1:])
    else:
        places = [p.name for p in design.periods].index(period.name)
        seen = ["0", *capacitor_nodes(design)[places]]
    yield from transistor_bank_lines(period, transistors, seen, nodes)


def _nodes(design: Design) -> list[tuple[str, ...]]:
    """Each period's nodes: capacitors of its own where periods are simulated by themselves."""
    if design.switching is not None:
        return capacitor_nodes(design)
    layers = [(layer_of(period.name), period.nodes) for period in design.periods]
    return [tuple(period_node(layer, node) for node in range(1, nodes + 1)) for layer, nodes in layers]
