"""Random imperfections: one stream of numbers for each named array, so that no draw depends on another.

A seed and a name fix an array, whatever else is drawn and in whatever order; both engines, every fidelity and the torch
reference read the same numbers. A specimen can also be given by its numbers: those of a file, or of a search.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError


@dataclass(frozen=True)
class Draw:
    """One specimen of the circuit: the same seed is the same specimen."""

    seed: int = 0

    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        """Standard normal numbers for the elements of the array `name`, `l1.crossbar.area` say."""
        return self._generator(name).standard_normal(shape)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        """Numbers in [0, 1) for the elements of the array `name`."""
        return self._generator(name).random(shape)

    @property
    def specimen_sha256(self) -> str:
        """Of the file that the numbers are from, in hexadecimal; "" where the seed draws them."""
        return ""

    def _generator(self, name: str) -> np.random.Generator:
        words = np.frombuffer(hashlib.sha256(name.encode()).digest(), "<u4")
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, *words.tolist()])))


@dataclass(frozen=True, eq=False)
class GivenDraw(Draw):
    """A specimen of which numbers are given, by the names of arrays. What is not given is what the seed draws.

    normals: where standard normal numbers are asked for. uniforms: where numbers in [0, 1) are. Raises InputError where
    an array of another shape is asked for. sha256: of the file that they are from.
    """

    normals: Mapping[str, Array] = field(default_factory=dict)
    uniforms: Mapping[str, Array] = field(default_factory=dict)
    sha256: str = ""

    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        return _given(self.normals, name, shape) if name in self.normals else super().normal(name, shape)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        return _given(self.uniforms, name, shape) if name in self.uniforms else super().uniform(name, shape)

    @property
    def specimen_sha256(self) -> str:
        return self.sha256


class Lowest(Draw):
    """With `Highest`, specimens as far apart as can be. This one is nominal, and of its parts none is at fault."""

    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.full(shape, math.nextafter(1, 0))


class Highest(Draw):
    """All parts off, one like the other."""

    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.ones(shape)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)


def _given(numbers: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    found = numbers[name]
    if found.shape != shape:
        raise InputError(
            "an array of the specimen has another shape than the circuit's parts",
            where=name,
            expected=f"shape {shape}",
            found=f"shape {found.shape}",
            hint="a specimen fits circuits of its own network and of technologies with the same random parts",
        )
    return found
