"""Whether specimens of a circuit differ at all: where none does, one draw is all there is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.circuit import Design
from kanspice.circuit.file import design_bytes
from kanspice.circuit.specimens import draw_specimen
from kanspice.technology import Technology


def can_differ(design: Design, technology: Technology) -> bool:
    """Whether two specimens of a nominal design can: drawn as far apart as can be, they are not the same circuit."""
    extremes = [draw_specimen(design, technology, extreme) for extreme in (_Low(), _High())]
    low, high = (design_bytes(replace(extreme, seed=0)) for extreme in extremes)
    return low != high or design.has_noise or design.has_mismatch


class _Extreme(Draw):
    def _generator(self, name: str) -> np.random.Generator:
        raise TypeError(f"{name}: a kind of draw that has no extreme")


class _Low(_Extreme):
    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.full(shape, math.nextafter(1, 0))


class _High(_Extreme):
    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.ones(shape)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)
