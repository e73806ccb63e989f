"""Random imperfections: one stream of numbers for each named array, so that no draw depends on another.

A seed and a name fix an array, whatever else is drawn and in whatever order; both engines, every fidelity and the torch
reference read the same numbers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array


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

    def _generator(self, name: str) -> np.random.Generator:
        words = np.frombuffer(hashlib.sha256(name.encode()).digest(), "<u4")
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, *words.tolist()])))
