"""A design of periods: the voltages that every sample's nodes reach, period by period, believed only when checked.

A process runs one period for a block of samples; the voltages at its end begin the next period in another process, as
an ideal switch between the banks of branches would. Blocks in doubt are halved as those of operating points are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import final

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import (
    OdePeriod,
)
from kanspice.engine.acceptance import Volts
from kanspice.engine.ngspice.attempts import doubt_in, is_final
from kanspice.engine.ngspice.deck import PeriodCircuit, period_deck, reltol_of
from kanspice.engine.ngspice.process import RAW_FILE
from kanspice.engine.ngspice.simulation import EngineCall
from kanspice.engine.ngspice.switched import stage_ends_v, switched_deck, switched_plots
from kanspice.engine.ngspice.waveforms import Tracer
from kanspice.engine.progress import SideRun
from kanspice.engine.simulators.blocks import BlockProgress, Found, PeriodClock
from kanspice.engine.simulators.period_rows import period_row_width, split_period_rows
from kanspice.engine.simulators.period_steps import SteppedPeriods
from kanspice.engine.simulators.process import Run
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.simulators.simulation import Task
from kanspice.engine.simulators.stepping import Rule, Stepping, error_of_finer
from kanspice.engine.solution import FailedSample, Outcome, Solution, Waveform

_LARGEST_BLOCK = 250
"""Samples per process: loading a bank takes as long as one of them; a sample in doubt takes its block with it."""
_RETRY_FINER = 4
"""How many times shorter the steps are with which a sample that did not converge is tried again."""
_TIME_SLACK = 1e-9
_HALFS_SHARE = 1 / 3
"""Of the work for a block: the run with half the steps."""
_RULE = Rule(pilot=10, least=20, falls_by=4.0)
"""Of the trapezoidal rule, whose error falls with the square of the steps' number: a result is what two runs, with all
and with half of the steps, lead to. What is left falls at least as fast: measured, by 4 to 8 per doubling."""


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
        self.ends_v: dict[int, dict[int, Array]] = {}
        """Number of steps -> sample -> where the rule alone, with so many steps, came to."""

    @property
    def width(self) -> int:
        return period_row_width(self.design)

    def split(self, rows: Array) -> Volts:
        return split_period_rows(self.design, rows)

    def solve(self) -> Solution:
        steps = SteppedPeriods(self, _RULE, self._fresh)
        followed = steps.solve()
        self.end_simulating()
        normal = followed.stepping
        waveforms = self._waveforms(followed.found, normal)
        reltol = reltol_of(normal)
        solution = self.solution(followed.found, followed.numerical_error, **asdict(normal), reltol=reltol)
        return replace(solution, waveforms=waveforms)

    def _fresh(self, samples: Sequence[int], stepping: Stepping, side_run: SideRun | None) -> Found:
        return self.spread(samples, partial(self._attempt, stepping, side_run), largest=_LARGEST_BLOCK)

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
            extrapolated_v = whole_v + error_of_finer(half_v, whole_v, _RULE.falls_by)  # Richardson
            found.rows = dict(zip(block, extrapolated_v, strict=True))
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
