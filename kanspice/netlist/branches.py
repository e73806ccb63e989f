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
            line = _branch(period, branch_element(index), nodes, theta)
            if line:
                yield line


def _branch(period: OdePeriod, name: str, nodes: tuple[str, str], theta: list[float]) -> str:
    source, destination = nodes
    difference = f"{_volts(source)}-{_volts(destination)}"
    siemens = period.current_unit_a / period.unit_v
    if period.law == "Conductance":
        return f"G{name} {source} {destination} {source} {destination} {spice_number(theta[0] * siemens)}"
    if period.law in ("ShiftRelu1", "ShiftLeakyRelu1"):
        shift, slope = theta
        drive = f"{difference}-{spice_literal(shift * period.unit_v)}"
        return _source(name, nodes, _rectified(drive, leaky=period.law == "ShiftLeakyRelu1"), slope * siemens)
    if period.law == "ShiftTanh1":
        drive = f"{spice_literal(theta[1] / period.unit_v)}*({difference})+{spice_literal(theta[0])}"
        return _source(name, nodes, f"tanh({drive})", period.current_unit_a)
    terms = zip(theta[:2], nodes, strict=True)
    parts = [f"{spice_literal(p / period.unit_v)}*{_volts(node)}" for p, node in terms if node != "0"]
    drive = "+".join([*parts, spice_literal(theta[2])])
    shape = f"tanh({drive})" if period.law == "ShiftTanh2" else _rectified(drive, leaky=period.law == "ShiftLeakyRelu2")
    return _source(name, nodes, shape, period.current_unit_a)


def _volts(node: str) -> str:
    return "0" if node == "0" else f"v({node})"


def _rectified(drive: str, *, leaky: bool) -> str:
    return f"uramp({drive})-{LEAK}*uramp(-({drive}))" if leaky else f"uramp({drive})"


def _source(name: str, nodes: tuple[str, str], shape: str, scale_a: float) -> str:
    """scale_a * shape from the first node to the second; the multiplier `m` is exact and never below zero."""
    if scale_a == 0:
        return ""
    first, second = nodes if scale_a > 0 else nodes[::-1]
    return f"B{name} {first} {second} i={shape} m={spice_number(abs(scale_a))}"
