"""All periods of a KirchhoffNet in one circuit: capacitors, a bank per period, switches between them, and clocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Design, HeldSum, OdePeriod, Switching, TransistorBranches
from kanspice.circuit.stages.held_sum import FOLLOWS
from kanspice.engine.netlist.library import library_text
from kanspice.engine.netlist.names import bank_node, clock_node, layer_of, period_node, plate_node
from kanspice.engine.netlist.nodes import held_lines, node_lines
from kanspice.engine.netlist.poles import POLE
from kanspice.engine.netlist.transistor_banks import switched_node_lines, transistor_switches

_SWITCH, _HOLD = "bank_switch", "hold_cell"
_STOPS = 50
"""Points on the line along which voltages are added, where a supply may hold nodes back: steps are short after each."""
_SOON = 1e-3
"""Part of an edge after which a clock has another point on its straight line. ngspice begins anew at every point, with
an implicit Euler step of a tenth of what lies ahead: its error would not fall with the steps, and so not be seen."""
SUBCIRCUITS = "subcircuits.lib"


def subcircuits_text(design: Design) -> str:
    """The subcircuits that the whole circuit needs; none for one without switches and poles."""
    holds = bool(design.sums)
    used = [] if design.switching is None or design.transistors is not None else [_SWITCH, *([_HOLD] if holds else [])]
    used += [POLE] if design.lag_s > 0 else []
    return f"* kanspice subcircuits\n{library_text(used)}" if used else ""


def capacitor_nodes(design: Design) -> list[tuple[str, ...]]:
    """For each period the nodes that its bank is switched to, from node 1 on: named after where they come new."""
    names: dict[int, str] = {}
    for period, numbers in zip(design.periods, design.capacitors, strict=True):
        for node, number in enumerate(numbers, start=1):
            names.setdefault(number, period_node(layer_of(period.name), node))
    return [tuple(names[number] for number in numbers) for numbers in design.capacitors]


def circuit_lines(design: Design, switching: Switching) -> Iterator[str]:
    """Everything but the banks' own subcircuits."""
    known: set[str] = set()
    lower, transistors = _raised_plates(design), design.transistors
    for period, nodes, start_s in zip(design.periods, capacitor_nodes(design), design.begins_s, strict=True):
        for node, farads in zip(nodes, period.capacitor_f.tolist(), strict=True):
            if node not in known:
                yield from node_lines(node, farads, design.losses, lower.get(node, "0"))
                yield from () if transistors is None else held_lines(node)
        known.update(nodes)
        yield from _switches(period, nodes, switching, transistors)
        yield _clock(period, switching, start_s)
        yield from _beginning(period, switching, start_s)
        yield from _injection(period, nodes, switching, start_s)
    if transistors is not None:
        yield from switched_node_lines(design, transistors, sorted(known))
    for held in design.sums:
        yield from _sum(design, held, switching)


def _raised_plates(design: Design) -> dict[str, str]:
    """Node -> the other plate of its capacitor, for those that voltages are added to."""
    nodes = dict(zip((period.name for period in design.periods), capacitor_nodes(design), strict=True))
    plates: dict[str, str] = {}
    for period in design.periods:
        if design.sum_after(period) is not None:
            plates |= {node: plate_node(node) for node in nodes[period.name]}
    return plates


def _sum(design: Design, stage: HeldSum, switching: Switching) -> Iterator[str]:
    """Voltages held since the end of a period, and what raises the nodes of another by them.

    What is held follows the nodes until a clock of its own has fallen, while they are left alone.
    """
    layer, (begin_s, _), (_, held_s) = layer_of(stage.name), design.spans_s[stage.name], design.spans_s[stage.held]
    lasts_s, parts = switching.transfer_s, _STOPS if design.losses is not None and design.losses.clamps else 1
    track = [(held_s - lasts_s, 1.0, 1 - _SOON), (held_s, 0.0, 0.0)]
    add = [(begin_s + lasts_s * part / parts, part / parts, (part + _SOON) / parts) for part in range(parts)]
    add.append((begin_s + lasts_s, 1.0, 1.0))
    yield f"V{layer}_track {layer}_track 0 {_straight(track, lasts_s)}"
    yield f"V{layer}_add {layer}_add 0 {_straight(add, lasts_s / parts)}"
    nodes = dict(zip((period.name for period in design.periods), capacitor_nodes(design), strict=True))
    (held,) = (period for period in design.periods if period.name == stage.held)
    (raised,) = (period for period in design.periods if design.sum_after(period) is stage)
    ends = zip(nodes[held.name], nodes[raised.name], held.capacitor_f.tolist(), strict=True)
    for index, (source, node, farads) in enumerate(ends, start=1):
        values = f"siemens={spice_number(FOLLOWS * farads / lasts_s)} farads={spice_number(farads)}"
        yield f"X{layer}_hold{index} {source} {layer}_h{index} {layer}_track {_HOLD} {values}"
        yield f"B{layer}_raise{index} {plate_node(node)} 0 v=v({layer}_add)*v({layer}_h{index})"


