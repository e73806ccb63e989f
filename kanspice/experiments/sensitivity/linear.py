"""Outputs to first order in independent standard normal numbers: their covariances, and specimens drawn of them.

What outputs of all samples have in common is held column by column, as a small matrix over samples:

    cov[(s, o), (t, p)] = sum over channels c of g[s, o, c] g[t, p, c] k[c, s, t]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array


@dataclass(frozen=True)
class Channel:
    """Voltages that outputs follow, and by how much numbers that no other channel has move them.

    gradient: (samples, outputs, width), model units per volt, or amp. kernels: (width, samples, samples), squares of
    these.
    """

    gradient: Array
    kernels: npt.NDArray[np.float32]

    @property
    def blocks(self) -> Array:
        """(samples, outputs, outputs) covariances within each sample."""
        squares = np.einsum("css->sc", self.kernels)
        return np.asarray((self.gradient * squares[:, None, :]) @ self.gradient.transpose(0, 2, 1))

    def times(self, vectors: npt.NDArray[np.floating]) -> Array:
        """The covariance times vectors (samples, outputs, many)."""
        gradient = self.gradient.astype(vectors.dtype)
        inward = (gradient.transpose(0, 2, 1) @ vectors).transpose(1, 0, 2)  # (width, samples, many)
        return np.asarray(gradient @ (self.kernels @ inward).transpose(1, 0, 2))

    def drawn(self, generator: np.random.Generator, many: int) -> Array:
        """(samples, outputs, many) errors of specimens."""
        width, samples, _ = self.kernels.shape
        floor = np.eye(samples) * (1e-6 * np.einsum("css->c", self.kernels)[:, None, None] + 1e-300)
        roots = np.linalg.cholesky(np.asarray(self.kernels, np.float64) + floor).astype(np.float32)
        moved = roots @ generator.standard_normal((width, samples, many), dtype=np.float32)
        return np.asarray(self.gradient.astype(np.float32) @ moved.transpose(1, 0, 2), np.float64)


@dataclass(frozen=True)
class Linear:
    """Outputs to first order in independent standard normal numbers, in model units: their covariances."""

    channels: tuple[Channel, ...]
    shape: tuple[int, int]
    shift: Array
    """(samples, outputs): by how much the mean of all specimens differs from the one that numbers are counted from."""
    squares: Mapping[str, Array]
    """By the name of a random array: what each of its numbers alone adds to the sum of all outputs' variances."""

    @property
    def blocks(self) -> Array:
        """(samples, outputs, outputs): of the outputs of each sample."""
        outputs = self.shape[1]
        return np.asarray(sum((each.blocks for each in self.channels), np.zeros((self.shape[0], outputs, outputs))))

    def times(self, vectors: npt.NDArray[np.floating]) -> Array:
        """The covariance of everything times vectors (samples, outputs, many)."""
        return np.asarray(sum((each.times(vectors) for each in self.channels), np.zeros_like(vectors)))

    def drawn(self, seed: int, many: int) -> Array:
        """(samples, outputs, many): errors of so many specimens."""
        generator = np.random.default_rng(seed)
        return np.asarray(sum((e.drawn(generator, many) for e in self.channels), np.zeros((*self.shape, many))))
