"""Small pictures of numbers, 8 bits each: what a report keeps of inputs and of large arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Indices

_STEPS = 255


@dataclass(frozen=True)
class Raster:
    """Rows of numbers from `low` to `high`, in 256 steps, two hexadecimal digits each; row by row."""

    rows: int
    columns: int
    low: float
    high: float
    hex: str

    @classmethod
    def of(cls, values: Array) -> Raster:
        """Of numbers (rows, columns), all finite."""
        low, high = float(values.min()), float(values.max())
        steps = np.rint((values - low) / ((high - low) or 1.0) * _STEPS).astype(np.uint8)
        rows, columns = values.shape
        return cls(rows, columns, low, high, steps.tobytes().hex())

    @property
    def values(self) -> Array:
        """(rows, columns) the numbers again, to half a step."""
        steps = np.frombuffer(bytes.fromhex(self.hex), np.uint8).reshape(self.rows, self.columns)
        found: Array = self.low + (self.high - self.low) / _STEPS * steps.astype(float)
        return found


def bins(size: int, most: int) -> Indices:
    """Where each of at most so many bins of neighbours begins, of `size` of them."""
    return np.linspace(0, size, min(most, size) + 1).astype(int)[:-1]


def bin_of(place: int, size: int, most: int) -> int:
    """The bin that a place is in."""
    return int(np.searchsorted(bins(size, most), place, side="right")) - 1


def binned(values: Array, most: int) -> Array:
    """The root mean squares of neighbours, (rows, columns) of at most so many each; the same where that is enough."""
    for axis in (0, 1):
        size = values.shape[axis]
        if size > most:
            starts = bins(size, most)
            counts = np.diff([*starts, size])
            summed = np.add.reduceat(values**2, starts, axis=axis)
            values = np.sqrt(summed / (counts[:, None] if axis == 0 else counts))
    return values
