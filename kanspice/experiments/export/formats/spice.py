"""What the dialects of SPICE have in common: a circuit's elements as lines, expressions in the dialect's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from kanspice.base.spice_numbers import spice_number
from kanspice.engine.netlist.netlist import Text, whole
from kanspice.experiments.export.bench import Bench, Probe
from kanspice.experiments.export.circuit import PlainCircuit
from kanspice.experiments.export.elements import (
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
    is_constant,
)

_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}
_MOST_IN_A_CHAIN = 32
_WIDTH = 110
CIRCUIT, DEVICES, PARTS, DECK = "circuit.cir", "devices.lib", "subcircuits.lib", "bench.cir"
_SAVED_PER_LINE = 6


@dataclass(frozen=True)
class Dialect:
    """How a simulator wants it.

    title, by_hand: of the simulator, and how it runs the deck. literal: a number inside of an expression of a source.
    braced: whether parameters stand in braces there. condition: how one of two things is chosen, with {test}, {yes} and
    {no}. power: its sign. functions: names that differ. source: the text of a behavioural source's value, with {gives}
    and {value}. multiplier: whether a source may have one, ` m=`. instance, subcircuit: what stands before parameters.
    saves: the card that says what is kept.
    """

    title: str
    by_hand: str
    literal: Callable[[float], str]
    braced: bool
    condition: str
    power: str
    functions: Mapping[str, str]
    source: str
    multiplier: bool
    instance: str
    subcircuit: str
    saves: str

    def constant(self, value: Expression) -> str:
        """A value that is known beforehand, as an element's own."""
        if isinstance(value, Number):
            return plain_number(value.value)
        return "{" + self._constant(value) + "}"

    def _constant(self, value: Expression) -> str:
        text = self._text(value, 0, plain_number, braced=False)
        return text[1:-1] if isinstance(value, Negative) else text

    def expression(self, value: Expression) -> str:
        """The value of a behavioural source, on one line."""
        return self._text(value, 0, self.literal, braced=self.braced)

    def _text(self, value: Expression, binds: int, literal: Callable[[float], str], *, braced: bool) -> str:
        def inner(part: Expression, strength: int = 0) -> str:
            return self._text(part, strength, literal, braced=braced)

        if braced and not isinstance(value, Number) and is_constant(value):
            # ngspice puts the text itself in the place of the braces
            text = "{" + self._constant(value) + "}"
            return text if isinstance(value, Parameter) else f"({text})"
        match value:
            case Number(number):
                text = literal(number)
                return f"({text})" if text.startswith("-") else text
            case Parameter(name):
                return name
            case Voltage(node, other):
                return f"v({node})" if other is None else f"v({node},{other})"
            case Current(source):
                return f"i({source})"
            case Negative(of):
                return f"(-{inner(of, 3)})"
            case Operation(sign, first, second) if sign in _BINDS:
                own = _BINDS[sign]
                shown = self.power if sign == "^" else sign
                text = f"{inner(first, own)}{shown}{inner(second, own + 1)}"
                return f"({text})" if own < binds else text
            case Operation(sign, first, second):
                return f"{inner(first)} {sign} {inner(second)}"
            case Condition(test, yes, no):
                return self.condition.format(test=inner(test), yes=inner(yes), no=inner(no))
            case Function(name, arguments):
                return f"{self.functions.get(name, name)}({', '.join(map(inner, arguments))})"
            case _:
                assert_never(value)

    def element(self, each: Element) -> Iterator[str]:
        """The lines of an element."""
        match each:
            case Passive(_, name, nodes, value, _):
                start = "" if each.start_v is None else f" ic={plain_number(each.start_v)}"
                yield f"{name} {' '.join(nodes)} {self.constant(value)}{start}"
            case Source(_, name, nodes, value, points):
                text = points_text(points) if points else self.constant(value)
                yield f"{name} {' '.join(nodes)} {text}"
            case Controlled(_, name, nodes, control, gain):
                yield f"{name} {' '.join(nodes)} {' '.join(control)} {self.constant(gain)}"
            case Behavioural():
                yield from self._behavioural(each)
            case Instance(name, nodes, subcircuit, parameters):
                values = "".join(f" {key}={self.constant(value)}" for key, value in parameters.items())
                between = f" {self.instance}" if values and self.instance else ""
                yield f"{name[0].upper()}{name[1:]} {' '.join(nodes)} {subcircuit}{between}{values}"
            case Junction(_, name, nodes, model):
                yield f"{name} {' '.join(nodes)} {model}"
            case _:
                assert_never(each)

    def _behavioural(self, each: Behavioural) -> Iterator[str]:
        value, many = each.value, ""
        if each.many is not None and self.multiplier:
            many = f" m={self.constant(each.many)}"
        elif each.many is not None:
            value = Operation("*", each.many, each.value)
        begin = f"{each.name} {' '.join(each.nodes)} "
        whole = begin + self.source.format(gives=each.gives, value=self.expression(value)) + many
        pieces = None if len(whole) <= _WIDTH else curve_pieces(each.value)
        if pieces is None:
            yield whole
            return
        opening, closing = self.source.split("{value}")
        yield begin + opening.format(gives=each.gives)
        factor = "" if each.many is None or self.multiplier else f"{self.expression(each.many)}*"
        yield from self._chain(pieces, factor)
        yield f"+ {')' * (len(pieces) - 1)}{closing.format()}{many}"

    def _chain(self, pieces: Sequence[tuple[Expression | None, Expression]], factor: str) -> Iterator[str]:
        """A curve piece by piece, a line each: the first whose test holds. What is left open is closed after it."""
        opening, _, rest = self.condition.partition("{test}")
        middle, _, rest = rest.partition("{yes}")
        between = rest.partition("{no}")[0]
        for place, (test, value) in enumerate(pieces):
            start = factor if place == 0 else ""
            if test is None:
                yield f"+ {self.expression(value)}"
            else:
                yield f"+ {start}{opening}{self.expression(test)}{middle}{self.expression(value)}{between}".rstrip()

    def subcircuit_lines(self, each: Subcircuit) -> Iterator[str]:
        """A subcircuit, with what is said about it."""
        yield from (f"* {line}" for line in each.about)
        values = " ".join(f"{key}={self.constant(value)}" for key, value in each.parameters.items())
        parameters = " ".join(part for part in (self.subcircuit, values) if part) if values else ""
        yield " ".join(part for part in (".subckt", each.name, *each.ports, parameters) if part)
        yield from (self._model(model) for model in each.models)
        for element in each.elements:
            yield from self.element(element)
        yield f".ends {each.name}"

    def _model(self, model: Model) -> str:
        values = " ".join(f"{key}={self.constant(value)}" for key, value in model.parameters.items())
        return f".model {model.name} {model.kind}({values})"

    def library_text(self, title: str, subcircuits: Iterable[Subcircuit]) -> str:
        """A file of subcircuits."""
        parts = ["\n".join(self.subcircuit_lines(each)) for each in subcircuits]
        return "\n\n".join([f"* {title}", *parts]) + "\n"

    def circuit_text(self, circuit: PlainCircuit, includes: Sequence[str]) -> Iterator[str]:
        """The file of the circuit, in pieces: section by section, group by group."""
        yield f"* {circuit.design.family} network: {circuit.design.device_count:,} devices, in signal order\n"
        yield from (f".include {name}\n" for name in includes)
        for section in circuit.sections:
            yield f"\n* ===== {section.title} =====\n"
            for group in section.groups:
                yield f"* --- {group.about} ---\n" if group.about else ""
                for element in group.elements:
                    yield from (f"{line}\n" for line in self.element(element))


