"""A subcircuit that somebody brings: its definition out of a netlist of theirs, and the pins that it has."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kanspice.base.errors import InputError
from kanspice.base.files import opened
from kanspice.base.resources import NETLISTS
from kanspice.subcircuits.inspection import WHAT, inspected_library, inspected_lines

_DEFINITIONS = (".model", ".param", ".func", ".csparam")
_OPENS, _CLOSES = (".subckt", ".macro"), (".ends", ".eom")
_INNER = (*_DEFINITIONS, ".ic", ".nodeset", ".if", ".elseif", ".else", ".endif")
"""Cards within a subcircuit that are about nothing else: `.options` and `.temp` there are those of the whole circuit to
ngspice, and so are analyses, `.global`, `.save`."""
_OUR_FUNCTION = re.compile(r"\.(func|param)\b.*\bphi\d+\s*\(", re.I)
"""What the devices' curves are called in a netlist of ours: ngspice has the last of two functions of one name."""
_PIN = "abcdefghijklmnopqrstuvwxyz0123456789_+-#!<>.[]/"


@dataclass(frozen=True)
class SubcircuitDefinition:
    """One that is defined in lines that have been looked at."""

    name: str
    """In lower case, as ngspice has it."""
    pins: tuple[str, ...]
    """Nodes of its definition, in order."""
    lines: tuple[str, ...]
    """All that defines it, other subcircuits and models of the same file too."""
    source: str
    """Which file they are from."""

    @property
    def sha256(self) -> str:
        """Of the lines, in hexadecimal."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()

    @property
    def defines(self) -> frozenset[str]:
        """Names of all subcircuits in its lines."""
        cards = "\n".join(self.lines).replace("\n+", " ").lower().splitlines()
        return frozenset(_name(card) for card in cards if card.split(maxsplit=1)[0] in _OPENS)


def read_subcircuit(path: Path, name: str | None = None) -> SubcircuitDefinition:
    """The subcircuit of that name in a netlist; without a name, the only one there, or the only one of several that no
    other uses.

    Raises InputError for a netlist that is unreadable, or not known to be harmless, that has something else than
    definitions in it, and for a name that is not there, or not clear.
    """
    with opened(path, WHAT, None):
        netlist = inspected_library(path)
    opened_at = _top_level(path, netlist.cards)
    pins = {_name(card): _pins(card) for card in opened_at}
    _refuse_ours(path, pins)
    chosen = _chosen(path, netlist.cards, list(pins), name)
    return SubcircuitDefinition(chosen, pins[chosen], tuple(netlist.lines), path.name)


def subcircuit_from(fields: Mapping[str, Any]) -> SubcircuitDefinition:
    """What `dataclasses.asdict` made of one, from a file that anybody can have written. Raises InputError as above."""
    name, source = str(fields["name"]), Path(str(fields["source"]))
    netlist = inspected_lines(source, [str(line) for line in fields["lines"]])
    pins = {_name(card): _pins(card) for card in _top_level(source, netlist.cards)}
    chosen = _chosen(source, netlist.cards, list(pins), name)
    return SubcircuitDefinition(chosen, pins[chosen], tuple(netlist.lines), source.name)


def _top_level(path: Path, cards: Sequence[str]) -> list[str]:
    """The cards that open a subcircuit which is in no other; nothing but definitions may stand beside them."""
    depth, found = 0, list[str]()
    for card in cards:
        word = card.split(maxsplit=1)[0].lower()
        if word in _OPENS:
            if depth == 0:
                found.append(card)
            depth += 1
        elif word in _CLOSES:
            depth -= 1
        elif depth and word.startswith(".") and word not in _INNER:
            raise InputError(
                f"a subcircuit has {word} in it, which ngspice takes for the whole circuit's",
                where=path,
                found=repr(card[:120]),
                hint="take that line out",
            )
        elif depth == 0 and _OUR_FUNCTION.match(card):
            raise InputError("kanspice has a function of this name", where=path, found=repr(card[:120]))
        elif depth == 0 and word not in _DEFINITIONS:
            raise InputError(
                "the netlist has more in it than definitions",
                where=path,
                expected="subcircuits, and what they need: .model, .param, .func",
                found=repr(card[:120]),
                hint="move the subcircuit to a file of its own",
            )
        if depth < 0:
            raise InputError("a subcircuit ends that none has begun", where=path, found=repr(card[:120]))
    if depth:
        raise InputError("a subcircuit does not end", where=path, expected=".ends", found=repr(found[-1][:120]))
    if not found:
        raise InputError("the netlist defines no subcircuit", where=path, expected=".subckt NAME PINS...")
    return found


def _name(card: str) -> str:
    words = card.split()
    return words[1].lower() if len(words) > 1 else ""


def _pins(card: str) -> tuple[str, ...]:
    """Up to its parameters, which have an equals sign or come after `params:`."""
    text = card.lower().partition("params:")[0]
    text = text.replace(" =", "=").replace("= ", "=")
    return tuple(word for word in text.split()[2:] if "=" not in word)


def _chosen(path: Path, cards: Sequence[str], names: Sequence[str], name: str | None) -> str:
    if name is not None:
        if name.lower() not in names:
            raise InputError(
                f"the netlist has no subcircuit '{name}'", where=path, found=f"the subcircuits {', '.join(names[:20])}"
            )
        return name.lower()
    used = {word.lower() for card in cards if card[:1] in "xX" for word in card.split()[1:]}
    outermost = [candidate for candidate in names if candidate not in used]
    if len(outermost) != 1:
        raise InputError(
            "it is not clear which subcircuit is meant",
            where=path,
            found=f"the subcircuits {', '.join((outermost or list(names))[:20])}",
            hint="name one: --subckt NAME, or tia.subcircuit_name in a technology",
        )
    return outermost[0]


def _refuse_ours(path: Path, names: dict[str, tuple[str, ...]]) -> None:
    """Two subcircuits of one name would be one to ngspice."""
    ours = {file.stem for file in NETLISTS.glob("*.cir")}
    for name, pins in names.items():
        if name in ours:
            raise InputError(
                f"kanspice has a subcircuit of the name '{name}' itself", where=path, hint="give yours another name"
            )
        odd = [pin for pin in pins if set(pin) - set(_PIN)]
        if odd:
            raise InputError(f"'{odd[0]}' is not the name of a pin", where=path, found=f"subcircuit {name}")
