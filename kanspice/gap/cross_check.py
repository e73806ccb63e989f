"""Two engines on one design: how far apart their answers are, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kanspice.design import Design
from kanspice.gap.metrics import spread
from kanspice.solution import Solution

CROSSBAR_TOLERANCE = 1e-6
PERIOD_TOLERANCE = 1e-4
_TIMES_ERROR = 2
"""Of ngspice's own numerical error, measured by halving its time steps: good to such a factor where currents bend."""


@dataclass(frozen=True)
class OtherOutcome:
    """A sample that ended differently in the two engines."""

    index: int
    outcome: str
    other_outcome: str


@dataclass(frozen=True)
class CrossCheck:
    """Some samples solved by another engine.

    samples: which. worst: largest difference of any output, in standard deviations of the outputs, and worst_sample the
    sample that has it; None where no sample was solved by both. allowed: what `worst` may be.
    """

    engine: str
    engine_version: str
    samples: tuple[int, ...]
    worst: float | None
    worst_sample: int | None
    allowed: float
    outcomes: tuple[OtherOutcome, ...]

    @property
    def passed(self) -> bool:
        """The engines agree on every sample, also on those without a result."""
        return not self.outcomes and (self.worst is None or self.worst <= self.allowed)

    def among(self, places: Sequence[int]) -> CrossCheck:
        """The same among more samples: this one's are at `places`, in order."""
        return replace(
            self,
            samples=tuple(places[sample] for sample in self.samples),
            worst_sample=None if self.worst_sample is None else places[self.worst_sample],
            outcomes=tuple(replace(each, index=places[each.index]) for each in self.outcomes),
        )


def cross_checked(design: Design, solution: Solution, other: Solution, samples: Sequence[int]) -> CrossCheck:
    """How far `other`, which solved `samples` of the solution's only, is from it.

    Differences are divided by the standard deviation of the solution's outputs over all samples; by the largest output
    where they do not vary.
    """
    last = design.stages[-1].name
    all_v, other_v = solution.stage_v[last], other.stage_v[last]
    found_v = all_v[list(samples)]
    scale_v = spread(all_v) or float(np.abs(all_v[solution.solved]).max(initial=0.0)) or 1.0
    differences = np.abs(found_v - other_v).max(axis=1) / scale_v
    both = np.flatnonzero(solution.solved[list(samples)] & other.solved)
    worst = int(both[np.argmax(differences[both])]) if both.size else None
    return CrossCheck(
        engine=other.engine,
        engine_version=other.engine_version,
        samples=tuple(samples),
        worst=None if worst is None else float(differences[worst]),
        worst_sample=None if worst is None else samples[worst],
        allowed=_allowed(design, (solution, other), scale_v),
        outcomes=_different_outcomes(solution, other, samples),
    )


def _allowed(design: Design, solutions: Sequence[Solution], scale_v: float) -> float:
    if not design.periods:
        return CROSSBAR_TOLERANCE
    errors = [solution.numerical_error for solution in solutions if solution.engine == "ngspice"]
    return PERIOD_TOLERANCE + _TIMES_ERROR * sum(error.max_abs_v for error in errors if error is not None) / scale_v


def _different_outcomes(solution: Solution, other: Solution, samples: Sequence[int]) -> tuple[OtherOutcome, ...]:
    first = {failure.index: failure.outcome.value for failure in solution.failed}
    second = {samples[failure.index]: failure.outcome.value for failure in other.failed}
    pairs = [(index, first.get(index, "converged"), second.get(index, "converged")) for index in samples]
    return tuple(OtherOutcome(*pair) for pair in pairs if pair[1] != pair[2])