def plain_number(value: float) -> str:
    """The shortest text that is exactly the value, as people write it: `5` and not `5.0`."""
    text = spice_number(value + 0.0)  # there is no -0
    return text.removesuffix(".0")


def points_text(points: Sequence[tuple[float, float]]) -> str:
    """A source that goes along straight lines."""
    return f"pwl({' '.join(f'{plain_number(time_s)} {plain_number(level)}' for time_s, level in points)})"


def curve_pieces(value: Expression) -> list[tuple[Expression | None, Expression]] | None:
    """A curve as tests from the lowest voltage to the highest, each with what holds below; the last has none.

    None for what is no nest of conditions `x < number`, or for too many.
    """
    if not isinstance(value, Condition):
        return None
    found: list[tuple[Expression | None, Expression]] = []
    try:
        _gather(value, None, found)
    except ValueError:
        return None
    return found if len(found) <= _MOST_IN_A_CHAIN else None


def _gather(value: Expression, below: Expression | None, found: list[tuple[Expression | None, Expression]]) -> None:
    match value:
        case Condition(Operation("<", _, Number()) as test, yes, no):
            _gather(yes, test, found)
            _gather(no, below, found)
        case Condition(Operation(">", x, Number() as limit), yes, no):
            _gather(no, Operation("<=", x, limit), found)
            _gather(yes, below, found)
        case Condition():
            raise ValueError("no curve")
        case _:
            found.append((below, value))


