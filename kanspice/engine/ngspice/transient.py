"""A design of periods: the voltages that every sample's nodes reach, period by period, believed only when checked.

A process runs one period for a block of samples; the voltages at its end begin the next period in another process, as
an ideal switch between the banks of branches would. Blocks in doubt are halved as those of operating points are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import assert_never, final

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import (
    DigitalLayer,
    HeldSum,
    OdePeriod,
    ReadOut,
)
from kanspice.engine.acceptance import Volts, chosen_samples
from kanspice.engine.ngspice.attempts import doubt_in, is_final
from kanspice.engine.ngspice.deck import PeriodCircuit, period_deck
from kanspice.engine.ngspice.process import RAW_FILE
from kanspice.engine.ngspice.simulation import EngineCall
from kanspice.engine.ngspice.stepping import (
    PILOT_STEPS,
    Stepping,
    error_of_finer,
    even,
    extrapolated,
    is_asymptotic,
    relative,
    steps_for,
    target,
)
from kanspice.engine.ngspice.switched import stage_ends_v, switched_deck, switched_plots
from kanspice.engine.ngspice.waveforms import Tracer
from kanspice.engine.progress import Advance, SideRun
from kanspice.engine.simulators.blocks import BlockProgress, Found, PeriodClock
from kanspice.engine.simulators.process import Run
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.simulators.simulation import Task
from kanspice.engine.solution import FailedSample, NumericalError, Outcome, Solution, Waveform

_LARGEST_BLOCK = 250
"""Samples per process: loading a bank takes as long as one of them; a sample in doubt takes its block with it."""
_RETRY_FINER = 4
"""How many times shorter the steps are with which a sample that did not converge is tried again."""
_TIME_SLACK = 1e-9
_PILOT_SAMPLES = 24
"""Errors differ widely between samples: 8 asked for 46 steps or 68, depending on which they were."""
_MOST_DOUBLINGS = 7
_HALFS_SHARE = 1 / 3
"""Of the work for a block: the run with half the steps."""
_GUESSED_STEPS = 100
_NEAR_ENOUGH = 1.5
"""By how much the numerical error may miss what was aimed at before everything is solved again."""


@dataclass(frozen=True)
class _Part:
    """A part of what is to be done for a block, as its progress counts it."""

    progress: BlockProgress
    before: float
    share: float

    def clock(self, end_s: float, samples: int, *, before: float = 0.0, share: float = 1.0) -> PeriodClock:
        """Of a run that ends a sample at `end_s`, and is a `share` of this part, with `before` of it done already."""
        done = (self.before + self.share * before) * samples
        return PeriodClock(self.progress, end_s, before=done, share=self.share * share)


@final
class PeriodSimulation(EngineCall):
    """A design of periods; a row is the voltages of all periods' nodes at the end of each, and after sums.

    Numerical error is kept well under the distance from the reference, where there is one.
    """

    def __init__(self, task: Task, read_late_s: Array) -> None:
        """read_late_s: (samples,) by how much later than planned each one's outputs are taken."""
        super().__init__(task)
        self.read_late_s = read_late_s
        self.known: dict[int, Found] = {}
        """Number of steps -> what has been found with it."""
        self.ends_v: dict[int, dict[int, Array]] = {}
        """Number of steps -> sample -> where the rule alone, with so many steps, came to."""

    @property
    def width(self) -> int:
        return sum(stage.width for stage in self.design.stages if isinstance(stage, OdePeriod | HeldSum))

    def split(self, rows: Array) -> Volts:
        stages, position = {}, 0
        for stage in self.design.over_time:
            match stage:
                case OdePeriod() | HeldSum():
                    stages[stage.name] = last = rows[:, position : position + stage.width]
                    position += stage.width
                case ReadOut():
                    stages[stage.name] = last = last[:, stage.start : stage.start + stage.width]
                case DigitalLayer():
                    stages[stage.name] = stage.computed_v(last)
                case _:
                    assert_never(stage)
        return Volts(stages)

    def solve(self) -> Solution:
        everything = range(len(self.inputs_v))
        normal = self._chosen_stepping() if self.options.steps is None else Stepping(even(self.options.steps))
        found = self._solved(everything, normal, report=True)
        error_v = self._numerical_error(found, normal)
        while self.options.steps is None and (finer := self._finer(found, normal, error_v)):
            normal, found = finer, self._solved(everything, finer)
            error_v = self._numerical_error(found, normal)
        self.end_simulating()
        waveforms = self._waveforms(found, normal)
        everything_found = replace(found, peak_bytes=max(part.peak_bytes for part in self.known.values()))
        solution = self.solution(everything_found, error_v, **asdict(normal), reltol=normal.reltol)
        return replace(solution, waveforms=waveforms)

    def _chosen_stepping(self) -> Stepping:
        """Enough steps for the target, from a few samples with a number of steps that doubles while it is too small.

        Where those samples are all there are, doubling goes on to the target: the last solution is then the result.
        """
        options = replace(self.options, check_samples=_PILOT_SAMPLES)
        chosen = chosen_samples(range(len(self.inputs_v)), options)
        before = None
        for doublings in range(_MOST_DOUBLINGS if chosen else 0):
            pilot = Stepping(PILOT_STEPS * 2**doublings)
            fine = self._solved(chosen, pilot)
            if not fine.rows:
                break
            coarse = self.known[pilot.steps // 2] if doublings else Found()
            common = sorted(coarse.rows.keys() & fine.rows.keys())
            if not common:
                continue
            before_v, after_v = self.outputs(coarse.stack(common)), self.outputs(fine.stack(common))
            error = relative(error_of_finer(before_v, after_v), after_v, cautious=True)
            if is_asymptotic(error):
                gap = self._relative_gap(after_v, common)
                enough = Stepping(steps_for(target(gap, error), error, pilot.steps, before))
                if len(chosen) < len(self.inputs_v):
                    return enough
                if enough.steps <= pilot.steps:
                    return pilot
            before = error
        if not self.is_late:
            self.notes.append("the number of time steps is a guess: no number was found that is enough")
        return Stepping(_GUESSED_STEPS)

    def _finer(self, found: Found, normal: Stepping, error_v: NumericalError | None) -> Stepping | None:
        """More steps, where the gap turns out to be real and not ten times as large as the numerical error."""
        if error_v is None or normal.is_finest:
            return None
        samples = list(error_v.samples)  # others may have other errors
        outputs_v = self.outputs(found.stack(samples))
        error = relative(np.full((1, 1), error_v.rmse_v), outputs_v)
        wanted = target(self._relative_gap(outputs_v, samples), error)
        return None if error <= wanted * _NEAR_ENOUGH else Stepping(steps_for(wanted, error, normal.steps))

    def _relative_gap(self, outputs_v: Array, samples: list[int]) -> float | None:
        """Distance (samples, outputs) from the reference, in its standard deviations; None without one."""
        if self.expected_v is None:
            return None
        return relative(outputs_v - self.expected_v[samples], self.expected_v)

    def _solved(self, samples: Sequence[int], stepping: Stepping, *, report: bool = False) -> Found:
        """What is found for the samples, and for others before them, with these steps; nothing is solved twice."""
        known = self.known.setdefault(stepping.steps, Found())
        left = [index for index in samples if index not in known.rows and index not in known.failures]
        side_run = None if report else SideRun(f"trying {stepping.steps} steps", len(left))
        self._report(report, len(samples) - len(left))
        attempt = partial(self._attempt, stepping, side_run)
        fresh = self.spread(left, attempt, largest=_LARGEST_BLOCK)
        self.refuse_out_of_range(fresh)
        known.add(fresh)
        return known

    def _attempt(
        self, stepping: Stepping, side_run: SideRun | None, block: list[int], *, hinted: bool = False
    ) -> tuple[Found, FailedSample | None]:
        """All periods for one block, with shorter steps if `hinted`. No row is kept where there is doubt of any."""
        found, stepping = Found(), stepping.finer(_RETRY_FINER) if hinted else stepping
        progress = BlockProgress(self.progress, len(block), side_run)
        half_v, doubt = self._rule(found, block, stepping.half, _Part(progress, 0.0, _HALFS_SHARE))
        if doubt is None:
            whole_v, doubt = self._rule(found, block, stepping, _Part(progress, _HALFS_SHARE, 1 - _HALFS_SHARE))
        if doubt is None:
            found.rows = dict(zip(block, extrapolated(half_v, whole_v), strict=True))
        progress.end(again=not is_final(block, doubt, hinted=hinted))
        return found, doubt

    def _rule(
        self, found: Found, block: list[int], stepping: Stepping, part: _Part
    ) -> tuple[Array, FailedSample | None]:
        """Voltages (samples, all periods' nodes) by the trapezoidal rule alone; nothing is solved twice."""
        known = self.ends_v.setdefault(stepping.steps, {})
        if set(block) <= known.keys():
            return np.stack([known[index] for index in block]), None
        follow = self._follow_periods if self.design.switching is None else self._follow_circuit
        ends_v, doubt = follow(found, block, stepping, part)
        if doubt is None:
            known |= dict(zip(block, ends_v, strict=True))
        return ends_v, doubt

    def _follow_periods(
        self, found: Found, block: list[int], stepping: Stepping, part: _Part
    ) -> tuple[Array, FailedSample | None]:
        """Each period in a run of its own: switches between them are ideal."""
        before_v, done = self.inputs_v[block], 0.0
        ends_v: dict[str, Array] = {}
        for period in self.design.periods:
            circuit, share = PeriodCircuit.of(self.design, period), period.branches / max(self.design.device_count, 1)
            clock = part.clock(period.period_s, len(block), before=done, share=share)
            lasts_s = np.full(len(block), period.period_s)
            if period is self.design.periods[-1]:
                lasts_s += self.read_late_s[block]
            deck = period_deck(circuit, period.start_v(before_v), lasts_s, stepping, RAW_FILE)
            run = self.run(deck, circuit.files, on_point=clock)
            done += share
            found.add(Found(analysis_s=[run.wall_s], peak_bytes=run.peak_bytes))
            table = _table(period, run)
            doubt = doubt_in(run, block[0], len(table), len(block)) or _unfinished(period, block, table, lasts_s)
            if doubt is not None:
                return table, doubt
            ends_v[period.name] = table[:, 1:]
            before_v = self.design.carried_v(period, ends_v)
            if (added := self.design.sum_after(period)) is not None:
                ends_v[added.name] = before_v
        return np.concatenate(list(ends_v.values()), axis=1), None

    def _follow_circuit(
        self, found: Found, block: list[int], stepping: Stepping, part: _Part
    ) -> tuple[Array, FailedSample | None]:
        """The same from one run of the whole circuit, whose clocks switch from period to period."""
        late_s = self.read_late_s[block]
        deck = switched_deck(self.design, self.inputs_v[block], late_s, stepping, RAW_FILE)
        run = self.run(deck, self.circuit.netlist.files, on_point=part.clock(self.design.inference_s, len(block)))
        found.add(Found(analysis_s=[run.wall_s], peak_bytes=run.peak_bytes))
        plots = switched_plots(self.design, run.folder / RAW_FILE)
        doubt = doubt_in(run, block[0], len(plots), len(block))
        if doubt is not None:
            return np.empty(0), doubt
        ends_v = np.stack([stage_ends_v(self.design, plot, late) for plot, late in zip(plots, late_s, strict=True)])
        bad = np.flatnonzero(~np.isfinite(ends_v).all(axis=1))
        if bad.size:
            seen = "the transient did not come to the end of every period"
            return ends_v, FailedSample(block[int(bad[0])], Outcome.DIVERGED, seen)
        return ends_v, None

    def _report(self, finished: bool, samples: int) -> None:
        if finished and samples and self.progress is not None:
            self.progress(Advance(samples))

    def _numerical_error(self, found: Found, normal: Stepping) -> NumericalError | None:
        """From a few samples solved again with half or twice the steps."""
        solved = sorted(found.rows)
        chosen = chosen_samples(solved, self.options)
        if not chosen:
            return None
        half = self.known.get(normal.steps // 2, Found()) if normal.steps % 2 == 0 else Found()
        if set(chosen) <= half.rows.keys():
            common, coarse, fine, times = chosen, half, found, 1
        else:
            coarse, fine, times = found, self._solved(chosen[::-1], normal.finer(2)), 4
            common = [index for index in chosen if index in fine.rows]
        if not common:
            self.notes.append("numerical error unknown: the rerun with shorter steps did not converge")
            return None
        outputs_v = (self.outputs(rows.stack(common)) for rows in (coarse, fine))
        return NumericalError.of(common, times * error_of_finer(*outputs_v))

    def _waveforms(self, found: Found, normal: Stepping) -> tuple[Waveform, ...]:
        """Every point of the first samples with a result, which are solved once more for it.

        A waveform is not extrapolated; with twice the steps its error is a quarter of what extrapolation mends.
        """
        samples = sorted(found.rows)[: self.options.waveforms]
        finer = normal.finer(2)
        arriving = self.inputs_v, self.read_late_s
        tracer = Tracer(self.design, *arriving, (finer, finer.finer(_RETRY_FINER)), self._run_everything)
        self.spread(samples, tracer, largest=1)
        rule_v = self.ends_v.get(normal.finer(_RETRY_FINER).steps, {}) | self.ends_v.get(normal.steps, {})
        kept = tracer.same_as({i: (self._of_periods(found.rows[i]), self._of_periods(rule_v[i])) for i in samples})
        if len(kept) < len(samples):
            missing = f"{len(samples) - len(kept)} of {len(samples)}"
            self.notes.append(
                f"waveforms missing, of samples: {missing}; solved again, there was no result, or another"
            )
        return tuple(waveform for sample in samples for waveform in kept.get(sample, ()))

    def _of_periods(self, row: Array) -> Array:
        """(all periods' nodes,) of a row, without what sums came to."""
        volts = self.split(row[None]).stage_v
        return np.concatenate([volts[period.name][0] for period in self.design.periods])

    def _run_everything(self, deck: str) -> Run:
        return self.run(deck, self.circuit.netlist.files)


def _table(period: OdePeriod, run: Run) -> Array:
    """(samples, 1 + nodes): the time reached and the voltages then; empty when they are not what was asked for."""
    wanted = ["ended", *(f"out{node}" for node in range(1, period.nodes + 1))]
    plots = read_plots(run.folder / RAW_FILE)
    if len(plots) != 1:
        return np.empty((0, len(wanted)))
    place = {name.removeprefix("v(").removesuffix(")"): index for index, name in enumerate(plots[0].vectors)}
    if not set(wanted) <= set(place) or np.iscomplexobj(plots[0].table):
        return np.empty((0, len(wanted)))
    return np.asarray(plots[0].table[:, [place[name] for name in wanted]], dtype=np.float64)


def _unfinished(period: OdePeriod, block: list[int], table: Array, lasts_s: Array) -> FailedSample | None:
    """The first sample that did not get to the period's end, (samples,), or whose voltages there are no numbers."""
    late = np.abs(table[:, 0] - lasts_s) > _TIME_SLACK * lasts_s
    bad = np.flatnonzero(late | ~np.isfinite(table).all(axis=1))
    if bad.size == 0:
        return None
    seen = f"{period.name} came to {table[bad[0], 0]:.4g} s of {period.period_s:.4g} s with voltages that are no result"
    return FailedSample(block[int(bad[0])], Outcome.DIVERGED, seen)
