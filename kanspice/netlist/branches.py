"""A KirchhoffNet's branches as behavioural current sources: one bank, a subcircuit, for each period."""

from __future__ import annotations

from collections.abc import Iterator

from kanspice.design import OdePeriod
from kanspice.design.branches import LEAK
from kanspice.devices.curves import spice_literal
from kanspice.netlist.names import bank, branch_element, layer_of, period_node
from kanspice.units import spice_number


def bank_text(period: OdePeriod) -> str:
    """The subcircuit of a period's branches; its ports are the nodes from 1 on."""
    layer = layer_of(period.name)
    ports = [period_node(layer, node) for node in range(1, period.nodes + 1)]
    lines = [f".subckt {bank(layer)}", *(f"+ {port}" for port in ports), *_branches(period, layer), ".ends"]
    return "\n".join(lines) + "\n"


def _branches(period: OdePeriod, layer: str) -> Iterator[str]:
    """A line for every branch that carries a current and changes a voltage."""
    ends = zip(period.source.tolist(), period.destination.tolist(), strict=True)
    for index, ((source, destination), theta) in enumerate(zip(ends, period.theta.T.tolist(), strict=True)):
        if source != destination:
            nodes = period_node(layer, source), period_node(layer, destination)
            yield from _branch(period, branch_element(index), nodes, theta)


def _branch(period: OdePeriod, name: str, nodes: tuple[str, str], theta: list[float]) -> list[str]:
    source, destination = nodes
    if period.law == "ShiftTanh1":
        controls = [((source, destination), theta[1])]
        return _tanh_branch(period, name, nodes, controls, theta[0])
    if period.law == "ShiftTanh2":
        controls = [((source, "0"), theta[0]), ((destination, "0"), theta[1])]
        return _tanh_branch(period, name, nodes, controls, theta[2])
    difference = f"{_volts(source)}-{_volts(destination)}"
    siemens = period.current_unit_a / period.unit_v
    if period.law == "Conductance":
        return [f"G{name} {source} {destination} {source} {destination} {spice_number(theta[0] * siemens)}"]
    if period.law in ("ShiftRelu1", "ShiftLeakyRelu1"):
        shift, slope = theta
        drive = f"{difference}-{spice_literal(shift * period.unit_v)}"
        return _source(name, nodes, _rectified(drive, leaky=period.law == "ShiftLeakyRelu1"), slope * siemens)
    terms = zip(theta[:2], nodes, strict=True)
    parts = [f"{spice_literal(p / period.unit_v)}*{_volts(node)}" for p, node in terms if node != "0"]
    drive = "+".join([*parts, spice_literal(theta[2])])
    return _source(name, nodes, _rectified(drive, leaky=period.law == "ShiftLeakyRelu2"), period.current_unit_a)


def _tanh_branch(
    period: OdePeriod, name: str, nodes: tuple[str, str], controls: list[tuple[tuple[str, str], float]], offset: float
) -> list[str]:
    """The drive as the voltage over 1 ohm, and a current that is the tanh of it.

    A function of one voltage has one derivative: 2.2 times faster than one of both ends, and its numbers are exact.
    """
    drive = f"d{name.removeprefix('e')}"
    sums = [
        f"G{name}_{place} 0 {drive} {' '.join(pair)} {spice_number(p / period.unit_v)}"
        for place, (pair, p) in enumerate(controls)
        if pair != ("0", "0")
    ]
    bias = f"I{name} 0 {drive} {spice_number(offset)}"
    return [*sums, bias, f"R{name} {drive} 0 1", *_source(name, nodes, f"tanh(v({drive}))", period.current_unit_a)]


def _volts(node: str) -> str:
    return "0" if node == "0" else f"v({node})"


def _rectified(drive: str, *, leaky: bool) -> str:
    return f"uramp({drive})-{LEAK}*uramp(-({drive}))" if leaky else f"uramp({drive})"


def _source(name: str, nodes: tuple[str, str], shape: str, scale_a: float) -> list[str]:
    """scale_a * shape from the first node to the second; the multiplier `m` is exact and never below zero."""
    if scale_a == 0:
        return []
    first, second = nodes if scale_a > 0 else nodes[::-1]
    return [f"B{name} {first} {second} i={shape} m={spice_number(abs(scale_a))}"]