def dialect_files(dialect: Dialect, circuit: PlainCircuit, deck: Iterable[str]) -> dict[str, Text]:
    """A deck, and the files that it includes."""
    return {
        DECK: deck_text(dialect, circuit, deck),
        CIRCUIT: partial(dialect.circuit_text, circuit, (DEVICES, PARTS)),
        DEVICES: whole(dialect.library_text("what carries the network's numbers", circuit.devices)),
        PARTS: whole(dialect.library_text("what stands around it", circuit.library)),
    }


def deck_text(dialect: Dialect, circuit: PlainCircuit, deck: Iterable[str]) -> Text:
    """A deck under its title."""
    return whole("\n".join([f"* test bench of a {circuit.design.family} network: {dialect.by_hand}", *deck]) + "\n")


def deck_lines(
    dialect: Dialect, bench: Bench, analysis: Iterable[str], measure: Callable[[int, Probe], Iterable[str]]
) -> Iterator[str]:
    """A deck: what drives the circuit, the analysis, what is measured."""
    yield f".include {CIRCUIT}"
    yield ""
    yield from drive_lines(bench)
    yield ""
    yield from analysis
    yield ""
    if any(each.expected_v is not None for each in bench.outputs):
        yield "* what comes out, and by how much that differs from what kanspice found (expected.csv), in volts"
    else:
        yield "* what comes out, in volts"
    for index, each in enumerate(bench.outputs):
        yield from measure(index, each)
    if dialect.saves:
        nodes = [*(each.node for each in bench.stages), *bench.drives, *bench.starts]
        yield from _wrapped(dialect.saves, [f"v({node})" for node in dict.fromkeys(nodes)])
    yield ".end"


def drive_lines(bench: Bench) -> Iterator[str]:
    """The sources of the inputs, or the voltages that capacitors begin at."""
    which = of_sample(bench)
    if bench.drives:
        yield f"* inputs, volts: {which}"
        yield from (f"V{node} {node} 0 {plain_number(volts)}" for node, volts in bench.drives.items())
    if bench.starts:
        yield f"* voltages at which the nodes begin: {which}"
        yield from (f".ic v({node})={plain_number(volts)}" for node, volts in bench.starts.items())


def column_starts(circuit: PlainCircuit) -> Iterator[str]:
    """Where Newton's method starts with columns that no ideal amplifier holds: near 0 V, where good ones hold them."""
    free = [crossbar.name for crossbar in circuit.design.all_crossbars if not crossbar.holds_columns]
    nodes = [node for name in free for node in circuit.netlist.columns[name]]
    if nodes:
        yield "* where iterations start, not a part of the circuit: columns at 0 V"
        yield from _wrapped(".nodeset", [f"v({node})=0" for node in nodes])


def of_sample(bench: Bench) -> str:
    """Which inputs these are, in words."""
    return "an example that kanspice chose" if bench.sample is None else f"sample {bench.sample}"


def _wrapped(card: str, words: Sequence[str]) -> Iterator[str]:
    """One card over several lines."""
    for place in range(0, len(words), _SAVED_PER_LINE):
        yield f"{'+' if place else card} {' '.join(words[place : place + _SAVED_PER_LINE])}"
