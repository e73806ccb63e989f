"""A KirchhoffNet's branches, and what they need, of a process's transistors: cells of `netlists/<process>/kn_*.cir`.

Gates hang on the lines of a branch's ends; the drains of all pairs at a node on its two buses. A branch has a pair for
each of its ends that is not ground.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kanspice.base.draws import Draw
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Design, OdePeriod, TransistorBranches
from kanspice.circuit.transistor_branches import Ladders, ladders_of
from kanspice.engine.netlist.branches import carries_current
from kanspice.engine.netlist.names import (
    branch_element,
    bus_node,
    clock_node,
    copy_node,
    inner_node,
    layer_of,
    level_nodes,
    line_node,
)
from kanspice.subcircuits.amplifier import own_amplifier, own_netlist

TRANSISTORS = "transistors.lib"
_ALWAYS = "kn_bias", "kn_collector", "kn_lines", "kn_pair", "kn_steep_lines"
_SWITCHED = "kn_follower", "kn_switch", "transmission_gate"
_SEEDS = 2**30
_CONSTANT = "constant"
"""What the lines of constant voltage are named after."""
SUPPLIES = "vsupply_p", "vsupply_n"
"""The two sources that everything is supplied by."""


def seed_line(transistors: TransistorBranches, seed: int, name: str) -> Iterator[str]:
    """What ngspice draws the transistors of a netlist from, before it reads them; nothing where they are all alike."""
    if transistors.mismatch:
        drawn = float(Draw(seed).uniform(f"{name}.transistors", ()))
        yield f".option seed={1 + int(drawn * _SEEDS)}"


def transistors_text(transistors: TransistorBranches, unit_a: float, *, switched: bool) -> str:
    """Models, cells, supplies and bias: what all banks share. InputError where the models are not installed.

    unit_a: the unit of current, which the reference gives.
    """
    process, rail_v = transistors.process, spice_number(transistors.cells.rail_v)
    bias_v = spice_number(transistors.cells.bias_v * transistors.warmth)
    names = (*_ALWAYS, *(_SWITCHED if switched else ()))
    cells = [own_netlist(process, name).read_text(encoding="ascii").rstrip() for name in names]
    lines = [
        "* kanspice transistors",
        f".temp {spice_number(transistors.temperature_c)}",
        *own_amplifier(transistors.models, transistors.temperature_c).definition(),
        *cells,
        f"{SUPPLIES[0]} vdd 0 {rail_v}",
        f"{SUPPLIES[1]} 0 vss {rail_v}",
        f"Vconstant_plus {line_node(_CONSTANT, 1.0)} 0 {bias_v}",
        f"Vconstant_minus 0 {line_node(_CONSTANT, -1.0)} {bias_v}",
        f"Ireference vdd reference {spice_number(unit_a)}",
        f"Xbias reference bias cascode_n cascode_p vdd vss {process}_kn_bias",
    ]
    return "".join(f"{line}\n" for line in lines)


def switched_node_lines(design: Design, transistors: TransistorBranches, nodes: Iterable[str]) -> Iterator[str]:
    """What nodes that banks are switched to need: their lines, and the copies that banks which are off lead to."""
    for node in nodes:
        yield lines_of_node(transistors, node)
        yield f"X{node}_follower {node} {copy_node(node)} vdd vss {transistors.process}_kn_follower"
    for period in design.periods:
        layer = layer_of(period.name)
        clock, on, off = clock_node(layer), *level_nodes(layer)
        volts = spice_number(2 * transistors.cells.rail_v)
        yield f"E{on} {on} vss {clock} 0 {volts}"
        yield f"E{off} vdd {off} {clock} 0 {volts}"


def transistor_switches(
    period: OdePeriod, transistors: TransistorBranches, nodes: Sequence[str], ports: Sequence[str]
) -> Iterator[str]:
    """Between each node and its bank; ports: the nodes on the bank's side."""
    layer = layer_of(period.name)
    on, off = level_nodes(layer)
    for index, (node, port) in enumerate(zip(nodes, ports, strict=True), start=1):
        cell = f"{transistors.process}_kn_switch"
        yield f"X{layer}_switch{index} {port} {node} {copy_node(node)} {on} {off} vdd vss {cell}"


def lines_of_node(transistors: TransistorBranches, node: str) -> str:
    """The amplifiers between a node and its lines."""
    plus, minus = line_node(node, 1.0), line_node(node, -1.0)
    return f"X{node}_lines {node} {plus} {minus} vdd vss {transistors.process}_kn_lines"


def transistor_bank_lines(
    period: OdePeriod, transistors: TransistorBranches, seen: Sequence[str], into: Sequence[str]
) -> Iterator[str]:
    """A period's branches. seen: by their numbers, ground first, the nodes whose lines gates hang on; into: the nodes
    that currents flow into."""
    layer, ladders, pairs = layer_of(period.name), ladders_of(period, transistors), Counter[int]()
    steep, steep_seen = set[int](), [f"{layer}_steep{node}" for node in range(period.nodes + 1)]
    source, destination = period.source.tolist(), period.destination.tolist()
    for index in np.flatnonzero(carries_current(period)).tolist():
        first, second = source[index], destination[index]
        lines = steep_seen if ladders.steep[index] else seen
        yield from _ladder(layer, index, ladders, (lines[first], lines[second]))
        steep |= {first, second} - {0} if ladders.steep[index] else set()
        gate, name, cell = inner_node(layer, index), branch_element(layer, index), f"{transistors.process}_kn_pair"
        for node, sign in ((second, 1.0), (first, -1.0)):
            if node:
                more, less = bus_node(layer, node, sign), bus_node(layer, node, -sign)
                yield f"X{name}_{node} {gate} {more} {less} bias cascode_n vss {cell}"
                pairs[node] += 1
    yield from (_steep_lines(transistors, seen[node], steep_seen[node]) for node in sorted(steep))
    for node, number in sorted(pairs.items()):
        buses = f"{bus_node(layer, node, 1.0)} {bus_node(layer, node, -1.0)}"
        collector = f"{transistors.process}_kn_collector"
        for part in range(math.ceil(number / transistors.cells.pairs)):
            yield f"X{layer}_collector{node}_{part} {buses} {into[node]} cascode_n cascode_p vdd vss {collector}"


def _steep_lines(transistors: TransistorBranches, node: str, steep: str) -> str:
    """The amplifiers behind a node's lines that branches hang on which are too steep for these."""
    lines = " ".join(line_node(name, sign) for name in (node, steep) for sign in (1.0, -1.0))
    return f"X{steep}_lines {lines} vdd vss {transistors.process}_kn_steep_lines"


def _ladder(layer: str, index: int, ladders: Ladders, seen: tuple[str, str]) -> Iterator[str]:
    """The resistors at a branch's gate."""
    gate, name = inner_node(layer, index), branch_element(layer, index)
    ends = [
        ("s", line_node(seen[0], ladders.source_sign[index]), ladders.source[index]),
        ("d", line_node(seen[1], ladders.destination_sign[index]), ladders.destination[index]),
        ("c", line_node(_CONSTANT, ladders.bias_sign[index]), ladders.bias[index]),
        ("g", "0", ladders.ground[index]),
    ]
    for end, node, ohm in ends:
        if math.isfinite(ohm):
            yield f"R{name}_{end} {node} {gate} {spice_number(float(ohm))}"
