"""What a format is to those who write, prove and read exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kanspice.base.errors import SimulatorError
from kanspice.engine.netlist.netlist import Text
from kanspice.experiments.export.bench import Bench
from kanspice.experiments.export.circuit import PlainCircuit


class OutOfTimeError(SimulatorError):
    """The simulator was ended before it had a result."""


@dataclass(frozen=True)
class Simulated:
    """What a simulator found with the files of an export. volts: of the measured nodes, each at its time, in the order
    of the bench's `stages`. how: in which simulator, and how, in a few words."""

    volts: tuple[float, ...]
    program: str
    version: str
    how: str


@dataclass(frozen=True)
class ExportPlan:
    """A circuit and its bench in a language: what is written, proven and run."""

    written: ExportFormat
    circuit: PlainCircuit
    bench: Bench

    @cached_property
    def files(self) -> Mapping[str, Text]:
        """The deck and what it needs, by name. Raises InputError for a circuit that the language cannot express."""
        return self.written.files(self.circuit, self.bench)


@dataclass(frozen=True)
class ExportFormat:
    """A language.

    files: a circuit and its bench as files by name, InputError for a circuit that the language cannot express.
    by_hand: how people run the bench. prints: what they see then, in a sentence.
    find: raises SimulatorError where what proves it is not installed. simulate: runs the files in a folder, in so many
    seconds; raises SimulatorError without a result.
    """

    name: str
    title: str
    by_hand: str
    prints: str
    files: Callable[[PlainCircuit, Bench], Mapping[str, Text]]
    find: Callable[[], object]
    simulate: Callable[[PlainCircuit, Bench, Path, float], Simulated]
