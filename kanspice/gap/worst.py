"""The samples that the circuit gets most wrong: where to look first."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.gap.raster import Raster

SHOWN_SAMPLES = 8
"""So many are kept in a report."""
SMALLEST_SIDE, LARGEST_SIDE = 5, 64
"""Pixels of inputs that are drawn as images."""


@dataclass(frozen=True)
class WorstSample:
    """One solved sample with a large error, in model units.

    index: of the sample. output: the output, from 0, that is off the most; network and circuit: what they say there.
    max_abs: the error there; max_relative: in standard deviations of the outputs, None where they do not vary.
    decisions: each one's largest output, network's first; None for a single output. image: the inputs, where they are
    as many as a square image has pixels.
    """

    index: int
    output: int
    network: float
    circuit: float
    max_abs: float
    max_relative: float | None
    decisions: tuple[int, int] | None
    image: Raster | None = None


def worst_samples(
    outputs: Array, reference: Array, scale: float, inputs: Array | None = None
) -> tuple[WorstSample, ...]:
    """The `SHOWN_SAMPLES` samples with the largest error of any output, worst first; samples without one are not asked.

    outputs, reference: (samples, outputs), NaN where there is no result. scale: what relative figures are divided by.
    inputs: (samples, inputs), for their images.
    """
    largest = np.abs(outputs - reference).max(axis=1)
    solved = np.flatnonzero(np.isfinite(largest))
    ranked = solved[np.argsort(-largest[solved], kind="stable")][:SHOWN_SAMPLES]
    images = {} if inputs is None else {int(index): image_of(inputs[index]) for index in ranked}
    return tuple(_worst(index, outputs[index], reference[index], scale, images.get(index)) for index in ranked.tolist())


def image_of(inputs: Array) -> Raster | None:
    """Inputs (inputs,) as a square image, or as the mean of one in three colours; None where they are not so many."""
    for colours in (1, 3):
        side = math.isqrt(inputs.size // colours)
        if colours * side**2 == inputs.size and SMALLEST_SIDE <= side <= LARGEST_SIDE:
            return Raster.of(inputs.reshape(colours, side, side).mean(axis=0))
    return None


def _worst(index: int, output: Array, reference: Array, scale: float, image: Raster | None) -> WorstSample:
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
        image=image,
    )
