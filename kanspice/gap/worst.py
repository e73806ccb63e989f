"""The samples that the circuit gets most wrong: where to look first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array

SHOWN_SAMPLES = 8
"""So many are kept in a report."""


@dataclass(frozen=True)
class WorstSample:
    """One solved sample with a large error, in model units.

    index: of the sample. output: the output, from 0, that is off the most; network and circuit: what they say there.
    max_abs: the error there; max_relative: in standard deviations of the outputs, None where they do not vary.
    decisions: each one's largest output, network's first; None for a single output.
    """

    index: int
    output: int
    network: float
    circuit: float
    max_abs: float
    max_relative: float | None
    decisions: tuple[int, int] | None


def worst_samples(outputs: Array, reference: Array, scale: float) -> tuple[WorstSample, ...]:
    """The `SHOWN_SAMPLES` samples with the largest error of any output, worst first; samples without one are not asked.

    outputs, reference: (samples, outputs), NaN where there is no result. scale: what relative figures are divided by.
    """
    largest = np.abs(outputs - reference).max(axis=1)
    solved = np.flatnonzero(np.isfinite(largest))
    ranked = solved[np.argsort(-largest[solved], kind="stable")][:SHOWN_SAMPLES]
    return tuple(_worst(int(index), outputs[index], reference[index], scale) for index in ranked)


def _worst(index: int, output: Array, reference: Array, scale: float) -> WorstSample:
    place = int(np.abs(output - reference).argmax())
    error = float(abs(output[place] - reference[place]))
    return WorstSample(
        index=index,
        output=place,
        network=float(reference[place]),
        circuit=float(output[place]),
        max_abs=error,
        max_relative=error / scale if scale else None,
        decisions=(int(reference.argmax()), int(output.argmax())) if len(output) > 1 else None,
    )
