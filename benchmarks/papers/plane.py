"""Distributions in the plane that the KirchhoffNet paper generates: six to draw from, two by their potentials.

As the authors' program has them (src/utils/testbench.py), and scikit-learn the moons, circles and roll, except that
points are independent: theirs are spaced evenly along moons and circles, and as many on each blade of the pinwheel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.distance import cdist
from torch import Tensor

from kanspice.base.arrays import Array

Draw = Callable[[int, np.random.Generator], Array]
"""So many points (points, 2)."""


def moons(points: int, random: np.random.Generator) -> Array:
    angles, other = random.uniform(0, np.pi, points), random.integers(0, 2, points)
    sign = 1 - 2 * other
    arcs = np.column_stack([sign * np.cos(angles) + other, sign * np.sin(angles) + 0.5 * other])
    return arcs + random.normal(0, 0.1, arcs.shape)


def circles(points: int, random: np.random.Generator) -> Array:
    rings = _at(random.choice([0.5, 1.0], points), random.uniform(0, 2 * np.pi, points))
    return rings + random.normal(0, 0.06, rings.shape)


def swiss_roll(points: int, random: np.random.Generator) -> Array:
    angles = 1.5 * np.pi * (1 + 2 * random.uniform(size=points))
    roll = _at(angles, angles)
    return (roll + random.normal(0, 1, roll.shape)) / 5


def eight_gaussians(points: int, random: np.random.Generator) -> Array:
    centres = _at(np.full(points, 4.0), np.pi / 4 * random.integers(0, 8, points))
    return (centres + random.normal(0, 0.5, centres.shape)) / np.sqrt(2)


def pinwheel(points: int, random: np.random.Generator) -> Array:
    """Five blades that are bent the more the farther out."""
    along, across = 1 + random.normal(0, 0.3, points), random.normal(0, 0.1, points)
    angles = 2 * np.pi / 5 * random.integers(0, 5, points) + 0.25 * np.exp(along)
    return 2 * np.column_stack(
        [along * np.cos(angles) + across * np.sin(angles), across * np.cos(angles) - along * np.sin(angles)]
    )


def two_spirals(points: int, random: np.random.Generator) -> Array:
    angles = 3 * np.pi * np.sqrt(random.uniform(size=points))
    arm = _at(angles, np.pi - angles) + random.uniform(0, 0.5, (points, 2))
    return random.choice([-1, 1], (points, 1)) * arm / 3 + random.normal(0, 0.1, arm.shape)


TASKS: dict[str, Draw] = {
    "8gaussians": eight_gaussians,
    "pinwheel": pinwheel,
    "2spirals": two_spirals,
    "moons": moons,
    "circles": circles,
    "swiss roll": swiss_roll,
}
"""In the order of Fig. 7."""


@dataclass(frozen=True)
class Potential:
    """The density exp(-energy) / Z. energy: (points,) of points (points, 2)."""

    energy: Callable[[Tensor], Tensor]

    def log_density(self, points: Array) -> Array:
        """(points,) nats, of points (points, 2)."""
        return -self.energy(torch.from_numpy(points)).numpy() - self.log_normalisation

    @property
    def log_normalisation(self) -> float:
        """log Z, by the midpoint rule."""
        return float(np.log(self._weights().sum() * _CELL**2))

    def draw(self, points: int, random: np.random.Generator) -> Array:
        """By the midpoint rule: a cell of the plane, and a place in it."""
        weights = self._weights()
        chosen = _cells()[random.choice(len(weights), points, p=weights / weights.sum())]
        return chosen + random.uniform(-_CELL / 2, _CELL / 2, chosen.shape)

    def _weights(self) -> Array:
        return np.exp(-self.energy(torch.from_numpy(_cells())).numpy())


def _ring(points: Tensor) -> Tensor:
    """Two halves of a ring of radius 2, left and right."""
    ends = [-(((points[:, 0] - side) / 0.6) ** 2) / 2 for side in (2, -2)]
    return ((points.norm(dim=1) - 2) / 0.4) ** 2 / 2 - torch.logaddexp(*ends)


def _wave(points: Tensor) -> Tensor:
    """A band around a sine.

    The paper's has no ends, and so no integral; this one ends, softly, where the pictures do.
    """
    x, y = points.T
    beyond = (x.abs() - WINDOW).clamp(min=0)
    return ((y - torch.sin(np.pi / 2 * x)) / 0.4) ** 2 / 2 + (beyond / 0.1) ** 2 / 2


WINDOW = 4.0
"""What pictures of potentials show, to either side."""
POTENTIALS = {"potential1": Potential(_ring), "potential2": Potential(_wave)}
_CELL = 0.02
_REACH = 5.0


def energy_distance(one: Array, other: Array) -> float:
    """sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|) of points (points, 2), as `kanspice verify` has it."""
    within = cdist(one, one).mean() + cdist(other, other).mean()
    return float(np.sqrt(max(2 * cdist(one, other).mean() - within, 0.0)))


def _at(radius: Array, angle: Array) -> Array:
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def _cells() -> Array:
    """Middles (cells, 2) of the cells that the plane is divided in, where potentials are not too high."""
    side = np.arange(-_REACH + _CELL / 2, _REACH, _CELL)
    return np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
