"""Least squares of edge functions onto device curves, from their moments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kanspice.base.arrays import Array
from kanspice.families.edgekan.moments import Moments

_LEAST = 1e-14
"""Of the mean square of the basis: what keeps equations solvable, where curves are the same on all samples."""


def fitted(found: Moments, chosen: Sequence[int], *, constant: bool, ridge: float) -> Array:
    """Areas (inputs, K + 1, outputs) of the devices that are chosen, and a constant last; zero for all others.

    The mean squared error over the samples of each edge, plus ridge times the mean square of each device's current
    there, times its area squared, is least. The constant is not held back, or zero if not wanted.
    """
    size = found.gram.shape[1]
    used = [*chosen, size - 1] if constant else [*chosen]
    areas = np.zeros_like(found.cross)
    if not used:
        return areas
    gram = found.gram[:, used][:, :, used]
    held = np.array([ridge if index < size - 1 else 0.0 for index in used]) + _LEAST
    squares = found.gram.mean(axis=0).diagonal()[used]
    with np.errstate(all="ignore"):
        areas[:, used] = np.linalg.solve(gram + np.diag(held * squares), found.cross[:, used])
    return areas


def edge_errors(found: Moments, areas: Array) -> Array:
    """(inputs, outputs): root of each edge's mean squared error over the samples."""
    explained = (areas * (2 * found.cross - found.gram @ areas)).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(found.square - explained, 0.0)))
