"""Unknowns of a circuit that is far from linear in them: statistical linearisation, over what is still unknown.

Derivatives at one place mislead where parts spread much: limits cut them off, curves bend. Here they are means over
several specimens that all are possible so far, and by how much these specimens miss the straight line counts as noise.
So a fit begins with a rough idea of everything and sees details as less is left unknown, instead of ending in the
first hollow (the iterated posterior linearisation filter of Garcia-Fernandez, Svensson, Morelande and Sarkka, 2015).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from kanspice.base.arrays import Array

Linear = Callable[[Array], tuple[Array, Array]]
"""For unknowns: outputs (numbers,), and their derivatives (numbers, unknowns)."""
_SPECIMENS, _ROUNDS, _STEP = 8, 12, 0.6
"""Specimens, an even number; how often they are drawn closer; and how far of the way each time."""


@dataclass(frozen=True)
class Smoothed:
    """unknowns: (unknowns,), their mean. specimens: (specimens, unknowns), what is possible; noise: of linearity."""

    unknowns: Array
    specimens: Array
    noise: float


def smoothed(
    linear: Linear, wanted: Array, noise: float, size: int, told: Callable[[float], None] | None = None
) -> Smoothed:
    """Unknowns, each N(0, 1) before anything was known, that explain `wanted` (numbers,) up to `noise`.

    told: of every part of the work that is done, of 1. The specimens are the same wherever this is called: nothing of
    it is left to chance. Those without an answer have no say; where fewer than two have one it ends.
    """
    random = np.random.default_rng(0)
    apart, off = (random.standard_normal((_SPECIMENS // 2, count)) for count in (size, len(wanted)))
    apart, off = np.concatenate([apart, -apart]), np.concatenate([off, -off])
    mean, moved, sigma = np.zeros(size), apart, noise
    for _ in range(_ROUNDS):
        jacobian, outputs, steps = np.zeros((len(wanted), size)), [], []
        for step in moved:
            found, steepness = linear(mean + step)
            if np.isfinite(found).all() and np.isfinite(steepness).all():
                outputs.append(found)
                steps.append(step)
                jacobian += steepness
        if len(outputs) <= 1:
            break
        jacobian /= len(outputs)
        middle = np.mean(outputs, axis=0)
        missed = np.array(outputs) - middle - np.array(steps) @ jacobian.T
        sigma = float(np.sqrt(noise**2 + (missed**2).sum() / missed[1:].size))
        scaled = jacobian / sigma
        matrix = scaled @ scaled.T
        matrix[np.diag_indices(len(matrix))] += 1
        factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        there = scaled.T @ cho_solve(factor, (wanted - middle) / sigma + scaled @ mean)
        mean = mean + _STEP * (there - mean)
        moved = apart - cho_solve(factor, scaled @ apart.T + off.T).T @ scaled
        if told is not None:
            told(1 / _ROUNDS)
    return Smoothed(mean, mean + moved, sigma)
