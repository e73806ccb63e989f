"""Subcircuits whose own instances are opened: their elements under names of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from kanspice.experiments.export.elements import (
    GROUND,
    Behavioural,
    Controlled,
    Element,
    Instance,
    Junction,
    Passive,
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


def opened(subcircuit: Subcircuit, library: Mapping[str, Subcircuit]) -> Iterator[Element]:
    """The elements, those of subcircuits inside under names of their own."""
    for each in subcircuit.elements:
        if isinstance(each, Instance):
            yield from _opened(each, library)
        else:
            yield each


def _opened(instance: Instance, library: Mapping[str, Subcircuit]) -> Iterator[Element]:
    inside, prefix = library[instance.subcircuit], instance.name.lower()
    nodes = dict(zip(inside.ports, instance.nodes, strict=True)) | {GROUND: GROUND}
    values = dict(inside.parameters) | dict(instance.parameters)
    for each in inside.elements:
        if isinstance(each, Instance | Junction):
            raise ValueError(f"{inside.name} holds more than a module takes: {each.name}")
        yield _moved(each, _Move(prefix, nodes, values))


@dataclass(frozen=True)
class _Move:
    """What an element of a subcircuit becomes in what holds it."""

    prefix: str
    nodes: Mapping[str, str]
    values: Mapping[str, Expression]

    def node(self, name: str) -> str:
        return self.nodes.get(name, f"{self.prefix}_{name}")

    def expression(self, value: Expression) -> Expression:
        return rebuilt(value, self._leaf)

    def _leaf(self, value: Leaf) -> Expression:
        match value:
            case Number():
                return value
            case Parameter(name):
                return self.values[name]
            case Voltage(node, other):
                return Voltage(self.node(node), None if other is None else self.node(other))
            case Current(source):
                return Current(f"{self.prefix}_{source}")
            case _:
                assert_never(value)


def _moved(each: Element, move: _Move) -> Element:
    ends = (move.node(each.nodes[0]), move.node(each.nodes[1]))
    name = f"{move.prefix}_{each.name}"
    match each:
        case Passive():
            return replace(each, name=name, nodes=ends, value=move.expression(each.value))
        case Source():
            return replace(each, name=name, nodes=ends, value=move.expression(each.value))
        case Controlled():
            control = (
                tuple(map(move.node, each.control)) if each.kind in "EG" else (f"{move.prefix}_{each.control[0]}",)
            )
            return replace(each, name=name, nodes=ends, control=control, gain=move.expression(each.gain))
        case Behavioural():
            many = None if each.many is None else move.expression(each.many)
            return replace(each, name=name, nodes=ends, value=move.expression(each.value), many=many)
        case _:
            raise ValueError(f"cannot be moved: {each.name}")
