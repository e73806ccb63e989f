"""A KirchhoffNet's nodes as circuit elements: the capacitor, and what it loses."""

from __future__ import annotations

import math

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import NodeLosses
from kanspice.engine.netlist.names import start_node


def held_lines(node: str) -> list[str]:
    """What holds a node at the voltage of a source that a run sets, while the operating point before it is found.

    An ideal switch that opens as time begins: transistors around it are then at rest, as uncharged ones are not.
    """
    start = start_node(node)
    return [f"V{start} {start} 0 0", f"B{node}_held {node} 0 i=time>0?0:v({node})-v({start})"]


def node_lines(node: str, capacitor_f: float, losses: NodeLosses | None, lower: str = "0") -> list[str]:
    """Its elements; a run sets the capacitor's initial voltage. lower: the node of the capacitor's other plate."""
    lines = [f"C{node} {node} {lower} {spice_number(capacitor_f)} ic=0"]
    if losses is not None and math.isfinite(losses.leak_ohm):
        lines.append(f"R{node}_leak {node} 0 {spice_number(losses.leak_ohm)}")
    if losses is not None and losses.clamps:
        limit = spice_number(losses.supply_v)
        beyond = f"uramp(v({node})-{limit})-uramp(-v({node})-{limit})"
        lines.append(f"B{node}_clamp {node} 0 i={beyond} m={spice_number(1 / losses.clamp_ohm)}")
    return lines
