"""A circuit as instances of modules, as VACASK and Spectre have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from kanspice.base.errors import InputError
from kanspice.experiments.export.circuit import PlainCircuit
from kanspice.experiments.export.elements import (
    GROUND,
    Behavioural,
    Controlled,
    Element,
    Instance,
    Passive,
    Points,
    Source,
    Subcircuit,
)
from kanspice.experiments.export.expressions import (
    Current,
    Expression,
    Leaf,
    Number,
    Parameter,
    Voltage,
    rebuilt,
)
from kanspice.experiments.export.formats.verilog_a import (
    BASIC_MODULES,
    nodes_in,
    probed,
    verilog_name,
    verilog_number,
)


def instance_lines(circuit: PlainCircuit, between: str) -> Iterator[str]:
    """The circuit as instances of modules, section by section. between: the numbers of a list.

    Raises InputError for an element that has no module.
    """
    for section in circuit.sections:
        yield f"// ===== {section.title} ====="
        for group in section.groups:
            if group.about:
                yield f"// --- {group.about} ---"
            yield from (_instance_line(each, between) for each in group.elements)
        yield ""


def _instance_line(each: Element, between: str) -> str:
    match each:
        case Passive(kind, name, nodes, value):
            module, key = ("kan_resistor", "r") if kind == "R" else ("kan_capacitor", "c")
            return _line(name, nodes, module, {key: value})
        case Source(kind, name, nodes, value, points):
            module = "vsource" if kind == "V" else "isource"
            return _pwl_line(name, nodes, points, between) if points else _line(name, nodes, module, {"dc": value})
        case Controlled(kind, name, nodes, control, gain) if kind in "EG":
            module, key = ("kan_vcvs", "gain") if kind == "E" else ("kan_vccs", "gm")
            return _line(name, (*nodes, *control), module, {key: gain})
        case Instance(name, nodes, subcircuit, parameters):
            return _line(name[0].upper() + name[1:], nodes, subcircuit, parameters)
        case _:
            found = f"{each.name}: branches built as schematics"
            raise InputError(
                "this element has no module", where="kanspice export", found=found, hint="--to ngspice, xyce or ltspice"
            )


def _line(name: str, nodes: Sequence[str], module: str, parameters: Mapping[str, Expression]) -> str:
    values = "".join(f" {verilog_name(key)}={_value(value)}" for key, value in parameters.items())
    return f"{name} ({' '.join(nodes)}) {module}{values}"


def _value(value: Expression) -> str:
    if not isinstance(value, Number):
        raise ValueError("an instance's parameters are numbers")
    return verilog_number(value.value)


def _pwl_line(name: str, nodes: Sequence[str], points: Points, between: str) -> str:
    """A voltage along straight lines over time."""
    wave = between.join(verilog_number(value) for point in points for value in point)
    return f'{name} ({" ".join(nodes)}) vsource type="pwl" wave=[{wave}]'


def models_used(circuit: PlainCircuit) -> list[str]:
    """The modules that the circuit and its bench are instances of, once."""
    own = [each.subcircuit for each in circuit.elements if isinstance(each, Instance)]
    return list(dict.fromkeys(["vsource", "isource", *BASIC_MODULES, *own]))


def with_modules(circuit: PlainCircuit) -> PlainCircuit:
    """The circuit without behavioural sources of its own: each is an instance of a subcircuit of its shape."""
    shapes: dict[Behavioural, Subcircuit] = {}

    def lifted(each: Element) -> Element:
        return _lifted(each, shapes) if isinstance(each, Behavioural) else each

    sections = tuple(
        replace(section, groups=tuple(replace(g, elements=tuple(map(lifted, g.elements))) for g in section.groups))
        for section in circuit.sections
    )
    return replace(circuit, sections=sections, devices=(*circuit.devices, *shapes.values()))


def _lifted(each: Behavioural, shapes: dict[Behavioural, Subcircuit]) -> Instance:
    """What it becomes: its numbers are parameters, its nodes ports; sources of one shape have one subcircuit."""
    if list(probed(each)):
        problem, hint = "this element has no module", "--to ngspice, xyce or ltspice"
        raise InputError(problem, where="kanspice export", found=f"{each.name}, which reads a current", hint=hint)
    nodes = dict.fromkeys([*each.nodes, *nodes_in(each.value)])
    ports = {node: GROUND if node == GROUND else f"p{place}" for place, node in enumerate(nodes)}
    numbers = dict[str, Expression]()

    def leaf(value: Leaf) -> Expression:
        match value:
            case Number():
                numbers[f"k{len(numbers)}"] = value
                return Parameter(f"k{len(numbers) - 1}")
            case Voltage(node, other):
                return Voltage(ports[node], None if other is None else ports[other])
            case Parameter() | Current():
                return value
            case _:
                assert_never(value)

    ends = (ports[each.nodes[0]], ports[each.nodes[1]])
    many = None if each.many is None else rebuilt(each.many, leaf)
    shape = Behavioural(each.gives, "Blaw", ends, rebuilt(each.value, leaf), many)
    if shape not in shapes:
        about = ("A source of the circuit's own; k0 and so on are its numbers.",)
        others = tuple(port for port in ports.values() if port != GROUND)
        defaults = {name: Number(1.0) for name in numbers}
        shapes[shape] = Subcircuit(f"own_law_{len(shapes) + 1}", others, defaults, about, [shape])
    outer = tuple(node for node in nodes if node != GROUND)
    return Instance(f"X{each.name}", outer, shapes[shape].name, numbers)
