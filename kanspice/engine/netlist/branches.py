"""A KirchhoffNet's branches as circuit elements: one bank for each period, flat in the circuit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import assert_never

import numpy as np
import numpy.typing as npt

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import OdePeriod, Schematic
from kanspice.circuit.branch_laws import LAWS, BranchLaw
from kanspice.devices.curves import spice_literal
from kanspice.engine.netlist.names import branch_element, inner_node, layer_of

_EXACT = Schematic(0.0, math.inf, math.inf, 1.0, math.inf)


def bank_text(period: OdePeriod, elements: Iterable[str]) -> Iterator[str]:
    """The text of a period's branches, line by line."""
    return (f"{line}\n" for line in chain([f"* {period.name}: {period.branches} branches"], elements))


def carries_current(period: OdePeriod) -> npt.NDArray[np.bool_]:
    """(branches,) False for those that change no voltage: from a node to itself, or of slope or gain 0."""
    carries: npt.NDArray[np.bool_] = (period.source != period.destination) & (period.gain > 0)
    carries &= LAWS[period.law].drive.coefficients(period.theta).weight != 0
    return carries


def branch_lines(period: OdePeriod, nodes: Sequence[str], schematic: Schematic | None = None) -> Iterator[str]:
    """The elements of every branch that carries a current and changes a voltage; ideal sources without a schematic.

    nodes: those of the bank by their numbers, ground first.
    """
    branch = branches_of(period, nodes)
    for index in np.flatnonzero(carries_current(period)).tolist():
        yield from branch(index).elements(schematic)


def branches_of(period: OdePeriod, nodes: Sequence[str]) -> Callable[[int], BranchText]:
    """The function that gives a branch by its index; nodes: those of the bank by their numbers, ground first."""
    law = LAWS[period.law]
    of = law.drive.coefficients(period.theta)
    columns = of.alpha, of.beta, of.gamma, of.weight, period.gain, period.tail
    source, destination, numbers = period.source.tolist(), period.destination.tolist(), np.stack(columns, 1).tolist()
    return lambda index: BranchText(
        period, law, index, nodes[source[index]], nodes[destination[index]], *numbers[index]
    )


