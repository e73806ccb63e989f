"""Subcircuits as modules of Verilog-A, which VACASK and Spectre have in common.

A module holds all that a subcircuit is made of, those that are in it included: compilers of Verilog-A want no instances
in a module. Where a current is probed a voltage of 0 is a parameter: a literal 0 would make one node of both ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from kanspice.base.spice_numbers import spice_number
from kanspice.engine.netlist.stages.junctions import SIMULATED_V
from kanspice.experiments.export.elements import (
    GROUND,
    Behavioural,
    Controlled,
    Element,
    Instance,
    Junction,
    Model,
    Passive,
    Source,
    Subcircuit,
)
from kanspice.experiments.export.expressions import (
    Condition,
    Current,
    Expression,
    Function,
    Negative,
    Number,
    Operation,
    Parameter,
    Voltage,
    children,
)
from kanspice.experiments.export.formats.opened import opened
from kanspice.experiments.export.formats.spice import curve_pieces

HEAD = '`include "disciplines.vams"\n'
_RESERVED = frozenset(
    ["input", "output", "inout", "real", "integer", "branch", "ground", "module", "begin", "end", "analog"]
)
_SMALLEST = 2.3e-308
_LARGEST_EXPONENT = 80
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}

BASICS = """// A resistor.
module kan_resistor(a, b);
 inout a, b; electrical a, b;
 (*type="instance"*) parameter real r = 1.0;
 analog I(a, b) <+ V(a, b) / r;
endmodule

// A capacitor.
module kan_capacitor(a, b);
 inout a, b; electrical a, b;
 (*type="instance"*) parameter real c = 1.0;
 analog I(a, b) <+ c * ddt(V(a, b));
endmodule

// A voltage that another one controls.
module kan_vcvs(a, b, plus, minus);
 inout a, b, plus, minus; electrical a, b, plus, minus;
 (*type="instance"*) parameter real gain = 1.0;
 analog V(a, b) <+ gain * V(plus, minus);
endmodule

// A current that a voltage controls.
module kan_vccs(a, b, plus, minus);
 inout a, b, plus, minus; electrical a, b, plus, minus;
 (*type="instance"*) parameter real gm = 1.0;
 analog I(a, b) <+ gm * V(plus, minus);
