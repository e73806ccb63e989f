"""A design of periods, solved with as many time steps as its errors ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.acceptance import chosen_samples
from kanspice.engine.progress import Advance, SideRun
from kanspice.engine.simulators.blocks import Found
from kanspice.engine.simulators.simulation import SimulatorCall
from kanspice.engine.simulators.stepping import (
    Rule,
    Stepping,
    error_of_finer,
    even,
    is_asymptotic,
    relative,
    steps_for,
    target,
)
from kanspice.engine.solution import NumericalError

_PILOT_SAMPLES = 24
"""Errors differ widely between samples: 8 asked for 46 steps or 68, depending on which they were."""
_MOST_DOUBLINGS = 7
_GUESSED_STEPS = 100
_NEAR_ENOUGH = 1.5
"""By how much the numerical error may miss what was aimed at before everything is solved again."""


class SolveFresh(Protocol):
    """Solving samples with some steps, which has not been done before. side_run: if it is none of the answers' runs."""

    def __call__(self, samples: Sequence[int], stepping: Stepping, side_run: SideRun | None) -> Found: ...


@dataclass(frozen=True)
class SteppedResult:
    """What was found of all samples, the steps that it took, and how wrong it is."""

    found: Found
    stepping: Stepping
    numerical_error: NumericalError | None


class SteppedPeriods:
    """Numerical error is kept well under the distance from the reference, where there is one."""

    def __init__(self, call: SimulatorCall, rule: Rule, solve_fresh: SolveFresh) -> None:
        self._call, self._rule, self._solve_fresh = call, rule, solve_fresh
        self._known: dict[int, Found] = {}
        """Number of steps -> what has been found with it."""

    def solve(self) -> SteppedResult:
        """All samples of the call."""
        steps, everything = self._call.options.steps, range(len(self._call.inputs_v))
        normal = self._chosen_stepping() if steps is None else Stepping(even(steps))
        found = self.solved(everything, normal, report=True)
        error_v = self._numerical_error(found, normal)
        while steps is None and (finer := self._finer(found, normal, error_v)):
            normal, found = finer, self.solved(everything, finer)
            error_v = self._numerical_error(found, normal)
        peak_bytes = max(part.peak_bytes for part in self._known.values())
        return SteppedResult(replace(found, peak_bytes=peak_bytes), normal, error_v)

    def _chosen_stepping(self) -> Stepping:
        """Enough steps for the target, from a few samples with a number of steps that doubles while it is too small.

        Where those samples are all there are, doubling goes on to the target: the last solution is then the result.
        """
        options = replace(self._call.options, check_samples=_PILOT_SAMPLES)
        chosen = chosen_samples(range(len(self._call.inputs_v)), options)
        before = None
        for doublings in range(_MOST_DOUBLINGS if chosen else 0):
            pilot = Stepping(self._rule.pilot * 2**doublings)
            fine = self.solved(chosen, pilot)
            if not fine.rows:
                break
            coarse = self._known[pilot.steps // 2] if doublings else Found()
            common = sorted(coarse.rows.keys() & fine.rows.keys())
            if not common:
                continue
            before_v, after_v = self._call.outputs(coarse.stack(common)), self._call.outputs(fine.stack(common))
            error = relative(error_of_finer(before_v, after_v, self._rule.falls_by), after_v, cautious=True)
            if is_asymptotic(error):
                gap = self._relative_gap(after_v, common)
                enough = Stepping(self._steps_for(target(gap, error), error, pilot.steps, before))
                if len(chosen) < len(self._call.inputs_v):
                    return enough
                if enough.steps <= pilot.steps:
                    return pilot
            before = error
        if not self._call.is_late:
            self._call.notes.append("the number of time steps is a guess: no number was found that is enough")
        return Stepping(_GUESSED_STEPS)

    def _finer(self, found: Found, normal: Stepping, error_v: NumericalError | None) -> Stepping | None:
        """More steps, where the gap turns out to be real and not ten times as large as the numerical error."""
        if error_v is None or normal.is_finest:
            return None
        samples = list(error_v.samples)  # others may have other errors
        outputs_v = self._call.outputs(found.stack(samples))
        error = relative(np.full((1, 1), error_v.rmse_v), outputs_v)
        wanted = target(self._relative_gap(outputs_v, samples), error)
        return None if error <= wanted * _NEAR_ENOUGH else Stepping(self._steps_for(wanted, error, normal.steps))

    def _relative_gap(self, outputs_v: Array, samples: list[int]) -> float | None:
        """Distance (samples, outputs) from the reference, in its standard deviations; None without one."""
        if self._call.expected_v is None:
            return None
        return relative(outputs_v - self._call.expected_v[samples], self._call.expected_v)

    def solved(self, samples: Sequence[int], stepping: Stepping, *, report: bool = False) -> Found:
        """What is found for the samples, and for others before them, with these steps; nothing is solved twice."""
        known = self._known.setdefault(stepping.steps, Found())
        left = [index for index in samples if index not in known.rows and index not in known.failures]
        side_run = None if report else SideRun(f"trying {stepping.steps} steps", len(left))
        self._report(report, len(samples) - len(left))
        fresh = self._solve_fresh(left, stepping, side_run)
        self._call.refuse_out_of_range(fresh)
        known.add(fresh)
        return known

    def _report(self, finished: bool, samples: int) -> None:
        if finished and samples and self._call.progress is not None:
            self._call.progress(Advance(samples))

    def _numerical_error(self, found: Found, normal: Stepping) -> NumericalError | None:
        """From a few samples solved again with half or twice the steps."""
        solved = sorted(found.rows)
        chosen = chosen_samples(solved, self._call.options)
        if not chosen:
            return None
        half = self._known.get(normal.steps // 2, Found()) if normal.steps % 2 == 0 else Found()
        if set(chosen) <= half.rows.keys():
            common, coarse, fine, times = chosen, half, found, 1.0
        else:
            coarse, fine, times = found, self.solved(chosen[::-1], normal.finer(2)), self._rule.falls_by
            common = [index for index in chosen if index in fine.rows]
        if not common:
            self._call.notes.append("numerical error unknown: the rerun with shorter steps did not converge")
            return None
        coarse_v, fine_v = (self._call.outputs(rows.stack(common)) for rows in (coarse, fine))
        return NumericalError.of(common, times * error_of_finer(coarse_v, fine_v, self._rule.falls_by))

    def _steps_for(self, wanted: float, error: float, steps: int, before: float | None = None) -> int:
        return steps_for(wanted, error, steps, before, least=self._rule.least)
