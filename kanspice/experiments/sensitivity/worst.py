"""The worst specimen whose random numbers are all within so many standard deviations of 0.

The mean squared error is nearly a convex function of these numbers, and the largest value of one on a box is at a
corner. From a specimen the search goes to the corner that the gradient there points to, and on from that one: of a
convex function every step is upwards. Several starts, drawn with the seed; the best of what they come to.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from kanspice.base.draws import Draw
from kanspice.engine.progress import Advance, Progress
from kanspice.experiments.sensitivity.numbers import ByNumbers, MeasuredSpecimen, Numbers

STARTS = 3
MOST_STEPS = 12
_ENOUGH = 1e-3
"""A step that adds less than this of the gap is the last."""
_HALVINGS = 4


@dataclass(frozen=True)
class SearchedSpecimen:
    """A specimen of a search. blocked: samples without a result in what lies farther along."""

    numbers: Numbers
    measured: MeasuredSpecimen
    steps: int
    blocked: int
    seconds: float


def worst_specimen(circuit: ByNumbers, sigmas: float, progress: Progress | None = None) -> SearchedSpecimen:
    """The worst of several searches; with no result for any specimen, the nominal one."""
    began = time.process_time()
    found = [_searched(circuit, sigmas, start, progress) for start in range(STARTS)]
    best = max(found, key=lambda each: -np.inf if np.isnan(each.measured.gap) else each.measured.gap)
    steps, blocked = sum(each.steps for each in found), max(each.blocked for each in found)
    return SearchedSpecimen(best.numbers, best.measured, steps, blocked, time.process_time() - began)


def _searched(circuit: ByNumbers, sigmas: float, start: int, progress: Progress | None) -> SearchedSpecimen:
    draw = Draw(np.random.SeedSequence([circuit.seed, start]).generate_state(1, np.uint64).item())
    drawn = {array.name: np.clip(array.of(draw), -sigmas, sigmas) for array in circuit.arrays}
    numbers: Numbers = drawn
    now, steps, blocked = circuit.measured(circuit.draw(numbers)), 0, 0
    if now.failed:
        numbers, blocked = circuit.zeros, now.failed
        now = circuit.measured(circuit.draw(numbers))
    while steps < MOST_STEPS:
        errors = np.where(np.isfinite(now.errors), now.errors, 0.0)
        slopes = circuit.gradient(numbers, errors)
        steps += 1
        if progress is not None:
            progress(Advance(1))
        corner = {name: sigmas * np.sign(slope) for name, slope in slopes.items()}
        ahead, further, failed = _farthest(circuit, numbers, corner)
        blocked = max(blocked, failed)
        if further is None or not further.gap > now.gap * (1 + _ENOUGH):
            break
        numbers, now = ahead, further
    return SearchedSpecimen(numbers, now, steps, blocked, 0.0)


def _farthest(circuit: ByNumbers, start: Numbers, corner: Numbers) -> tuple[Numbers, MeasuredSpecimen | None, int]:
    """(numbers, what is measured there, samples that failed farther on): as far to the corner as all samples go."""
    part, failed = 1.0, 0
    for _ in range(_HALVINGS):
        ahead = {name: (1 - part) * start[name] + part * corner[name] for name in corner}
        found = circuit.measured(circuit.draw(ahead))
        if not found.failed:
            return ahead, found, failed
        part, failed = part / 2, max(failed, found.failed)
    return start, None, failed
