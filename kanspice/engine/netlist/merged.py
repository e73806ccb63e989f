"""Branches between the same two nodes as one source, whichever way each of them points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import OdePeriod
from kanspice.circuit.branch_laws import LAWS
from kanspice.devices.curves import spice_literal
from kanspice.engine.netlist.branches import branches_of, carries_current
from kanspice.engine.netlist.elimination import elimination_order
from kanspice.engine.netlist.names import layer_of, pair_element

NodePair = tuple[int, int]
"""Two nodes, the higher first, so that ground is always the second."""
Term = tuple[int, float, float]
"""A rectifying branch: 1 if it points from the higher node to the lower, else -1; its shift, volts; units per volt."""


def pair_of(source: int, destination: int) -> NodePair:
    """The two ends of a branch."""
    return max(source, destination), min(source, destination)


def parallel_branches(period: OdePeriod) -> dict[NodePair, list[int]]:
    """The branches of every pair that has one which carries a current, in the order in which the elements are written.

    ngspice sets its elements up from the last to the first, so those of the node that is eliminated first come last.
    """
    pairs: dict[NodePair, list[int]] = {}
    source, destination = period.source.tolist(), period.destination.tolist()
    for index in np.flatnonzero(carries_current(period)).tolist():
        pairs.setdefault(pair_of(source[index], destination[index]), []).append(index)
    rank = {node: place for place, node in enumerate([0, *elimination_order(period.nodes, pairs)])}
    places = {pair: sorted((rank[pair[0]], rank[pair[1]])) for pair in pairs}
    return {pair: pairs[pair] for pair in sorted(pairs, key=places.__getitem__, reverse=True)}


def pair_lines(period: OdePeriod, nodes: Sequence[str], pairs: dict[NodePair, list[int]]) -> Iterator[str]:
    """The elements of every pair: one source, and what its current depends on.

    nodes: those of the bank by their numbers, ground first.
    """
    law = LAWS[period.law]
    if law.is_conductance:
        return _conductances(period, nodes, pairs)
    if law.is_shifted_rectifier:
        return _tables(period, nodes, pairs)
    return _sums(period, nodes, pairs)


def _conductances(period: OdePeriod, nodes: Sequence[str], pairs: dict[NodePair, list[int]]) -> Iterator[str]:
    alpha = LAWS[period.law].drive.coefficients(period.theta).alpha
    siemens = (period.gain * alpha * (period.current_unit_a / period.unit_v)).tolist()
    layer = layer_of(period.name)
    for pair, branches in pairs.items():
        ends = " ".join(nodes[node] for node in pair)
        yield f"G{pair_element(layer, *pair)} {ends} {ends} {spice_number(sum(siemens[index] for index in branches))}"


def _tables(period: OdePeriod, nodes: Sequence[str], pairs: dict[NodePair, list[int]]) -> Iterator[str]:
    """Tables of currents, in units, over differences of voltages: exact between the kinks of all branches and beyond.

    ngspice continues a table along its first and last piece, and keeps its numbers to the last bit.
    """
    law = LAWS[period.law]
    of, below = law.drive.coefficients(period.theta), law.activation.below or 0.0
    shifts_v = (-of.gamma * period.unit_v).tolist()
    slopes = (period.gain * of.weight / period.unit_v).tolist()
    source = period.source.tolist()
    for pair, branches in pairs.items():
        terms = [(1 if source[index] == pair[0] else -1, shifts_v[index], slopes[index]) for index in branches]
        kinks_v = sorted({sign * shift_v for sign, shift_v, _ in terms})
        before_v, after_v = (max(period.unit_v, abs(kinks_v[end])) for end in (0, -1))
        points_v = [kinks_v[0] - before_v, *kinks_v, kinks_v[-1] + after_v]
        table = ",".join(f"{spice_number(volts)},{spice_number(_current(terms, below, volts))}" for volts in points_v)
        difference = "-".join(f"v({nodes[node]})" for node in pair if node)
        yield _source(period, nodes, pair, f"pwl({difference},{table})")


def _current(terms: Sequence[Term], below: float, volts: float) -> float:
    """From the higher node to the lower, in units, at this difference of their voltages."""
    total = 0.0
    for sign, shift_v, slope in terms:
        drive = sign * volts - shift_v
        total += sign * slope * (drive if drive > 0 else below * drive)
    return total


def _sums(period: OdePeriod, nodes: Sequence[str], pairs: dict[NodePair, list[int]]) -> Iterator[str]:
    branch, source = branches_of(period, nodes), period.source.tolist()
    for pair, branches in pairs.items():
        expression = ""
        for index in branches:
            each = branch(index)
            before, shape = each.behaviour()
            yield from before
            weight = each.weight * each.gain
            times = "" if abs(weight) == 1 else f"{spice_literal(abs(weight))}*"
            expression += f"{'+' if (source[index] == pair[0]) == (weight > 0) else '-'}{times}({shape})"
        yield _source(period, nodes, pair, expression.removeprefix("+"))


def _source(period: OdePeriod, nodes: Sequence[str], pair: NodePair, expression: str) -> str:
    name, ends = pair_element(layer_of(period.name), *pair), " ".join(nodes[node] for node in pair)
    return f"B{name} {ends} i={expression} m={spice_number(period.current_unit_a)}"
