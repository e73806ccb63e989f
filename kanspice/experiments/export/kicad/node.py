"""One node of a KirchhoffNet with its branches, on a bench that holds it and measures what they give it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.circuit import Design, OdePeriod
from kanspice.circuit.branch_laws import LAWS
from kanspice.engine.netlist.named import branch_definition, named_branch_lines
from kanspice.engine.netlist.names import layer_of, period_node
from kanspice.engine.solution import Solution
from kanspice.experiments.export.kicad.excerpt import GROUND, LOWER, UPPER, supplies_of
from kanspice.experiments.export.kicad.gathered import Gathered, Rung
from kanspice.experiments.export.kicad.models import OP_AMP, PoleModel, pole_library
from kanspice.experiments.export.kicad.parts import BranchModel, Capacitor, Component, OpAmp, Resistor, VoltageSource

_RAIL_V = 5.0
_PLACE = re.compile(r"(\d{1,9}):v(\d{1,9})")


@dataclass(frozen=True)
class PeriodNode(Gathered):
    """A node as its period begins. unit_ohm: of the resistor that its current is measured with."""

    unit_ohm: float

    @property
    def title(self) -> str:
        return f"Layer {layer_of(self.stage)[1:]}: node {self.output_index} and its branches"

    @property
    def contents(self) -> str:
        return f"{len(self.devices)} branch{'es' * (len(self.devices) != 1)} and a capacitor"

    @property
    def about(self) -> str:
        return (
            f"Branches lead to the node {self.net}, and away from it. {self.amplifier.reference} holds it where it is "
            "as its period begins, and gives their current as a voltage."
        )

    @property
    def notes(self) -> Iterator[str]:
        yield f"{self.amplifier.reference} and {self.feedback.reference} belong to the bench"
        yield f"{self.output} is the node's voltage less {self.unit_ohm:g} ohm times what branches give the node"
        yield f"expected at {self.output}: {self.expected_v:.9g} V"

    @property
    def given(self) -> str:
        return "the nodes' voltages as the period begins"

    @property
    def built(self) -> Iterator[Component]:
        yield from self.devices
        if self.hanging is not None:
            yield self.hanging

    @property
    def driven_by(self) -> Iterator[Component]:
        yield self.feedback
        yield self.amplifier
        yield from self.drives


def first_node(design: Design) -> str:
    """The place of the first node that has a branch."""
    period = design.periods[0]
    ends = np.concatenate([period.source, period.destination])
    return f"{layer_of(period.name)[1:]}:v{int(ends[ends > 0].min())}"


def node_of(design: Design, place: str, solution: Solution, inputs_v: Array) -> PeriodNode:
    """The node at a place, as its period begins in the first sample of a solution of the design.

    inputs_v: (1, inputs) of that sample. Raises InputError where there is none, or where branches are schematics or
    have a pole, whose current is not their law's then.
    """
    period, node = _period_of(design, place)
    layer, numbers = layer_of(period.name), range(1, period.nodes + 1)
    places = [each.name for each in design.periods]
    before_v = inputs_v
    if places.index(period.name):
        before_v = solution.stage_v[places[places.index(period.name) - 1]][:1]
    nodes_v = np.concatenate([[0.0], period.start_v(before_v)[0]])
    net, output, hold = (f"{period_node(layer, node)}{end}" for end in ("", "_out", "_hold"))
    rungs = tuple(_rungs(period, net))
    outer = {rung.outer for rung in rungs}
    others = {period_node(layer, each): nodes_v[each] for each in numbers if period_node(layer, each) in outer}
    volts = {**others, hold: nodes_v[node]}
    drives = tuple(
        Component(f"V{number}", (name, GROUND), VoltageSource(float(value)))
        for number, (name, value) in enumerate(volts.items(), start=1)
    )
    ohm = period.unit_v / period.current_unit_a
    return PeriodNode(
        stage=period.name,
        place=place,
        output=output,
        output_index=node,
        expected_v=float(nodes_v[node] - ohm * _given_a(period, nodes_v, node)),
        supplies=supplies_of(_RAIL_V, len(drives)),
        models="\n".join([branch_definition(LAWS[period.law]), pole_library(has_pole=False)]),
        net=net,
        rungs=rungs,
        drives=drives,
        hanging=Component("C1", (net, GROUND), Capacitor(float(period.capacitor_f[node - 1]))),
        feedback=Component("R1", (net, output), Resistor(ohm)),
        feedback_capacitor=None,
        amplifier=Component("U1", (hold, net, UPPER, LOWER, output), OpAmp(OP_AMP, PoleModel(np.inf))),
        unit_ohm=ohm,
    )


def _period_of(design: Design, place: str) -> tuple[OdePeriod, int]:
    match = _PLACE.fullmatch(place)
    if match is None:
        expected = "LAYER:vNODE, as in 1:v2: node 2 of layer 1"
        raise InputError("no node is called that", where="--part", expected=expected, found=repr(place)[:100])
    layer, node = map(int, match.groups())
    periods = {period.name: period for period in design.periods}
    period = periods.get(f"l{layer}.period")
    if period is None:
        raise InputError("there is no such layer", where=f"--part {place}", expected=f"one of {', '.join(periods)}")
    if not 1 <= node <= period.nodes:
        expected = f"nodes 1 to {period.nodes} of {period.name}"
        raise InputError("there is no such node", where=f"--part {place}", expected=expected)
    if design.schematic is not None or design.lag_s > 0:
        expected = "branches.realisation = 'behavioural', and branches.bandwidth_hz = inf"
        raise InputError("only branches that are their law are drawn", where="--to kicad", expected=expected)
    return period, node


def _given_a(period: OdePeriod, nodes_v: Array, node: int) -> float:
    """What a node gets from its branches at voltages (1 + nodes,)."""
    units = nodes_v / period.unit_v
    amps = LAWS[period.law].currents(units[period.source], units[period.destination], period.theta)
    amps = amps * period.gain * period.current_unit_a
    return float(amps[period.destination == node].sum() - amps[period.source == node].sum())


def _rungs(period: OdePeriod, net: str) -> Iterator[Rung]:
    """The node's branches, those with the same other end together. As in netlists, currents are not below zero."""
    layer, found = layer_of(period.name), dict[str, list[Component]]()
    nodes = [GROUND, *(period_node(layer, each) for each in range(1, period.nodes + 1))]
    number = 0
    for line in named_branch_lines(period, nodes):
        _, first, second, subcircuit, *words = line.split()
        if net not in (first, second):
            continue
        number += 1
        values = {key: float(value) for key, _, value in (word.partition("=") for word in words)}
        model = BranchModel(subcircuit, leaves=first == net, values=tuple(values.items()))
        outer = second if first == net else first
        found.setdefault(outer, []).append(Component(f"X{number}", (first, second), model))
    if not found:
        raise InputError("this node has no branch", where="--part")
    yield from (Rung(outer, tuple(members)) for outer, members in sorted(found.items()))
