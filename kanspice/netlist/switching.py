"""All periods of a KirchhoffNet in one circuit: capacitors, a bank per period, switches between them, and clocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kanspice.design import Design, OdePeriod, Switching
from kanspice.netlist.library import library_text
from kanspice.netlist.names import bank, layer_of, period_node
from kanspice.netlist.nodes import node_lines
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
        for node, farads in zip(nodes, period.capacitor_f.tolist(), strict=True):
            if node not in known:
                yield from node_lines(node, farads, design.losses)
        known.update(nodes)
        yield from _bank(period, nodes, switching)
        yield _clock(period, switching, start_s)
        yield from _beginning(period, switching, start_s)
        yield from _injection(period, nodes, switching, start_s)


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
    on_s, off_s = _edges_s(period, start_s)
    corners = [
        (on_s, 0.0, _SOON),
        (on_s + switching.rise_s, 1.0, 1.0),
        (off_s, 1.0, 1 - _SOON),
        (off_s + switching.rise_s, 0.0, 0.0),
    ]
    return f"V{layer}_clock {_clock_node(layer)} 0 {_straight(corners, switching)}"


def _beginning(period: OdePeriod, switching: Switching, start_s: float) -> Iterator[str]:
    """A source that does nothing where a clock is late: so that there is a point of time when the period begins."""
    if start_s > 0 and period.late_on_s > 0:
        layer = layer_of(period.name)
        yield f"V{layer}_begin {layer}_begin 0 {_straight([(start_s, 0.0, 0.0)], switching)}"


def _injection(period: OdePeriod, nodes: tuple[str, ...], switching: Switching, start_s: float) -> Iterator[str]:
    """What a bank that is switched off pushes onto its nodes: currents in a triangle of time over the clock's fall."""
    if not period.injected_c.any():
        return
    layer, half_s, off_s = layer_of(period.name), switching.rise_s / 2, _edges_s(period, start_s)[1]
    corners = [(off_s, 0.0, 2 * _SOON), (off_s + half_s, 1.0, 1 - 2 * _SOON), (off_s + 2 * half_s, 0.0, 0.0)]
    yield f"V{layer}_pulse {layer}_pulse 0 {_straight(corners, switching)}"
    for node, port, coulombs in zip(nodes, range(1, period.nodes + 1), period.injected_c.tolist(), strict=True):
        yield f"G{layer}_pulse{port} 0 {node} {layer}_pulse 0 {spice_number(coulombs / half_s)}"


def _edges_s(period: OdePeriod, start_s: float) -> tuple[float, float]:
    """When the period's clock begins to rise, and when it begins to fall."""
    return start_s + period.late_on_s, start_s + period.period_s + period.late_off_s


def _straight(corners: Sequence[tuple[float, float, float]], switching: Switching) -> str:
    """Straight lines between corners: when each is, its level, and the level soon after it."""
    points = [(0.0, corners[0][1])] if corners[0][0] > 0 else []
    for time_s, level, ahead in corners:
        points += [(time_s, level), (time_s + _SOON * switching.rise_s, ahead)]
    table = " ".join(f"{spice_number(time_s)} {spice_number(level)}" for time_s, level in points)
    return f"pwl({table})"


def _clock_node(layer: str) -> str:
    return f"{layer}_clock"
