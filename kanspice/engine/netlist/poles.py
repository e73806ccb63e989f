"""The pole of a period's branches as circuit elements: between every node, or its switch, and the bank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import OdePeriod
from kanspice.engine.netlist.names import clock_node, layer_of

POLE = "branch_pole"


def pole_lines(period: OdePeriod, lag_s: float, outer: Sequence[str], inner: Sequence[str]) -> Iterator[str]:
    """A pole of that time constant for each node. outer, inner: nodes by their numbers, ground first, on both sides."""
    layer, ohm = layer_of(period.name), period.unit_v / period.current_unit_a
    values = f"ohm={spice_number(ohm)} farads={spice_number(lag_s / ohm)}"
    for node, (outside, inside) in enumerate(zip(outer[1:], inner[1:], strict=True), start=1):
        yield f"X{layer}_pole{node} {outside} {inside} {clock_node(layer)} {POLE} {values}"


def always_on_line(period: OdePeriod) -> str:
    """The clock of a period that is simulated by itself."""
    layer = layer_of(period.name)
    return f"V{layer}_clock {clock_node(layer)} 0 1"
