"""Matrix products of which no row depends on how many others there are."""

from __future__ import annotations

from kanspice.base.arrays import Array, namespace, zeros
from kanspice.engine.batched.array_devices import empty

TILE = 32
"""Rows at a time, a multiple of what kernels take at once: libraries choose other sums for other shapes."""


def times(left: Array, right: Array) -> Array:
    """left (rows, n) times right (n, columns), in tiles of one shape: with NumPy other blocks change no bit of it."""
    (rows, width), columns = left.shape, right.shape[1]
    tiles, rest = divmod(rows, TILE)
    whole = tiles * TILE
    product: Array = empty((rows, columns), left)
    if tiles:
        tiled = left[:whole].reshape(tiles, TILE, width)
        namespace(left).matmul(tiled, right, out=product[:whole].reshape(tiles, TILE, columns))
    if rest:
        last = zeros((TILE, width), left)
        last[:rest] = left[whole:]
        product[whole:] = (last @ right)[:rest]
    return product
