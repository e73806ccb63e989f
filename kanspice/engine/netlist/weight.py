"""What ngspice takes for a netlist, estimated from its text before it is written.

Measured with ngspice 39: a linear element takes 1 kB, its line and its entries of the matrix included; a source with an
expression 1.5 kB, and 170 bytes for every operation and, since ngspice keeps derivatives, for every operation and
voltage in it, up to five: with more, each is in a part of the expression only. Estimates are up to 60 % above what was
found for crossbars of every cell, filters, synapses and branches. Time grows as memory does, but for long lines, whose
text ngspice copies as often as there are words in it: with the square of their length. Curves of 4,095 pieces, 1.3 MB
of text, take 3 s each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kanspice.engine.netlist.library import subcircuit_text

PROGRAM_BYTES = 20_000_000
"""Of ngspice itself."""
_SECONDS_PER_BYTE = 12e-9
"""Of the processor, from the first line to the first sample's operating point."""
_SECONDS_PER_SQUARE = 2e-12
"""Besides, of the square of a line's length."""
_MARGIN = 1.2
_ELEMENT, _SOURCE, _OPERATION, _MOST_VOLTAGES = 1_000.0, 1_500.0, 170.0, 5
_FOREIGN = 40_000.0
"""Of a transistor: its model's subcircuit has some tens of parameters, which are written out for each."""
_ALL = 1_000
_EVERY = 61
"""Of more lines than all that are weighed one in so many is: a prime, since lines of a kind come in turns."""
_VOLTAGE = re.compile(r"v\(([^()]*)\)")
_TRANSISTOR = re.compile(r" [np]fet_\w+ ")
_OF_TRANSISTOR = 20_000.0
"""With its part of a foundry's models: 450 of GF180 make ngspice 18 MB larger, twice that while it reads them."""
_OPERATIONS = re.compile(r"[-+*/^<>?]|[a-z]\w*\(")


@dataclass
class Tally:
    """How many elements there are, the bytes that they take, and the seconds that go into long lines besides."""

    elements: int = 0
    simulator_bytes: float = 0.0
    long_lines_s: float = 0.0

    @property
    def first_s(self) -> float:
        """Of the processor, from the first line to the first sample's operating point."""
        return estimated_bytes(self.simulator_bytes) * _SECONDS_PER_BYTE + self.long_lines_s

    def add(self, other: Tally) -> None:
        """All that another has counted."""
        self.elements += other.elements
        self.simulator_bytes += other.simulator_bytes
        self.long_lines_s += other.long_lines_s

    def add_times(self, number: int, line: str) -> None:
        """So many elements whose lines are like this one."""
        self.elements += number
        self._weigh(number, line)

    def add_foreign(self, elements: int) -> None:
        """A part of so many elements that come from elsewhere, transistors most of them."""
        self.elements += elements
        self.simulator_bytes += elements * _FOREIGN

    def add_lines(self, lines: Iterable[str]) -> None:
        """The elements of some lines."""
        for line in lines:
            if line and line[0] not in "*+.":
                self.elements += 1
                if self.elements <= _ALL or self.elements % _EVERY == 0:
                    self._weigh(1 if self.elements <= _ALL else _EVERY, line)

    def _weigh(self, number: int, line: str) -> None:
        self.simulator_bytes += number * weight(line)
        self.long_lines_s += number * _SECONDS_PER_SQUARE * len(line) ** 2


def weight(line: str) -> float:
    """Bytes that ngspice takes for the element of a line."""
    letter = line[0].lower()
    if letter == "x" and _TRANSISTOR.search(line):
        return _OF_TRANSISTOR
    if letter == "x":
        return _ELEMENT + sum(map(weight, _inside(line)))
    return _expression(line.partition("=")[2]) if letter == "b" else _ELEMENT


def _inside(line: str) -> list[str]:
    """The lines of the subcircuit that a line is an instance of."""
    name = line.partition("=")[0].split()
    text = subcircuit_text(name[-2] if "=" in line else name[-1])
    lines = (each.strip() for each in text.splitlines())
    return [each for each in lines if each and each[0] not in "*+."]


def _expression(text: str) -> float:
    voltages = [name.strip() for found in _VOLTAGE.findall(text) for name in found.split(",")]
    bare = _VOLTAGE.sub(lambda found: "0-0" if "," in found[1] else "0", text.lower())
    kept = 1 + min(len(set(voltages)), _MOST_VOLTAGES)
    return _SOURCE + _OPERATION * len(_OPERATIONS.findall(bare)) * kept + len(text)


def estimated_bytes(simulator_bytes: float) -> int:
    """The most memory that a process takes whose elements take so much."""
    return PROGRAM_BYTES + round(_MARGIN * simulator_bytes)
