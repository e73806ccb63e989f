"""KiCad sheets read back by their grammar and their geometry alone: which pins share a net."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKENS = re.compile(r'\s*(?:([()])|"((?:[^"\\]|\\.)*)"|([^\s()"]+))')
_UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Quoted(str):
    """What stood between quotation marks."""


def parsed(text):
    """An S-expression as nested lists of words and `Quoted` texts."""
    stack, position = [[]], 0
    while position < len(text.rstrip()):
        match = _TOKENS.match(text, position)
        assert match, text[position : position + 40]
        position = match.end()
        bracket, quoted, word = match.groups()
        if bracket == "(":
            stack.append([])
        elif bracket == ")":
            stack[-2].append(stack.pop())
        else:
            stack[-1].append(
                word if quoted is None else Quoted(re.sub(r'\\[\\"n]', lambda m: _UNESCAPED[m[0]], quoted))
            )
    assert len(stack) == 1 and len(stack[0]) == 1
    return stack[0][0]


def all_of(node, head) -> Iterator[list]:
    """The lists right below that begin with a word."""
    return (part for part in node if isinstance(part, list) and part[0] == head)


def one_of(node, head):
    (found,) = all_of(node, head)
    return found


def properties(symbol):
    return {str(each[1]): str(each[2]) for each in all_of(symbol, "property")}


def spot(node):
    return round(float(node[1]), 4), round(float(node[2]), 4)


def pins_of(sheet):
    """(reference, number) -> where, of all placed symbols; and the power symbols' names and places."""
    library = {}
    for symbol in all_of(one_of(sheet, "lib_symbols"), "symbol"):
        pins = [pin for unit in all_of(symbol, "symbol") for pin in all_of(unit, "pin")]
        library[symbol[1]] = {one_of(pin, "number")[1]: spot(one_of(pin, "at")) for pin in pins}
    found, powers = {}, []
    for symbol in all_of(sheet, "symbol"):
        texts, (x, y) = properties(symbol), spot(one_of(symbol, "at"))
        for number, (dx, dy) in library[one_of(symbol, "lib_id")[1]].items():
            at = round(x + dx, 4), round(y - dy, 4)
            if texts["Reference"].startswith("#PWR"):
                powers.append((texts["Value"], at))
            elif not texts["Reference"].startswith("#"):
                found[texts["Reference"], str(number)] = at
    return found, powers


def nets_of(sheet):
    """(reference, number) -> the name of its net, from wires, junctions, labels and power symbols."""
    pins, powers = pins_of(sheet)
    wires = [tuple(spot(each) for each in all_of(one_of(wire, "pts"), "xy")) for wire in all_of(sheet, "wire")]
    joints = {spot(one_of(each, "at")) for each in all_of(sheet, "junction")}
    labels = [
        (str(each[1]), spot(one_of(each, "at"))) for head in ("label", "global_label") for each in all_of(sheet, head)
    ]
    parents = {}

    def root(name):
        parents.setdefault(name, name)
        while parents[name] != name:
            name = parents[name]
        return name

    def join(first, second):
        parents[root(first)] = root(second)

    for first, last in wires:
        join(("at", first), ("at", last))
    on_wires = joints | {at for _, at in labels} | set(pins.values()) | {at for _, at in powers}
    for at in on_wires:
        for first, last in wires:
            if at in joints and _between(at, first, last):
                join(("at", at), ("at", first))
            elif at not in joints and at not in (first, last):
                assert not _between(at, first, last) or at in {place for _, place in labels}, f"a pin on a wire at {at}"
                if _between(at, first, last):
                    join(("at", at), ("at", first))
    for name, at in (*labels, *powers):
        join(("at", at), ("net", name))
    names = {root(("net", name)): name for name, _ in (*labels, *powers)}
    return {pin: names.get(root(("at", at)), f"unnamed {root(('at', at))}") for pin, at in pins.items()}


def _between(at, first, last):
    (x, y), (x1, y1), (x2, y2) = at, first, last
    inside = min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)
    return inside and abs((x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)) < 1e-6
