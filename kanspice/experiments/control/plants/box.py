"""The space of our own plants' observations and actions: what of gymnasium's `Box` a loop needs, without gymnasium."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array


class Box:
    """Vectors between two bounds. low, high: (width,), infinite where there is no bound."""

    dtype = np.dtype(np.float64)

    def __init__(self, low: npt.ArrayLike, high: npt.ArrayLike) -> None:
        self.low: Array = np.asarray(low, dtype=np.float64)
        self.high: Array = np.asarray(high, dtype=np.float64)

    @classmethod
    def of(cls, width: int, bound: float = np.inf) -> Box:
        """The same bound, of either sign, for every entry."""
        return cls(np.full(width, -bound), np.full(width, bound))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a vector in it."""
        return self.low.shape

    def contains(self, vector: object) -> bool:
        """Whether a vector has this shape and is within the bounds."""
        found = np.asarray(vector)
        return found.shape == self.shape and bool(np.all((found >= self.low) & (found <= self.high)))

    def __repr__(self) -> str:
        """As gymnasium writes its own."""
        return f"Box({self.low.min()}, {self.high.max()}, {self.shape}, {self.dtype})"
