"""Expressions of behavioural sources, read from our own netlists so that other simulators' languages can say the same.

Only what kanspice writes is understood: numbers, parameters in braces, voltages and currents, arithmetic, comparisons,
conditions and a dozen functions. A number that is written as a sum of two, `(a+b)`, is one number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

FUNCTIONS = frozenset({"min", "max", "exp", "ln", "sqrt", "abs", "tanh", "atan", "sin", "uramp", "u"})
_TOKEN = re.compile(
    r"\s*(\d+\.?\d*(?:e[+-]?\d+)?(?:meg|[tgkmunpf](?![\w.]))?|[a-z_][\w.]*|<=|>=|[-+*/^<>?:(),{}])", re.I
)
_SUFFIXES = {"meg": 1e6, "t": 1e12, "g": 1e9, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
_NUMBER = re.compile(r"(\d+\.?\d*(?:e[+-]?\d+)?)(meg|[tgkmunpf])?", re.I)
_COMPARISONS = ("<=", ">=", "<", ">")


@dataclass(frozen=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True)
class Parameter:
    """A parameter of the subcircuit around the expression."""

    name: str


@dataclass(frozen=True)
class Voltage:
    """The voltage of a node, or from one to another."""

    node: str
    other: str | None = None


@dataclass(frozen=True)
class Current:
    """The current through a voltage source, from its first node to its second."""

    source: str


@dataclass(frozen=True)
class Negative:
    """The negative of something."""

    of: Expression


@dataclass(frozen=True)
class Operation:
    """Two things and what is between them: + - * / ^ or a comparison."""

    sign: str
    first: Expression
    second: Expression


@dataclass(frozen=True)
class Condition:
    """One of two things."""

    test: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True)
class Function:
    """A function of `FUNCTIONS`."""

    name: str
    arguments: tuple[Expression, ...]


Leaf = Number | Parameter | Voltage | Current
Expression = Leaf | Negative | Operation | Condition | Function


def parsed(text: str) -> Expression:
    """The expression of a text. Raises ValueError for one that is none of ours."""
    return _Reader(text).whole()


def children(expression: Expression) -> tuple[Expression, ...]:
    """The parts that an expression is made of."""
    match expression:
        case Number() | Parameter() | Voltage() | Current():
            return ()
        case Negative(of):
            return (of,)
        case Operation(_, first, second):
            return first, second
        case Condition(test, yes, no):
            return test, yes, no
        case Function(_, arguments):
            return arguments


def rebuilt(expression: Expression, leaf: Callable[[Leaf], Expression]) -> Expression:
    """The same of other numbers, parameters, voltages and currents: those that `leaf` gives for its own."""

    def again(part: Expression) -> Expression:
        return rebuilt(part, leaf)

    match expression:
        case Number() | Parameter() | Voltage() | Current():
            return leaf(expression)
        case Negative(of):
            return Negative(again(of))
        case Operation(sign, first, second):
            return Operation(sign, again(first), again(second))
        case Condition(test, yes, no):
            return Condition(again(test), again(yes), again(no))
        case Function(name, arguments):
            return Function(name, tuple(map(again, arguments)))


def is_constant(expression: Expression) -> bool:
    """Whether it is made of numbers and parameters only, and so known before anything is simulated."""
    if isinstance(expression, Voltage | Current):
        return False
    return all(map(is_constant, children(expression)))


class _Reader:
    """Reads by descending: conditions, comparisons, sums, products, signs, powers, and what they are made of."""

    def __init__(self, text: str) -> None:
        self.text, self.tokens, place = text, list[str](), 0
        while place < len(text.rstrip()):
            token = _TOKEN.match(text, place)
            if token is None:
                raise ValueError(f"no expression of ours: {text[place : place + 40]!r}")
            self.tokens.append(token[1].lower())
            place = token.end()
        self.tokens.append("")
        self.place = 0

    def whole(self) -> Expression:
        found = self._condition()
        if self._next():
            raise ValueError(f"more than an expression: {self.text!r}")
        return found

    def _next(self) -> str:
        return self.tokens[self.place]

    def _take(self) -> str:
        if not self._next():
            raise ValueError(f"no whole expression: {self.text!r}")
        self.place += 1
        return self.tokens[self.place - 1]

    def _expect(self, token: str) -> None:
        if self._take() != token:
            raise ValueError(f"{token!r} is missing: {self.text!r}")

    def _condition(self) -> Expression:
        test = self._comparison()
        if self._next() != "?":
            return test
        self._take()
        yes = self._condition()
        self._expect(":")
        return Condition(test, yes, self._condition())

    def _comparison(self) -> Expression:
        first = self._sum()
        return Operation(self._take(), first, self._sum()) if self._next() in _COMPARISONS else first

    def _sum(self) -> Expression:
        found = self._product()
        while self._next() in ("+", "-"):
            sign, second = self._take(), self._product()
            found = found if second == Number(0.0) else Operation(sign, found, second)
        return found

    def _product(self) -> Expression:
        found = self._signed()
        while self._next() in ("*", "/"):
            found = Operation(self._take(), found, self._signed())
        return found

    def _signed(self) -> Expression:
        if self._next() != "-":
            return self._power()
        self._take()
        of = self._signed()
        return Number(-of.value) if isinstance(of, Number) else Negative(of)

    def _power(self) -> Expression:
        base = self._single()
        if self._next() != "^":
            return base
        self._take()
        return Operation("^", base, self._signed())

    def _single(self) -> Expression:
        taken = self._take()
        if taken in ("(", "{"):
            inside = self._condition()
            self._expect(")" if taken == "(" else "}")
            return _one_number(inside)
        if taken[:1].isdigit():
            return Number(number(taken))
        if self._next() != "(":
            return Parameter(taken)
        self._take()
        if taken == "v":
            return self._voltage()
        if taken == "i":
            source = self._take()
            self._expect(")")
            return Current(source)
        return self._function(taken)

    def _voltage(self) -> Voltage:
        nodes = [self._take()]
        if self._next() == ",":
            self._take()
            nodes.append(self._take())
        self._expect(")")
        return Voltage(*nodes)

    def _function(self, name: str) -> Function:
        if name not in FUNCTIONS:
            raise ValueError(f"no function of ours: {name}")
        arguments = [self._condition()]
        while self._next() == ",":
            self._take()
            arguments.append(self._condition())
        self._expect(")")
        return Function(name, tuple(arguments))


def number(text: str) -> float:
    """The value of a number as SPICE writes it, sign and suffix included. Raises ValueError for none."""
    sign, digits = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    found = _NUMBER.fullmatch(digits)
    if found is None:
        raise ValueError(f"no number: {text!r}")
    value = float(found[1])
    return sign * (value * _SUFFIXES[found[2].lower()] if found[2] else value)


def _one_number(expression: Expression) -> Expression:
    """The number that `spice_literal` wrote as a sum of two."""
    match expression:
        case Operation("+" | "-" as sign, Number(first), Number(second)):
            return Number(first + second if sign == "+" else first - second)
        case _:
            return expression
