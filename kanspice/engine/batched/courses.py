"""What the integrator did with a design's periods, kept to be followed back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kanspice.base.arrays import Array, Flags, Indices
from kanspice.engine.batched.integrator import TakenStep


@dataclass(frozen=True)
class Stretch:
    """What became of a period's states between two of its points; times in units.

    number: of the point at its beginning. samples: which took part. stop: (these,) when it was over for them, and
    is_cut: (these,) whether that was since the whole period was, before the next point. steps: taken from begin on.
    """

    number: int
    begin: float
    samples: Indices
    stop: Array
    is_cut: Flags
    steps: list[TakenStep]


@dataclass(frozen=True)
class PeriodCourse:
    """A period as it was followed: states (samples, nodes) that it began with and came to, all in units.

    late: (samples,) by how much longer than usual it took. failed: (samples,) of which it came to no end. arriving_v:
    (samples, inputs) volts before it.
    """

    arriving_v: Array
    start: Array
    late: Array
    end: Array
    failed: Flags
    stretches: list[Stretch]


@dataclass
class PeriodRecord:
    """What `PeriodSolver.solve` did: by period its course, and what was held of it, volts (samples, nodes); of all
    stages the voltages (samples, width).

    sum_late_s: (samples,) by how much longer than usual a sum after the last period took.
    """

    courses: dict[str, PeriodCourse] = field(default_factory=dict)
    held_v: dict[str, Array] = field(default_factory=dict)
    stage_v: dict[str, Array] = field(default_factory=dict)
    sum_late_s: Array = field(default_factory=lambda: np.empty(0))
