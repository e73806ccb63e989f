"""A circuit as elements, read from the lines that kanspice wrote for ngspice, so that any simulator can have it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kanspice.experiments.export.expressions import Expression, Number, parsed

GROUND = "0"
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Passive:
    """A resistor (`R`) or a capacitor (`C`): ohms or farads. start_v: across it at first, of a capacitor."""

    kind: str
    name: str
    nodes: tuple[str, str]
    value: Expression
    start_v: float | None = None


@dataclass(frozen=True)
class Source:
    """An independent source of volts (`V`) or amps (`I`), constant or along straight lines over time."""

    kind: str
    name: str
    nodes: tuple[str, str]
    value: Expression
    points: Points = ()


@dataclass(frozen=True)
class Controlled:
    """A linear source: `E` and `G` are controlled by a voltage between nodes, `F` and `H` by a source's current."""

    kind: str
    name: str
    nodes: tuple[str, str]
    control: tuple[str, ...]
    gain: Expression


@dataclass(frozen=True)
class Behavioural:
    """A source whose volts (`v`) or amps (`i`) are an expression, times `many`."""

    gives: str
    name: str
    nodes: tuple[str, str]
    value: Expression
    many: Expression | None = None


@dataclass(frozen=True)
class Instance:
    """An instance of a subcircuit."""

    name: str
    nodes: tuple[str, ...]
    subcircuit: str
    parameters: Mapping[str, Expression]


@dataclass(frozen=True)
class Junction:
    """A diode (`D`) or a transistor (`Q`) of a model."""

    kind: str
    name: str
    nodes: tuple[str, ...]
    model: str


_FEWEST = {"R": 3, "C": 3, "V": 3, "I": 3, "E": 5, "G": 5, "F": 4, "H": 4, "B": 3, "X": 2, "D": 3, "Q": 4}
"""Words after the name."""
Element = Passive | Source | Controlled | Behavioural | Instance | Junction


@dataclass(frozen=True)
class Model:
    """The model of junctions: `d` or `npn`."""

    name: str
    kind: str
    parameters: Mapping[str, Expression]


@dataclass
class Subcircuit:
    """A subcircuit. about: what stands above it, line by line."""

    name: str
    ports: tuple[str, ...]
    parameters: Mapping[str, Expression]
    about: tuple[str, ...]
    elements: list[Element] = field(default_factory=list)
    models: list[Model] = field(default_factory=list)


def subcircuits_of(text: str) -> list[Subcircuit]:
    """The subcircuits of a library, in its order. Raises ValueError for a line that is none of ours."""
    found, about, current = list[Subcircuit](), list[str](), None
    for line in text.splitlines():
        card = line.split(maxsplit=1)[0].lower() if line.strip() else ""
        if line.startswith("*"):
            about.append(line[1:].removeprefix(" "))
        elif card == ".subckt":
            current = _begun(line, tuple(about))
            found.append(current)
        elif card == ".ends":
            current, about = None, []
        elif card == ".model" and current is not None:
            current.models.append(_model(line))
        elif card and current is not None:
            current.elements.append(element(line))
        elif not card:
            about = []
        else:
            raise ValueError(f"no line of a library of ours: {line[:80]!r}")
    return found


def element(line: str) -> Element:
    """The element of a line. Raises ValueError for a line that is none of ours."""
    kind, (name, *words) = line[0].upper(), line.split()
    if len(words) < _FEWEST.get(kind, 2):
        raise ValueError(f"no whole element of ours: {line[:80]!r}")
    nodes = (words[0], words[1])
    match kind:
        case "R" | "C":
            start = words[3].removeprefix("ic=") if len(words) > 3 else None
            return Passive(kind, name, nodes, _value(words[2]), None if start is None else float(start))
        case "V" | "I":
            rest = " ".join(words[2:])
            points = _points(rest)
            return Source(kind, name, nodes, Number(0.0) if points else _value(rest), points)
        case "E" | "G":
            return Controlled(kind, name, nodes, (words[2], words[3]), _value(words[4]))
        case "F" | "H":
            return Controlled(kind, name, nodes, (words[2],), _value(words[3]))
        case "B":
            return _behavioural(name, nodes, line.split(maxsplit=3)[3])
        case "X":
            return _instance(name, words)
        case "D":
            return Junction(kind, name, nodes, words[2])
        case "Q":
            return Junction(kind, name, (words[0], words[1], words[2]), words[3])
        case _:
            raise ValueError(f"no element of ours: {line[:80]!r}")


def _behavioural(name: str, nodes: tuple[str, str], rest: str) -> Behavioural:
    text, _, many = rest.partition(" m=")
    gives, _, value = text.partition("=")
    return Behavioural(gives.strip().lower(), name, nodes, parsed(value), parsed(many) if many else None)


def _instance(name: str, words: list[str]) -> Instance:
    plain = [word for word in words if "=" not in word]
    pairs = (word.partition("=") for word in words if "=" in word)
    parameters = {key: _value(value) for key, _, value in pairs}
    return Instance(name, tuple(plain[:-1]), plain[-1], parameters)


def _begun(line: str, about: tuple[str, ...]) -> Subcircuit:
    head, _, tail = line.partition("params:")
    _, name, *ports = head.split()
    parameters = {key: _value(value) for key, _, value in (word.partition("=") for word in tail.split())}
    return Subcircuit(name, tuple(ports), parameters, about)


def _model(line: str) -> Model:
    found = re.fullmatch(r"\.model\s+(\w+)\s+(\w+)\((.*)\)", line.strip())
    if found is None:
        raise ValueError(f"no model of ours: {line[:80]!r}")
    parameters = {key: _value(value) for key, _, value in (word.partition("=") for word in found[3].split())}
    return Model(found[1], found[2], parameters)


def _value(text: str) -> Expression:
    return parsed(text)


def _points(text: str) -> Points:
    if not text.lower().startswith("pwl("):
        return ()
    numbers = [float(word) for word in text[4:].rstrip(")").split()]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def written(lines: Iterable[str]) -> Iterator[Element]:
    """The elements of some lines, which hold nothing else but comments and empty lines."""
    return (element(line) for line in lines if line.strip() and not line.startswith("*"))
