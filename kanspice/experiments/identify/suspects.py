"""Causes that a twin has none of: which of them would explain more of what was measured, by score tests.

Around what was fitted, measured numbers d (in units of the noise, less what the nominal circuit gives) are to first
order normal with the covariance C = 1 + J J', J being the derivatives by the unknowns. A cause that moves them by h per
unit has the score h' C^-1 d, whose variance h' C^-1 h says how much of h no specimen of the technology can imitate; no
test sees more of it. The circuit is never fitted with the cause.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.stats import norm

from kanspice.base.arrays import Array
from kanspice.base.errors import KanspiceError
from kanspice.circuit import Crossbar
from kanspice.experiments.identify.result import REJECTED, Suspect
from kanspice.experiments.identify.twin import Twin

_OHMS = "wires.driver_ohm", "wires.row_ohm", "wires.column_ohm", "tia.output_ohm"
_GAIN, _OFFSET = "tia.gain", "tia.offset_v"
_STEPS = {**dict.fromkeys(_OHMS, 1e-2), _GAIN: 1e-7, _OFFSET: 1e-6}
"""Of what is tried: ohms, one over the gain, volts: small beside all that matters, large beside rounding."""
_UNSEEN = 1e-12
"""Squares, in units of the noise, per step: what moves outputs by no more does nothing."""
_NINE_OF_TEN = float(norm.ppf(0.9))


@dataclass(frozen=True)
class _Tried:
    """One cause. said: what the technology has; at its end if it can only be more. direction: (numbers,) per unit."""

    name: str
    said: float
    only_more: bool
    direction: Array
    shown: Callable[[float], float] = float


class Scores:
    """Numbers that were measured, beside what chips of the technology can give."""

    def __init__(self, jacobian: Array, residuals: Array, unknowns: Array) -> None:
        """jacobian: (numbers, unknowns), residuals: (numbers,) at these unknowns; both in units of the noise."""
        matrix = jacobian @ jacobian.T
        matrix[np.diag_indices(len(matrix))] += 1
        self._root = cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
        self._left = solve_triangular(self._root, residuals + jacobian @ unknowns, lower=True, check_finite=False)

    @cached_property
    def excess(self) -> float:
        """Squares of what is left over what they should be, no less than 1: errors are larger than is believed."""
        return max(1.0, float(np.mean(self._left**2)))

    def of(self, direction: Array) -> tuple[float, float] | None:
        """(how much of a cause explains most, its standard deviation); None where it does nothing."""
        moved = solve_triangular(self._root, direction, lower=True, check_finite=False)
        information = float(moved @ moved)
        if not information > 0:
            return None
        return float(moved @ self._left) / information, math.sqrt(self.excess / information)


def suspects(
    twin: Twin, inputs: Array, at: tuple[Array, Array], scores: Scores, numbers: Callable[[Array], Array]
) -> list[Suspect]:
    """Every cause that was looked for, the least likely to be chance first.

    at: unknowns, and derivatives there of the outputs by them, (numbers, unknowns) in units of the noise. numbers: of
    outputs (samples, outputs) for `inputs`, those that were measured, in units of the noise.
    """
    tried = [*_keys(twin, inputs, at[0], numbers), *_columns(twin, at[1])]
    known = [(each, scores.of(each.direction)) for each in tried]
    looked_for = [(each, found) for each, found in known if found is not None]
    made = [_suspect(each, *found, len(looked_for)) for each, found in looked_for]
    return sorted(made, key=lambda suspect: (suspect.chance, -abs(suspect.score)))


def _suspect(tried: _Tried, off: float, sigma: float, count: int) -> Suspect:
    score = off / sigma
    sides = 1 if tried.only_more else 2
    chance = float(norm.sf(score if tried.only_more else abs(score)))
    # what would have been found in nine of ten chips, so many causes being looked for
    seen = (float(norm.isf(REJECTED / (sides * count))) + _NINE_OF_TEN) * sigma
    values = (tried.said + each for each in (off, seen))
    value, seen_from = (tried.shown(each) for each in values)
    return Suspect(tried.name, tried.shown(tried.said), value, seen_from, score, min(1.0, sides * count * chance))


def _keys(twin: Twin, inputs: Array, unknowns: Array, numbers: Callable[[Array], Array]) -> Iterator[_Tried]:
    """Keys of the technology that are taken for known, or for what they are in an ideal circuit."""
    technology, here = twin.technology_of(unknowns), numbers(twin.answer(inputs, unknowns).outputs)
    for name, step in _STEPS.items():
        if name in {key.name for key in twin.keys}:
            continue
        section, _, key = name.partition(".")
        value = float(getattr(getattr(technology, section), key))
        shown, said = (_gain, 1 / value) if name == _GAIN else (float, value)
        try:
            there = twin.answer_of(twin.changed(unknowns, {name: shown(said + step)}), inputs).outputs
        except KanspiceError:
            continue
        moved = numbers(there) - here
        if np.isfinite(moved).all() and moved @ moved > _UNSEEN:
            yield _Tried(name, said, name != _OFFSET and said == 0, moved / step, shown)


def _gain(inverse: float) -> float:
    return 1 / inverse if inverse > 0 else math.inf


def _columns(twin: Twin, jacobian: Array) -> Iterator[_Tried]:
    """Columns of crossbars whose devices are gone, all of them or a part, where areas are among the unknowns."""
    sigma = twin.technology.devices.area_sigma
    for stage in twin.nominal.crossbars:
        place = twin.places.get(f"{stage.name}.area")
        if place is None or place.stop - place.start != stage.area.size:
            continue
        lost = jacobian[:, place] / -sigma
        for column, own in enumerate(_by_column(stage)):
            if own.any():
                yield _Tried(f"{stage.name} column {column}, missing", 0.0, True, lost[:, own].sum(axis=1))


def _by_column(crossbar: Crossbar) -> Iterator[Array]:
    """(numbers,) True for the devices of a column, positive and negative in turn."""
    for pair in range(crossbar.width):
        for sign in (1, -1):
            of_pair = np.zeros_like(crossbar.area, dtype=bool)
            of_pair[:, pair] = sign * crossbar.area[:, pair] > 0
            yield of_pair.ravel()
