"""Two engines on one design: how far apart their answers are, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kanspice.circuit import Design
from kanspice.engine.solution import FailedSample, Outcome, Solution
from kanspice.gap.metrics import spread

CROSSBAR_TOLERANCE = 1e-6
PERIOD_TOLERANCE = 1e-4
MOST_TOLERANCE = 1e-2
"""Whatever a simulator's numerical error is: engines that are farther apart have not agreed about anything."""
_TIMES_ERROR = 2
"""Of a simulator's own numerical error, from halving its time steps: good to such a factor where currents bend."""
_CONTROLS_STEPS = "batched"
"""The engine whose steps are as short as an error within the tolerance asks for."""


@dataclass(frozen=True)
class OtherOutcome:
    """A sample that ended differently in the two engines."""

    index: int
    outcome: str
    other_outcome: str


@dataclass(frozen=True)
class NotChecked:
    """A sample that an engine could not even try: it crashed, or ran out of time or memory. That says nothing of it."""

    index: int
    why: str


@dataclass(frozen=True)
class CrossCheck:
    """Some samples solved by another engine.

    samples: which. worst: largest difference of any output, in standard deviations of the outputs, and worst_sample the
    sample that has it; None where no sample was solved by both. allowed: what `worst` may be. outcomes: of samples that
    one engine solved and the other found to have no result; not_checked: of samples that one of them could not try.
    """

    engine: str
    engine_version: str
    samples: tuple[int, ...]
    worst: float | None
    worst_sample: int | None
    allowed: float
    outcomes: tuple[OtherOutcome, ...]
    not_checked: tuple[NotChecked, ...] = ()

    @property
    def disagrees(self) -> bool:
        """The engines say different things of some sample."""
        return bool(self.outcomes) or (self.worst is not None and self.worst > self.allowed)

    @property
    def passed(self) -> bool:
        """The engines agree on every sample, also on those without a result, and both tried every one."""
        return not self.disagrees and not self.not_checked

    def among(self, places: Sequence[int]) -> CrossCheck:
        """The same among more samples: this one's are at `places`, in order."""
        return replace(
            self,
            samples=tuple(places[sample] for sample in self.samples),
            worst_sample=None if self.worst_sample is None else places[self.worst_sample],
            outcomes=tuple(replace(each, index=places[each.index]) for each in self.outcomes),
            not_checked=tuple(replace(each, index=places[each.index]) for each in self.not_checked),
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
        not_checked=_not_checked(solution, other, samples),
    )


def unchecked(engine: str, samples: Sequence[int], why: str) -> CrossCheck:
    """That of an engine that could not begin, with the reason."""
    nothing = tuple(NotChecked(sample, why) for sample in samples)
    return CrossCheck(engine, "", tuple(samples), None, None, 0.0, (), nothing)


def _allowed(design: Design, solutions: Sequence[Solution], scale_v: float) -> float:
    if not design.is_timed:
        return CROSSBAR_TOLERANCE
    errors = [solution.numerical_error for solution in solutions if solution.engine != _CONTROLS_STEPS]
    own = _TIMES_ERROR * sum(error.max_abs_v for error in errors if error is not None) / scale_v
    return min(PERIOD_TOLERANCE + own, MOST_TOLERANCE)


def _different_outcomes(solution: Solution, other: Solution, samples: Sequence[int]) -> tuple[OtherOutcome, ...]:
    first, second = _failures(solution, range(solution.samples)), _failures(other, samples)
    tried = set(samples) - {each.index for each in _not_checked(solution, other, samples)}
    pairs = [(index, _outcome(first.get(index)), _outcome(second.get(index))) for index in sorted(tried)]
    return tuple(OtherOutcome(index, one.value, two.value) for index, one, two in pairs if one is not two)


def _not_checked(solution: Solution, other: Solution, samples: Sequence[int]) -> tuple[NotChecked, ...]:
    """Samples that either engine could not try."""
    places = (solution, range(solution.samples)), (other, samples)
    found = {index: (engine, each) for engine, of in places for index, each in _failures(engine, of).items()}
    untried = ((index, *found[index]) for index in samples if index in found)
    return tuple(
        NotChecked(index, f"{engine.engine}: {each.detail or each.outcome.value}")
        for index, engine, each in untried
        if each.outcome.is_of_the_simulator
    )


def _failures(solution: Solution, samples: Sequence[int]) -> dict[int, FailedSample]:
    return {samples[failure.index]: failure for failure in solution.failed}


def _outcome(failure: FailedSample | None) -> Outcome:
    return Outcome.CONVERGED if failure is None else failure.outcome
