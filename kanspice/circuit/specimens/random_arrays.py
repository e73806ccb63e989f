"""Which random numbers a specimen is made of: what it asks a draw for, and what of that makes a difference."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw, Lowest
from kanspice.circuit import Design
from kanspice.circuit.file import design_bytes
from kanspice.circuit.specimens.specimen import draw_specimen
from kanspice.technology import Technology

Kind = Literal["normal", "uniform"]


@dataclass(frozen=True, order=True)
class RandomArray:
    """An array of random numbers that a specimen is made of: standard normal ones, or uniform ones in [0, 1)."""

    name: str
    kind: Kind
    shape: tuple[int, ...]

    @property
    def key(self) -> str:
        """What it is called in files: `normal/l1.crossbar.area`."""
        return f"{self.kind}/{self.name}"

    @property
    def part(self) -> str:
        """What the numbers are of, in whichever stage: `area` of `l1.crossbar.area`."""
        return self.name.rpartition(".")[2]

    def of(self, draw: Draw) -> Array:
        """The numbers that a draw has for it."""
        return draw.normal(self.name, self.shape) if self.kind == "normal" else draw.uniform(self.name, self.shape)


def asked_for(design: Design, technology: Technology) -> tuple[RandomArray, ...]:
    """Every array that specimens of a nominal design ask a draw for, in order, whether it matters or not."""
    noting = _Noting()
    draw_specimen(design, technology, noting)
    return tuple(dict.fromkeys(noting.asked))


def random_arrays(design: Design, technology: Technology) -> tuple[RandomArray, ...]:
    """The arrays in which specimens of a nominal design differ: a standard deviation of 0 leaves its array out.

    Arrays of the same `part` are tried together: where one of them matters, all are here.
    """
    arrays = asked_for(design, technology)
    nominal = _bytes(design, technology, Lowest())
    parts = dict.fromkeys((array.kind, array.part) for array in arrays)
    off = {(kind, part): _OneOff(kind=kind, part=part) for kind, part in parts}
    matter = {part for part, draw in off.items() if _bytes(design, technology, draw) != nominal}
    return tuple(array for array in arrays if (array.kind, array.part) in matter)


def _bytes(design: Design, technology: Technology, draw: Draw) -> bytes:
    return design_bytes(replace(draw_specimen(design, technology, draw), seed=0))


@dataclass(frozen=True)
class _Noting(Draw):
    """Notes what it is asked for."""

    asked: list[RandomArray] = field(default_factory=list)

    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        self.asked.append(RandomArray(name, "normal", shape))
        return np.zeros(shape)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        self.asked.append(RandomArray(name, "uniform", shape))
        return Lowest().uniform(name, shape)


@dataclass(frozen=True)
class _OneOff(Lowest):
    """Nominal, but for all arrays of one part."""

    kind: Kind = "normal"
    part: str = ""

    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        return super().normal(name, shape) + self._is_off("normal", name)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        return super().uniform(name, shape) * (not self._is_off("uniform", name))

    def _is_off(self, kind: Kind, name: str) -> bool:
        return kind == self.kind and name.rpartition(".")[2] == self.part