@dataclass(frozen=True)
class BranchText:
    """One branch: from node `source` to node `destination`, weight * activation(alpha v_s + beta v_d + gamma) in units.

    Its gain is that of all of its parts: of `gain` times as many of them in parallel.
    """

    period: OdePeriod
    law: BranchLaw
    index: int
    source: str
    destination: str
    alpha: float
    beta: float
    gamma: float
    weight: float
    gain: float
    tail: float

    @property
    def name(self) -> str:
        return branch_element(layer_of(self.period.name), self.index)

    @property
    def inner(self) -> str:
        return inner_node(layer_of(self.period.name), self.index)

    def behaviour(self) -> tuple[list[str], str]:
        """The elements that its current depends on, and what its weight multiplies, in units, as an expression."""
        if not self.law.is_inline:
            elements = self._drive(_EXACT, unit_a=1.0, load_ohm=1.0)
            return elements, self.law.activation.text(f"v({self.inner})")
        terms = zip((self.alpha, self.beta), (self.source, self.destination), strict=True)
        parts = [f"{spice_literal(p / self.period.unit_v)}*{_volts(node)}" for p, node in terms if node != "0"]
        return [], self.law.activation.text("+".join([*parts, spice_literal(self.gamma)]))

    def elements(self, schematic: Schematic | None) -> list[str]:
        """Its elements: one source, and what it needs, or the parts of a schematic."""
        if schematic is not None:
            return self._built(schematic)
        if self.law.is_conductance:
            return self._conductance()
        if self.law.is_shifted_rectifier:
            shift_v = spice_literal(-self.gamma * self.period.unit_v)
            drive = f"{_volts(self.source)}-{_volts(self.destination)}-{shift_v}"
            return self._source(self.law.activation.text(drive), self.weight * self._siemens)
        before, shape = self.behaviour()
        return [*before, *self._source(shape, self.weight * (self.gain * self.period.current_unit_a))]

    def _built(self, schematic: Schematic) -> list[str]:
        match self.law.schematic:
            case "conductance":
                return self._conductance()
            case "pair":
                return self._pair(schematic)
            case "switched conductance":
                return self._switched_conductance(schematic)
            case "switched sources":
                return self._switched_sources(schematic)
            case None:
                raise ValueError(f"{self.law.name} has no schematic")
            case name:
                assert_never(name)

    def _conductance(self) -> list[str]:
        return [f"G{self.name} {self._ends} {self._ends} {spice_number(self.alpha * self._siemens)}"]

    @property
    def _ends(self) -> str:
        return f"{self.source} {self.destination}"

    @property
    def _siemens(self) -> float:
        return self.gain * self.period.current_unit_a / self.period.unit_v

    def _source(self, shape: str, scale_a: float) -> list[str]:
        """scale_a * shape from source to destination; the multiplier `m` is exact and never below zero."""
        ends = self._ends if scale_a > 0 else f"{self.destination} {self.source}"
        return [f"B{self.name} {ends} i={shape} m={spice_number(abs(scale_a))}"]

    def _drive(self, schematic: Schematic, *, unit_a: float, load_ohm: float) -> list[str]:
        """The sum of what the VCCS and the current source give, into a load at the inner node.

        A function of this one voltage has one derivative, where one of both ends has two: it is 2.2 times as fast.
        """
        controls = [((self.source, "0"), self.alpha), ((self.destination, "0"), self.beta)]
        if self.law.drive.of_difference:
            controls = [((self.source, self.destination), self.alpha)]
        lines = [
            self._vccs(f"{self.name}_{place}", pair, p / self.period.unit_v, schematic.vccs_saturation, unit_a)
            for place, (pair, p) in enumerate(controls)
            if pair != ("0", "0")
        ]
        lines.append(f"I{self.name} 0 {self.inner} {spice_number(self.gamma * unit_a)}")
        return [*lines, f"R{self.name} {self.inner} 0 {spice_number(load_ohm)}"]

    def _vccs(self, name: str, pair: Sequence[str], gain: float, largest: float, unit_a: float) -> str:
        """unit_a * gain * v(pair) into the inner node; as a tanh that saturates at `largest` * unit_a."""
        if math.isinf(largest):
            return f"G{name} 0 {self.inner} {' '.join(pair)} {spice_number(gain * unit_a)}"
        drive = f"{spice_literal(gain / largest)}*({_volts(pair[0])}-{_volts(pair[1])})"
        return f"B{name} 0 {self.inner} i=tanh({drive}) m={spice_number(largest * unit_a)}"

    def _pair(self, schematic: Schematic) -> list[str]:
        """A differential pair's large-signal current: its tail's times the tanh of the drive."""
        tail = schematic.pair_saturation * self.tail
        drive = f"v({self.inner})" if tail == 1 else f"v({self.inner})*{spice_literal(1 / tail)}"
        current = self._source(f"tanh({drive})", self.gain * tail * self.period.current_unit_a)
        return [*self._drive(schematic, unit_a=1.0, load_ohm=1.0), *current]

    def _switched_conductance(self, schematic: Schematic) -> list[str]:
        """Fig. 5, left: conductance and current source in parallel, and a one-sided switch behind them.

        A negative slope turns the current around, which no passive part can: a mirror copies it the other way.
        """
        siemens = abs(self.weight) * self._siemens
        first, last, mirror = self.source, self.destination, []
        if self.weight < 0:
            first, last = f"{self.inner}b", f"{self.inner}m"
            mirror = [
                f"E{self.name} {first} 0 {self._ends} 1",
                f"V{self.name} {last} 0 0",
                f"F{self.name} {self._ends} V{self.name} -1",
            ]
        return [
            f"G{self.name} {first} {self.inner} {first} {self.inner} {spice_number(siemens)}",
            f"I{self.name} {self.inner} {first} {spice_number(-self.gamma * self.period.unit_v * siemens)}",
            _one_sided_switch(self.name, self.inner, last, schematic, self.gain),
            *mirror,
        ]

    def _switched_sources(self, schematic: Schematic) -> list[str]:
        """Fig. 5, right: VCCS and current source behind a one-sided switch, whose current flows between the ends."""
        mirror = f"{self.inner}m"
        return [
            *self._drive(schematic, unit_a=self.period.current_unit_a, load_ohm=schematic.source_ohm),
            _one_sided_switch(self.name, self.inner, mirror, schematic, 1.0),
            f"V{self.name} {mirror} 0 0",
            f"F{self.name} {self._ends} V{self.name} {spice_number(self.gain)}",
        ]


def _one_sided_switch(name: str, first: str, last: str, schematic: Schematic, gain: float) -> str:
    volts = f"{_volts(first)}-{_volts(last)}"
    blocked = "" if math.isinf(schematic.switch_off_ohm) else f"-uramp(-({volts}))/{schematic.switch_off_ohm!r}"
    many = "" if gain == 1 else f" m={spice_number(gain)}"
    return f"B{name} {first} {last} i=uramp({volts})/{schematic.switch_on_ohm!r}{blocked}{many}"


def _volts(node: str) -> str:
    return "0" if node == "0" else f"v({node})"
