"""What of a measured gap comes from which cause: the twin's own causes, and what it does not explain.

Samples that were kept apart are answered by the twin with some of its imperfections at a time, as `gap.causes` has it.
What is left of the measured outputs there is one more cause, which no circuit has: it is added to every circuit's
outputs, as to hold them against a network that is off by as much the other way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.experiments.identify.result import UNEXPLAINED, MeasuredCause
from kanspice.experiments.identify.twin import Twin
from kanspice.gap.causes import PROJECTION, Attribution, Trial, attributed, attribution, planned, solve_all
from kanspice.gap.metrics import compare
from kanspice.technology import Technology


def measured_causes(
    twin: Twin, unknowns: Array, samples: tuple[Array, Array, Array], spread: float
) -> tuple[list[MeasuredCause], Attribution]:
    """The causes with their shares, the largest first, and how they came about.

    samples: inputs, what the network gives for them, and what was measured, NaN where nothing was; spread: what
    relative figures are of.
    """
    inputs, expected, measured = samples
    technology = twin.technology_of(unknowns)
    plan = planned(technology, Draw(0))
    left = measured - twin.answer(inputs, unknowns).outputs

    def solve_with(some: Technology) -> Trial:
        outputs = twin.answer_of(twin.specimen(some, unknowns), inputs).outputs
        return replace(
            _trial(outputs, expected, left, spread), projected=_trial(outputs, expected - left, left, spread)
        )

    trials = solve_all(plan, technology, solve_with)
    causes = attributed(plan, technology, trials)
    found = [
        MeasuredCause(
            name=UNEXPLAINED if cause.name == PROJECTION else cause.name,
            value=cause.value,
            alone=cause.alone.gap.relative_rmse,
            share=None if cause.share is None else cause.share.fraction,
            standard_error=None if cause.share is None else cause.share.standard_error,
        )
        for cause in causes
    ]
    return _with_residual(found, left, spread), attribution(plan, trials, "batched", spread)


def _with_residual(causes: Sequence[MeasuredCause], left: Array, spread: float) -> list[MeasuredCause]:
    """What the twin does not explain makes, by itself, what it is: the ideal circuit's own errors are not in it."""
    alone = float(np.sqrt(np.nanmean(left**2))) / spread
    return [replace(each, alone=alone) if each.name == UNEXPLAINED else each for each in causes]


def _trial(outputs: Array, against: Array, left: Array, spread: float) -> Trial:
    """Of measured outputs alone, each of which counts once: `left` is NaN where there is none."""
    there = np.isfinite(left)
    solved = np.asarray(np.isfinite(outputs).all(axis=1))
    errors = np.where(there, outputs - np.where(there, against, 0.0), 0.0)
    squared = (errors**2).sum(axis=1) * (len(errors) / there.sum())
    gap = compare(np.sqrt(squared)[:, None], np.zeros((len(squared), 1)), solved, spread)
    return Trial(gap, int((~solved).sum()), np.where(solved, squared, np.nan))