def _switches(
    period: OdePeriod, nodes: tuple[str, ...], switching: Switching, transistors: TransistorBranches | None
) -> Iterator[str]:
    layer = layer_of(period.name)
    ports = [bank_node(layer, node) for node in range(1, period.nodes + 1)]
    if transistors is not None:
        yield from transistor_switches(period, transistors, nodes, ports)
        return
    values = f"on={spice_number(switching.on_ohm)} leak={spice_number(1 / switching.off_ohm)}"
    for index, (node, port) in enumerate(zip(nodes, ports, strict=True), start=1):
        yield f"X{layer}_switch{index} {node} {port} {clock_node(layer)} {_SWITCH} {values}"


def _clock(period: OdePeriod, switching: Switching, start_s: float) -> str:
    layer = layer_of(period.name)
    on_s, off_s = _edges_s(period, start_s)
    corners = [
        (on_s, 0.0, _SOON),
        (on_s + switching.rise_s, 1.0, 1.0),
        (off_s, 1.0, 1 - _SOON),
        (off_s + switching.rise_s, 0.0, 0.0),
    ]
    return f"V{layer}_clock {clock_node(layer)} 0 {_straight(corners, switching.rise_s)}"


def _beginning(period: OdePeriod, switching: Switching, start_s: float) -> Iterator[str]:
    """A source that does nothing where a clock is late: so that there is a point of time when the period begins."""
    if start_s > 0 and period.late_on_s > 0:
        layer = layer_of(period.name)
        yield f"V{layer}_begin {layer}_begin 0 {_straight([(start_s, 0.0, 0.0)], switching.rise_s)}"


def _injection(period: OdePeriod, nodes: tuple[str, ...], switching: Switching, start_s: float) -> Iterator[str]:
    """What a bank that is switched off pushes onto its nodes: currents in a triangle of time over the clock's fall."""
    if not period.injected_c.any():
        return
    layer, half_s, off_s = layer_of(period.name), switching.rise_s / 2, _edges_s(period, start_s)[1]
    corners = [(off_s, 0.0, 2 * _SOON), (off_s + half_s, 1.0, 1 - 2 * _SOON), (off_s + 2 * half_s, 0.0, 0.0)]
    yield f"V{layer}_pulse {layer}_pulse 0 {_straight(corners, switching.rise_s)}"
    for node, port, coulombs in zip(nodes, range(1, period.nodes + 1), period.injected_c.tolist(), strict=True):
        yield f"G{layer}_pulse{port} 0 {node} {layer}_pulse 0 {spice_number(coulombs / half_s)}"


def _edges_s(period: OdePeriod, start_s: float) -> tuple[float, float]:
    """When the period's clock begins to rise, and when it begins to fall."""
    return start_s + period.late_on_s, start_s + period.period_s + period.late_off_s


def _straight(corners: Sequence[tuple[float, float, float]], rise_s: float) -> str:
    """Straight lines between corners: when each is, its level, and the level soon after it, on an edge of `rise_s`."""
    points = [(0.0, corners[0][1])] if corners[0][0] > 0 else []
    for time_s, level, ahead in corners:
        points += [(time_s, level), (time_s + _SOON * rise_s, ahead)]
    table = " ".join(f"{spice_number(time_s)} {spice_number(level)}" for time_s, level in points)
    return f"pwl({table})"
