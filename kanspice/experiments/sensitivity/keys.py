"""Which numbers of the technology matter: how specimens' gap changes with each, by exact derivatives.

Of some specimens as a study draws them, whose random numbers stay what they are: so that a standard deviation has a
derivative as anything else has.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from kanspice.base.draws import Draw
from kanspice.engine.progress import Advance, Progress
from kanspice.experiments.ensemble.variations import seed_of
from kanspice.experiments.sensitivity.numbers import ByNumbers
from kanspice.experiments.sensitivity.result import KeyEffect
from kanspice.technology import Technology

SPECIMENS = 8
_LEAST = 1e-6
"""Of the gap, for as much of a key: less is rounding."""
_GRIDS = ("devices.area_step", "filters.gain_step")
"""What is rounded to a grid has jumps where the grid changes, and no derivative."""


def key_effects(circuit: ByNumbers, progress: Progress | None = None) -> tuple[KeyEffect, ...]:
    """What a percent more of each number above 0 does, that with the largest effect first."""
    values = dict(_values(circuit.technology))
    squares, slopes = [], []
    for trial in range(SPECIMENS):
        square, found = circuit.squared_error(Draw(seed_of(circuit.seed, trial)), values)
        if square > 0:
            squares.append(square)
            slopes.append([found[name] * value for name, value in values.items()])
        if progress is not None:
            progress(Advance(1))
    if not squares:
        return ()
    effects = _effects(np.array(squares), np.array(slopes))
    known = [
        KeyEffect(name, value, effect, error)
        for (name, value), (effect, error) in zip(values.items(), effects, strict=True)
        if abs(effect) > _LEAST
    ]
    return tuple(sorted(known, key=lambda key: -abs(key.effect)))


def _values(technology: Technology) -> Iterator[tuple[str, float]]:
    for section in technology.sections:
        table = getattr(technology, section)
        for key in type(table).model_fields:
            value = getattr(table, key)
            if isinstance(value, float) and 0 < value < math.inf and f"{section}.{key}" not in _GRIDS:
                yield f"{section}.{key}", value


def _effects(squares: np.ndarray, slopes: np.ndarray) -> Sequence[tuple[float, float]]:
    """Of each key, what the gap of all specimens changes by, of itself, and the standard error: by leaving one out."""
    many = len(squares)
    effects = slopes.sum(axis=0) / (2 * squares.sum())
    if many == 1:
        return [(float(effect), math.nan) for effect in effects]
    without = (slopes.sum(axis=0) - slopes) / (2 * (squares.sum() - squares))[:, None]
    errors = np.sqrt((many - 1) / many * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    return list(zip(effects.tolist(), errors.tolist(), strict=True))
