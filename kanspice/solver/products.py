"""Matrix products of which no row depends on how many others there are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kanspice.arrays import namespace
from kanspice.solver.processors import zeros

Array = npt.NDArray[np.float64]

_TILE = 32
"""Rows at a time, a multiple of what kernels take at once: libraries choose other sums for other shapes."""


def times(left: Array, right: Array) -> Array:
    """left (rows, n) times right (n, columns), in tiles of one shape: with NumPy other blocks change no bit of it."""
    rows, width = left.shape
    tiles = -(-rows // _TILE)
    if rows != tiles * _TILE:
        left = namespace(left).concat([left, zeros((tiles * _TILE - rows, width), left)])
    product: Array = left.reshape(tiles, _TILE, width) @ right
    return product.reshape(tiles * _TILE, right.shape[1])[:rows]
