"""Unknowns that explain outputs, by damped Gauss-Newton steps, where there are more unknowns than numbers, or fewer.

Unknowns z are counted in their own standard deviations, from 0: what is least is |(wanted - outputs) / noise|^2 +
|z|^2. Steps are found in the space of whichever are fewer, measured numbers or unknowns (the matrix inversion lemma):
nothing is as large as the square of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

from kanspice.base.arrays import Array

Outputs = Callable[[Array], Array]
"""(numbers,) for unknowns; NaN where there is none."""
Jacobian = Callable[[Array], Array]
"""(numbers, unknowns) at unknowns."""
ANNEALED = 10.0, 3.0, 1.0
"""How much more noise is believed in at first: a fit that begins far away would else be led astray."""
_STEPS, _LAST_STEPS, _TRIES = 8, 25, 6
_ENOUGH, _ENOUGH_FOR_NOW = 1e-3, 3e-2
"""Of the cost: a step that gains less is the last one, or the last one with more noise than there is."""


@dataclass(frozen=True)
class Fit:
    """What was found. unknowns: (unknowns,). residuals: (numbers,) in units of the noise; jacobian too."""

    unknowns: Array
    residuals: Array
    jacobian: Array
    solves: int

    @property
    def chi_squared(self) -> float:
        """Of the measured numbers, per number."""
        return float(np.mean(self.residuals**2)) if self.residuals.size else 0.0

    @property
    def cost(self) -> float:
        """What is least: squares of what is left, and of the unknowns."""
        return float((self.residuals**2).sum() + (self.unknowns**2).sum())

    @property
    def effort(self) -> float:
        """The same per number: of a chip of the technology 1.

        That is the distance of the outputs from the nominal circuit's by the covariance that the technology gives them.
        """
        return self.cost / max(1, len(self.residuals))


def fitted(
    outputs: Outputs,
    jacobian: Jacobian,
    wanted: Array,
    noise: Array,
    *,
    start: Array,
    annealed: Sequence[float] = ANNEALED,
    free: Array | None = None,
    tries: int = _TRIES,
) -> Fit:
    """wanted: (numbers,). noise: (numbers,), what they are off by. free: which unknowns can move; all if None.

    tries: how often a step that does not lead down is made shorter before it is the last.
    """
    unknowns, solves = start.copy(), 0
    moving = np.ones(len(start), dtype=bool) if free is None else free
    found, steepness = outputs(unknowns), jacobian(unknowns)[:, moving]
    for factor in annealed:
        sigma, damping = noise * factor, 1e-2
        cost = _cost(wanted, found, sigma, unknowns)
        for _ in range(_LAST_STEPS if factor == annealed[-1] else _STEPS):
            step = _Steps(steepness / sigma[:, None], (wanted - found) / sigma, unknowns[moving])
            better = None
            for _try in range(tries):
                there = unknowns.copy()
                there[moving] += step.damped(damping)
                outcome = outputs(there)
                solves += 1
                new = _cost(wanted, outcome, sigma, there)
                if new < cost:
                    better = there, outcome, new
                    damping = max(damping / 5, 1e-6)
                    break
                damping *= 6
            if better is None:
                break
            gained = cost - better[2]
            unknowns, found, cost = better
            steepness = jacobian(unknowns)[:, moving]
            if gained < (_ENOUGH if factor == annealed[-1] else _ENOUGH_FOR_NOW) * cost:
                break
    return Fit(unknowns, (wanted - found) / noise, steepness / noise[:, None], solves)


def _cost(wanted: Array, found: Array, noise: Array, unknowns: Array) -> float:
    if not np.isfinite(found).all():
        return np.inf
    return float((((wanted - found) / noise) ** 2).sum() + (unknowns**2).sum())


class _Steps:
    """Steps from one place, damped more or less."""

    def __init__(self, jacobian: Array, residuals: Array, unknowns: Array) -> None:
        self._jacobian, self._uphill = jacobian, jacobian.T @ residuals - unknowns
        self._dual = jacobian.shape[0] < jacobian.shape[1]
        self._matrix = jacobian @ jacobian.T if self._dual else jacobian.T @ jacobian
        self._seen = jacobian @ self._uphill if self._dual else self._uphill

    def damped(self, damping: float) -> Array:
        matrix = self._matrix.copy()
        matrix[np.diag_indices(len(matrix))] += 1 + damping
        solved = cho_solve(cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False), self._seen)
        if not self._dual:
            return np.asarray(solved)
        return np.asarray((self._uphill - self._jacobian.T @ solved) / (1 + damping))


class Posterior:
    """What is left unknown after a fit, to first order: a normal distribution of the unknowns."""

    def __init__(self, jacobian: Array) -> None:
        """jacobian: (numbers, unknowns), in units of the noise and of the priors."""
        matrix = jacobian @ jacobian.T
        matrix[np.diag_indices(len(matrix))] += 1
        self._root = cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
        self._whitened = solve_triangular(self._root, jacobian, lower=True, check_finite=False)

    def drawn(self, random: np.random.Generator) -> Array:
        """(unknowns,) by how much one that explains as well is off from what was found: a draw."""
        numbers, unknowns = self._whitened.shape
        off = random.standard_normal(unknowns)
        return self.explaining(off, random.standard_normal(numbers))

    def explaining(self, off: Array, noise: Array) -> Array:
        """(unknowns,) the same of standard normal numbers, (unknowns,) and (numbers,), that it is drawn of."""
        # what the draw makes of the measured numbers is taken back, as if these had been measured of it
        seen = solve_triangular(self._root, noise, lower=True, check_finite=False) + self._whitened @ off
        return np.asarray(off - self._whitened.T @ seen)

    @property
    def sigma(self) -> Array:
        """(unknowns,) standard deviations that are left, of 1 before."""
        return np.asarray(np.sqrt(np.clip(1 - (self._whitened**2).sum(axis=0), 0.0, 1.0)))

    @property
    def informed(self) -> float:
        """How many unknowns' worth the numbers tell: the trace of what is no longer unknown."""
        return float((self._whitened**2).sum())

    def spread(self, jacobian: Array) -> Array:
        """(numbers,) standard deviations of other numbers, whose derivatives these are: (numbers, unknowns)."""
        left = (jacobian**2).sum(axis=1) - ((jacobian @ self._whitened.T) ** 2).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(left, 0.0)))

    def covariance(self, jacobian: Array) -> Array:
        """(numbers, numbers) of other numbers."""
        seen = jacobian @ self._whitened.T
        return np.asarray(jacobian @ jacobian.T - seen @ seen.T)
