"""A part of a circuit that is small enough for a sheet: what it is made of, what drives it, what it gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from kanspice.engine.ngspice.deck import NORMAL
from kanspice.experiments.export.kicad.parts import Component, VoltageSource

GROUND, UPPER, LOWER = "GND", "VCC", "VEE"
_OPTIONS = f".options reltol={NORMAL.reltol:g} vntol={NORMAL.vntol:g} abstol={NORMAL.abstol:g}"


@dataclass(frozen=True)
class Excerpt(ABC):
    """Of a stage, in one sample.

    place: as the command has it. supplies: of its op-amps. models: the text of the subcircuits that its parts are.
    output: the net that is measured. expected_v: what kanspice found there.
    """

    stage: str
    place: str
    output: str
    output_index: int
    expected_v: float
    supplies: tuple[Component, Component]
    models: str

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is, for people."""

    @property
    @abstractmethod
    def contents(self) -> str:
        """What it has, in words."""

    @property
    @abstractmethod
    def measured(self) -> str:
        """What is measured, in words: `the voltage of l1_t0p`."""

    @property
    @abstractmethod
    def built(self) -> Iterator[Component]:
        """What a board has of it."""

    @property
    @abstractmethod
    def driven_by(self) -> Iterator[Component]:
        """What else is needed to simulate it, but for supplies."""

    @property
    @abstractmethod
    def analysis(self) -> str:
        """SPICE's."""

    @property
    def parts(self) -> Iterator[Component]:
        """All of it."""
        yield from self.built
        yield from self.driven_by
        yield from self.supplies

    @property
    def directives(self) -> tuple[str, ...]:
        """What a simulator is to do: this stands on the sheet, too, and so in the netlist that KiCad makes of it."""
        return _OPTIONS, self.analysis


def supplies_of(rail_v: float, sources: int) -> tuple[Component, Component]:
    """Of op-amps, beside so many other sources."""
    return (
        Component(f"V{sources + 1}", (UPPER, GROUND), VoltageSource(rail_v)),
        Component(f"V{sources + 2}", (LOWER, GROUND), VoltageSource(-rail_v)),
    )
