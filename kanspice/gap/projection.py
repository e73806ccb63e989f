"""How far a network of devices is from the learnt network that it was made of, and its circuit with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.arrays import Array, Flags
from kanspice.gap.metrics import Gap, compare


@dataclass(frozen=True)
class ProjectedLayer:
    """A layer made of devices, in units of the learnt network: its sums against those of the learnt layer.

    gap: what arrives and what the layer adds. added: against the learnt layer fed with the same values.
    """

    name: str
    gap: Gap
    added: Gap


@dataclass(frozen=True)
class ProjectionGap:
    """made: the network of devices against the learnt one. whole: its circuit against the learnt one.

    samples: how many `whole` is of: those that the circuit has a result for, and the learnt network an answer.

    Relative figures of both are, as the circuit's gap is, of what the outputs of the network of devices vary by. An
    error of the outputs is the circuit's plus the projection's.
    """

    made: Gap
    whole: Gap
    layers: tuple[ProjectedLayer, ...]
    samples: int


def from_learnt(outputs: Array, learnt: Array, solved: Flags, scale: float) -> Gap:
    """A circuit's outputs (samples, outputs), where they are solved, against those of the learnt network.

    Without relative figures where that has no finite answer for some sample: a limit must not be kept by leaving out.
    """
    answered = np.isfinite(learnt).all(axis=1)
    gap = compare(outputs, learnt, np.logical_and(solved, answered), scale)
    return gap if answered.all() else replace(gap, relative_rmse=None, max_relative=None)
