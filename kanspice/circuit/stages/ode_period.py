"""A period of a KirchhoffNet: branches between node capacitors that are left alone for a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit.branch_laws import LAWS, LawName
from kanspice.circuit.stages.earlier import NONE_EARLIER
from kanspice.circuit.stages.trajectory import period_end_v

if TYPE_CHECKING:
    from kanspice.circuit.design import Design

FillName = Literal["zeros", "repeat"]
_LARGEST_DRAWN = 10.0
"""Standard deviations that no sample's noise exceeds, nor how late its outputs are taken."""


@dataclass(frozen=True)
class OdePeriod:
    """Branches between node capacitors that are left alone for a time; node 0 is ground, at 0 V.

    The current of branch e, from node source[e] to node destination[e], is `current_unit_a * gain[e] *
    g(v_source / unit_v, v_destination / unit_v, theta[:, e])`, g the law's dimensionless function.
    Nodes start at the voltages of the stage before, node 1 at the first of them. What is too much is dropped; new
    nodes start at 0 V (`zeros`), or take the voltages from the first on over again (`repeat`).
    """

    KIND: ClassVar[str] = "period"
    is_behavioural: ClassVar[bool] = False
    amplifies_rounding: ClassVar[bool] = False
    name: str
    compares_to: str
    inputs: int
    nodes: int
    fill: FillName
    law: LawName
    source: Indices
    destination: Indices
    theta: Array
    """(parameters, branches), in the order of the law's rows."""
    current_unit_a: float
    unit_v: float
    unit_s: float
    """What model time 1 takes with capacitors as they should be."""
    capacitor_f: Array
    """(nodes,) from every node to ground."""
    period_s: float
    gain: Array
    """(branches,) what a branch carries, of what it should; 0 or more."""
    tail: Array
    """(branches,) tail current of a schematic's differential pair, of what it should be, at the same transconductance;
    above 0."""
    injected_c: Array
    """(nodes,) coulombs that switching the bank off pushes onto each node, while its clock falls."""
    late_on_s: float
    """By how much the clock's rising edge comes late, seconds; 0 or more."""
    late_off_s: float
    """The same of its falling edge."""

    @property
    def width(self) -> int:
        """Number of nodes, ground left out."""
        return self.nodes

    @property
    def unknowns(self) -> int:
        """How many voltages are solved for: the nodes'."""
        return self.nodes

    @property
    def branches(self) -> int:
        """Number of branches."""
        return int(self.source.shape[0])

    @property
    def device_count(self) -> int:
        """Number of branches."""
        return self.branches

    @property
    def output_v_per_unit(self) -> float:
        """Volts at a node per model unit."""
        return self.unit_v

    def start_v(self, before_v: Array) -> Array:
        """The nodes' voltages (samples, nodes) at the beginning for those of the stage before, (samples, inputs).

        Voltages of all nodes (samples, nodes) are what it begins with.
        """
        given = before_v.shape[1]
        if given >= self.nodes:
            return before_v[:, : self.nodes]
        if self.fill == "zeros":
            return np.pad(before_v, ((0, 0), (0, self.nodes - given)))
        return np.tile(before_v, (1, -(-self.nodes // given)))[:, : self.nodes]

    def fits(self, width: int, _devices: int) -> bool:
        """Whether it can stand behind so many outputs, and is a graph whose every part has its numbers."""
        if self.inputs != width or self.law not in LAWS or self.fill not in get_args(FillName):
            return False
        if min(self.current_unit_a, self.unit_v, self.unit_s, self.period_s) <= 0:
            return False
        if min(self.late_on_s, self.late_off_s) < 0 or not self._has_parts():
            return False
        ends = np.stack([self.source, self.destination]) if self.source.shape == self.destination.shape else None
        if ends is None or ends.ndim != 2 or ends.size == 0:
            return False
        in_range = ends.min() >= 0 and max(int(ends.max()), 1) <= self.nodes
        return bool(in_range) and self.theta.shape == (LAWS[self.law].rows, self.branches)

    def ideal_v(self, _design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """The nodes' voltages (samples, nodes) at its end, for those of the stage before it, (samples, inputs)."""
        return period_end_v(self, input_v)

    def lasts_s(self, design: Design) -> float:
        """Seconds that the design has for it: on, left alone, and sampled where its end is held."""
        if design.switching is None:
            return self.period_s
        off_s = design.switching.rise_s + design.switching.hold_s
        return self.period_s + off_s + design.switching.transfer_s * design.holds(self)

    def largest_v(self, design: Design, before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(nodes,) what they cannot exceed at any moment, either sign."""
        return np.full(self.width, _largest_node_v(design, self, float(self.start_v(before_v[None, :]).max())))

    def steepest_siemens(self) -> float:
        """The most that the current at any node can change by for a change of all voltages."""
        return self.current_unit_a / self.unit_v * _at_node(self, self.gain * LAWS[self.law].slopes(self.theta))

    def _has_parts(self) -> bool:
        """Whether every node has a capacitor and a charge, and every branch a gain and a tail."""
        if not self.capacitor_f.shape == self.injected_c.shape == (self.nodes,):
            return False
        if not self.gain.shape == self.tail.shape == self.source.shape:
            return False
        return bool((self.capacitor_f > 0).all() and (self.gain >= 0).all() and (self.tail > 0).all())


def _at_node(period: OdePeriod, parts: Array) -> float:
    """The largest sum at any node over the branches that end there, of numbers (branches,)."""
    at_node = np.zeros(period.nodes + 1)
    np.add.at(at_node, period.source, parts)
    np.add.at(at_node, period.destination, parts)
    return float(at_node[1:].max())


def _largest_node_v(design: Design, period: OdePeriod, start_v: float) -> float:
    """Gronwall: with d|v|/dt at most a |v| + b for the largest voltage, |v| grows to (|v| + b t) e^(a t) at most.

    Behind a switch of resistance R, voltages differ from the nodes' by at most R times the current. What nodes lose
    only makes them smaller.
    """
    slope, offset = LAWS[period.law].growth(period.theta)
    if design.schematic is not None:
        offset = offset * np.maximum(1.0, design.schematic.pair_saturation * period.tail)
    totals = [_at_node(period, period.gain * part) for part in (slope, offset)]
    if design.switching is not None:
        left = 1 - design.switching.on_ohm * totals[0] * period.current_unit_a / period.unit_v
        if left <= 0:
            return float("inf")
        totals = [total / left for total in totals]
    on_s = period.period_s + period.late_off_s + _LARGEST_DRAWN * design.jitter_s
    time = on_s * period.current_unit_a / float(period.capacitor_f.min()) / period.unit_v
    pushed_v = float((np.abs(period.injected_c) / period.capacitor_f).max())
    with np.errstate(over="ignore"):
        return float((start_v + pushed_v + totals[1] * time * period.unit_v) * np.exp(totals[0] * time))
