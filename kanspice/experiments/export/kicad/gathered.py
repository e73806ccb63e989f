"""What is gathered on one net: things that lead from other nets to it, and an amplifier that holds it.

The amplifier turns the current that they bring into a voltage. A column of a crossbar is that, and so is a node of a
KirchhoffNet on a bench.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from kanspice.experiments.export.kicad.excerpt import Excerpt
from kanspice.experiments.export.kicad.parts import Component


@dataclass(frozen=True)
class Rung:
    """Parts from one net to the net of all. outer: that net.

    wire: what is between this rung's end and that of the next, or the amplifier; None for nothing.
    """

    outer: str
    parts: tuple[Component, ...]
    wire: Component | None = None


@dataclass(frozen=True)
class Gathered(Excerpt):
    """rungs: in order. drives: sources of their nets. hanging: what is between the net and ground, if anything is.

    net: of all. feedback, feedback_capacitor: across the amplifier.
    """

    net: str
    rungs: tuple[Rung, ...]
    drives: tuple[Component, ...]
    hanging: Component | None
    feedback: Component
    feedback_capacitor: Component | None
    amplifier: Component

    @property
    @abstractmethod
    def about(self) -> str:
        """What there is to see, in a sentence."""

    @property
    @abstractmethod
    def notes(self) -> Iterator[str]:
        """What the sheet says besides."""

    @property
    @abstractmethod
    def given(self) -> str:
        """What the sources are, in words: `the rows' voltages`."""

    @property
    def devices(self) -> tuple[Component, ...]:
        """Everything that leads to the net."""
        return tuple(part for rung in self.rungs for part in rung.parts)

    @property
    def measured(self) -> str:
        return f"the voltage of {self.output}"

    @property
    def analysis(self) -> str:
        return ".op"
