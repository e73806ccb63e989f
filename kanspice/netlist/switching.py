"""All periods of a KirchhoffNet in one circuit: capacitors, a bank per period, switches between them, and clocks."""

from __future__ import annotations

from collections.abc import Iterator

from kanspice.design import Design, OdePeriod, Switching
from kanspice.netlist.library import library_text
from kanspice.netlist.names import bank, layer_of, period_node
from kanspice.units import spice_number

_SWITCH = "bank_switch"
_SOON = 1e-3
"""Part of an edge after which a clock has another point on its straight line. ngspice begins anew at every point, with
an implicit Euler step of a tenth of what lies ahead: its error would not fall with the steps, and so not be seen."""
SUBCIRCUITS = "subcircuits.lib"


def subcircuits_text() -> str:
    """The subcircuits that the whole circuit needs."""
    return f"* kanspice subcircuits\n{library_text([_SWITCH])}"


def capacitor_nodes(design: Design) -> list[tuple[str, ...]]:
    """For each period the nodes that its bank is switched to, from node 1 on.

    A node that the period before has too keeps its capacitor, and so its name; others come new, at 0 V.
    """
    nodes: list[tuple[str, ...]] = []
    for period in design.periods:
        kept = nodes[-1][: period.nodes] if nodes else ()
        layer = layer_of(period.name)
        nodes.append((*kept, *(period_node(layer, node) for node in range(len(kept) + 1, period.nodes + 1))))
    return nodes


def circuit_lines(design: Design, switching: Switching) -> Iterator[str]:
    """Everything but the banks' own subcircuits."""
    known: set[str] = set()
    starts_s = [0.0, *design.ends_s]
    for period, nodes, start_s in zip(design.periods, capacitor_nodes(design), starts_s, strict=False):
        yield from (f"C{node} {node} 0 {spice_number(period.capacitor_f)} ic=0" for node in nodes if node not in known)
        known.update(nodes)
        yield from _bank(period, nodes, switching)
        yield _clock(period, switching, start_s)


def _bank(period: OdePeriod, nodes: tuple[str, ...], switching: Switching) -> Iterator[str]:
    layer = layer_of(period.name)
    ports = [f"{layer}_b{node}" for node in range(1, period.nodes + 1)]
    values = f"on={spice_number(switching.on_ohm)} leak={spice_number(1 / switching.off_ohm)}"
    for index, (node, port) in enumerate(zip(nodes, ports, strict=True), start=1):
        yield f"X{layer}_switch{index} {node} {port} {_clock_node(layer)} {_SWITCH} {values}"
    yield f"X{bank(layer)}"
    yield from (f"+ {port}" for port in ports)
    yield f"+ {bank(layer)}"


def _clock(period: OdePeriod, switching: Switching, start_s: float) -> str:
    layer = layer_of(period.name)
    corners = [
        (start_s + offset, level, ahead)
        for offset, level, ahead in (
            (0.0, 0.0, _SOON),
            (switching.rise_s, 1.0, 1.0),
            (period.period_s, 1.0, 1 - _SOON),
            (period.period_s + switching.rise_s, 0.0, 0.0),
        )
    ]
    points = [(0.0, 0.0)] if start_s > 0 else []
    for time_s, level, ahead in corners:
        points += [(time_s, level), (time_s + _SOON * switching.rise_s, ahead)]
    table = " ".join(f"{spice_number(time_s)} {spice_number(level)}" for time_s, level in points)
    return f"V{layer}_clock {_clock_node(layer)} 0 pwl({table})"


def _clock_node(layer: str) -> str:
    return f"{layer}_clock"