endmodule
"""
BASIC_MODULES = ("kan_resistor", "kan_capacitor", "kan_vcvs", "kan_vccs")


def modules_text(title: str, subcircuits: Sequence[Subcircuit], library: Sequence[Subcircuit], extra: str = "") -> str:
    """A file of modules. library: all subcircuits that others may hold. extra: modules that stand before."""
    known = {each.name: each for each in library}
    parts = ["\n".join(_module(each, known)) for each in subcircuits]
    return "\n".join([f"// {title}", HEAD, *([extra] if extra else []), *(f"{part}\n" for part in parts)])


def verilog_number(value: float) -> str:
    """The shortest text that is the value, as a real number; 0 for what is below normal numbers."""
    return spice_number(value if abs(value) >= _SMALLEST else 0.0)


def verilog_name(name: str) -> str:
    """A name that is no word of the language."""
    return f"{name}_" if name in _RESERVED else name


@dataclass(frozen=True)
class _Branch:
    """A branch with a name, from `first` to `last`; from a node to ground where its sign is 1, else the other way."""

    name: str
    first: str
    last: str

    @property
    def declared(self) -> str:
        ends = [node for node in (self.first, self.last) if node != GROUND]
        return f" branch ({', '.join(map(verilog_name, ends))}) {self.name};"

    @property
    def sign(self) -> str:
        return "-" if self.first == GROUND else ""


def _module(subcircuit: Subcircuit, library: Mapping[str, Subcircuit]) -> Iterator[str]:
    elements = list(opened(subcircuit, library))
    ports = [verilog_name(port) for port in subcircuit.ports]
    inner = [verilog_name(node) for node in _nodes(elements) if node not in subcircuit.ports]
    driven = [each for each in elements if _drives(each)]
    branches = {each.name.lower(): _Branch(f"b_{each.name.lower()}", each.nodes[0], each.nodes[1]) for each in driven}
    read = {name for each in elements for name in probed(each)}
    yield from (f"// {line}" for line in subcircuit.about)
    yield f"module {subcircuit.name}({', '.join(ports)});"
    yield f" inout {', '.join(ports)}; electrical {', '.join([*ports, *inner])};"
    for name, value in subcircuit.parameters.items():
        if not isinstance(value, Number):
            raise ValueError(f"no number: {subcircuit.name}, {name}")
        yield f' (*type="instance"*) parameter real {verilog_name(name)} = {verilog_number(value.value)};'
    if any(_is_zero(each) and each.name.lower() in read for each in elements):
        yield ' (*type="instance"*) parameter real zero = 0.0;'
    yield from (branch.declared for branch in branches.values())
    yield " analog begin"
    for each in elements:
        if isinstance(each, Junction):
            (model,) = (model for model in subcircuit.models if model.name == each.model)
            yield from (f"  {line}" for line in _junction(each, model))
        else:
            yield from (f"  {line}" for line in _contribution(each, branches, read))
    yield " end"
    yield "endmodule"


def _nodes(elements: Sequence[Element]) -> list[str]:
    """All but ground, once."""
    found = dict[str, None]()
    for each in elements:
        controls = each.control if isinstance(each, Controlled) and each.kind in "EG" else ()
        found |= dict.fromkeys((*each.nodes, *controls))
        if isinstance(each, Behavioural):
            found |= dict.fromkeys(nodes_in(each.value))
    return [node for node in found if node != GROUND]


def nodes_in(value: Expression) -> Iterator[str]:
    """The nodes whose voltages it needs."""
    if isinstance(value, Voltage):
        yield from (node for node in (value.node, value.other) if node is not None)
    for part in children(value):
        yield from nodes_in(part)


def _drives(each: Element) -> bool:
    """Whether it says a voltage, for which its branch needs a name of its own."""
    match each:
        case Source(kind):
            return kind == "V"
        case Controlled(kind):
            return kind in "EH"
        case Behavioural(gives):
            return gives == "v"
        case _:
            return False


def _is_zero(each: Element) -> bool:
    return isinstance(each, Source) and each.value == Number(0.0)


def probed(each: Element) -> Iterator[str]:
    """The sources whose currents it needs."""
    if isinstance(each, Controlled) and each.kind in "FH":
        yield each.control[0].lower()
    if isinstance(each, Behavioural):
        yield from _currents_in(each.value)


def _currents_in(value: Expression) -> Iterator[str]:
    if isinstance(value, Current):
        yield value.source.lower()
    for part in children(value):
        yield from _currents_in(part)


def _contribution(each: Element, branches: Mapping[str, _Branch], probed: set[str]) -> Iterator[str]:
    """What an element adds to the voltages or the currents of the module."""
    words = _Words(branches)
    match each:
        case Passive(kind, _, nodes, value):
            volts = words.volts(*nodes)
            current = f"{volts} / {words.text(value, 3)}" if kind == "R" else f"{words.text(value, 2)} * ddt({volts})"
            yield words.flow(nodes, current)
        case Source(kind, name, nodes, value, points):
            if points:
                raise ValueError("a source over time is no part of a module")
            zero = _is_zero(each) and name.lower() in probed
            text = "zero" if zero else words.text(value, 1)
            yield words.flow(nodes, text) if kind == "I" else words.drive(name, text)
        case Controlled(kind, name, nodes, control, gain):
            what = words.volts(control[0], control[1]) if kind in "EG" else words.current(control[0])
            text = f"{words.text(gain, 2)} * {what}"
            yield words.flow(nodes, text) if kind in "GF" else words.drive(name, text)
        case Behavioural(gives, name, nodes, value, many):
            yield from _behaviour(words, each)
            del gives, name, nodes, value, many
        case Instance() | Junction():
            raise ValueError(f"no part of a module: {each.name}")
        case _:
            assert_never(each)


def _behaviour(words: _Words, each: Behavioural) -> Iterator[str]:
    factor = "" if each.many is None else f"{words.text(each.many, 2)} * "
    pieces = curve_pieces(each.value)
    if pieces is None:
        text = factor + words.text(each.value, 2 if factor else 1)
        yield words.flow(each.nodes, text) if each.gives == "i" else words.drive(each.name, text)
        return
    opening = words.flow(each.nodes, f"{factor}(") if each.gives == "i" else words.drive(each.name, f"{factor}(")
    yield opening.removesuffix(";")
    for test, value in pieces:
        text = words.text(value, 1)
        yield f" {text}" if test is None else f" {words.text(test, 0)} ? {text} :"
    yield ");" if not opening.endswith("));") else "));"


def _junction(each: Junction, model: Model) -> Iterator[str]:
    """A diode, or a transistor (Ebers and Moll, with a reverse current gain of 1)."""
    words, defaults = _Words({}), {"n": Number(1.0), "nf": Number(1.0)}
    own = {key: words.text(value, 2) for key, value in (defaults | dict(model.parameters)).items()}
    saturation = own["is"]
    if each.kind == "D":
        grown = _exponential(words.volts(*each.nodes[:2]), own["n"])
        yield words.flow(each.nodes, f"{saturation} * ({grown} - 1.0)")
        return
    collector, base, emitter = each.nodes
    forward = _exponential(words.volts(base, emitter), own["nf"])
    reverse = _exponential(words.volts(base, collector), "1.0")
    yield words.flow((collector, emitter), f"{saturation} * ({forward} - {reverse})")
    yield words.flow((base, emitter), f"{saturation} / {own['bf']} * ({forward} - 1.0)")
    yield words.flow((base, collector), f"{saturation} * ({reverse} - 1.0)")


def _exponential(volts: str, ideality: str) -> str:
    """Of a junction's voltage; straight beyond where no solution is, but iterations pass by."""
    x, most = f"({volts} / ({ideality} * {verilog_number(SIMULATED_V)}))", f"{_LARGEST_EXPONENT}.0"
    return f"(exp(min({x}, {most})) * (1.0 + max({x} - {most}, 0.0)))"


@dataclass(frozen=True)
class _Words:
    """Voltages, currents and expressions in Verilog-A."""

    branches: Mapping[str, _Branch]

    def volts(self, first: str, last: str) -> str:
        if first == GROUND:
            return f"(-V({verilog_name(last)}))" if last != GROUND else "0.0"
        return f"V({verilog_name(first)})" if last == GROUND else f"V({verilog_name(first)}, {verilog_name(last)})"

    def current(self, source: str) -> str:
        branch = self.branches[source.lower()]
        return f"({branch.sign}I({branch.name}))" if branch.sign else f"I({branch.name})"

    def flow(self, nodes: Sequence[str], text: str) -> str:
        first, last = nodes[0], nodes[1]
        if first == GROUND:
            return f"I({verilog_name(last)}) <+ -({text});"
        place = verilog_name(first) if last == GROUND else f"{verilog_name(first)}, {verilog_name(last)}"
        return f"I({place}) <+ {text};"

    def drive(self, name: str, text: str) -> str:
        branch = self.branches[name.lower()]
        return f"V({branch.name}) <+ -({text});" if branch.sign else f"V({branch.name}) <+ {text};"

    def text(self, value: Expression, binds: int) -> str:
        """binds: how strongly what stands around it does, 1 for sums, 2 for products."""
        match value:
            case Number(number):
                text = verilog_number(number)
                return f"({text})" if text.startswith("-") else text
            case Parameter(name):
                return verilog_name(name)
            case Voltage(node, other):
                return self.volts(node, GROUND if other is None else other)
            case Current(source):
                return self.current(source)
            case Negative(of):
                return f"(-{self.text(of, 3)})"
            case Operation():
                return self._operation(value, binds)
            case Condition(test, yes, no):
                return f"({self.text(test, 0)} ? {self.text(yes, 1)} : {self.text(no, 1)})"
            case Function():
                return self._function(value)
            case _:
                assert_never(value)

    def _operation(self, value: Operation, binds: int) -> str:
        sign, first, second = value.sign, value.first, value.second
        if sign == "^":
            base = self.text(first, 3)
            return f"({base} * {base})" if second == Number(2.0) else f"pow({base}, {self.text(second, 0)})"
        if sign in _BINDS:
            own = _BINDS[sign]
            text = f"{self.text(first, own)} {sign} {self.text(second, own + 1)}"
            return f"({text})" if own < binds else text
        return f"{self.text(first, 1)} {sign} {self.text(second, 1)}"

    def _function(self, value: Function) -> str:
        texts = [self.text(argument, 1) for argument in value.arguments]
        match value.name:
            case "uramp":
                return f"max({texts[0]}, 0.0)"
            case "u":
                return f"({texts[0]} > 0.0 ? 1.0 : 0.0)"
            case name:
                return f"{name}({', '.join(texts)})"
