"""A design of periods in VACASK: the voltages that every sample's nodes reach, period by period.

A process runs one period for a block of samples, each an analysis of its own; the voltages at its end begin the next
period in another process, as an ideal switch between the banks of branches would. A sample that fails is left out of
the periods after, and then tried again with shorter steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import final

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.acceptance import Volts
from kanspice.engine.progress import SideRun
from kanspice.engine.simulators.blocks import BlockProgress, Found, solve_blocks
from kanspice.engine.simulators.period_rows import period_row_width, split_period_rows
from kanspice.engine.simulators.period_steps import SteppedPeriods
from kanspice.engine.simulators.raw import Plot
from kanspice.engine.simulators.simulation import Task
from kanspice.engine.simulators.stepping import Rule, Stepping
from kanspice.engine.solution import Solution, Waveform
from kanspice.engine.vacask.call import VacaskCall
from kanspice.engine.vacask.periods import PeriodStarts, nodes_of, period_circuit, period_deck
from kanspice.engine.vacask.results import believed, columns_of

_RULE = Rule(pilot=50, least=200, falls_by=2.0)
"""Of Adams-Moulton of order 3. Its error falls by 8 where currents are smooth, and, measured, by 3 and more where they
bend, at a corner that one step or the other happens to meet: half of that is what is relied on."""
_RETRY_FINER = 4
"""How many times shorter the steps are with which a sample that did not converge is tried again."""
_LARGEST_BLOCK, _BLOCK_BYTES = 250, 2**28
"""Samples per process, and what all of their points may take on disk."""
_TIME_SLACK = 1e-9


@dataclass
class _Ends:
    """What following a block finds: per sample the voltages of each period's nodes at its end, and every point."""

    found: Found = field(default_factory=Found)
    tables: dict[int, list[Array]] = field(default_factory=dict)


@final
class PeriodCall(VacaskCall):
    """A design of periods; a row is the voltages of all periods' nodes at the end of each, and after sums."""

    def __init__(self, task: Task, read_late_s: Array) -> None:
        """read_late_s: (samples,) by how much later than planned each one's outputs are taken."""
        super().__init__(task, lambda: period_circuit(task.design))
        self.read_late_s = read_late_s

    @property
    def width(self) -> int:
        return period_row_width(self.design)

    def split(self, rows: Array) -> Volts:
        return split_period_rows(self.design, rows)

    def solve(self) -> Solution:
        followed = SteppedPeriods(self, _RULE, self._fresh).solve()
        self.end_simulating()
        waveforms = self._waveforms(followed.found, followed.stepping)
        solution = self.solution(followed.found, followed.numerical_error, **asdict(followed.stepping))
        return replace(solution, waveforms=waveforms)

    def _fresh(self, samples: Sequence[int], stepping: Stepping, side_run: SideRun | None) -> Found:
        found = self._spread(samples, stepping, side_run)
        again = [index for index, failure in found.failures.items() if not failure.outcome.is_of_the_simulator]
        if again and not self.is_late:
            found.failures = {index: each for index, each in found.failures.items() if index not in set(again)}
            found.add(self._spread(sorted(again), stepping.finer(_RETRY_FINER), side_run))
        return found

    def _spread(self, samples: Sequence[int], stepping: Stepping, side_run: SideRun | None) -> Found:
        def attempt(block: list[int]) -> Found:
            progress = BlockProgress(self.progress, len(block), side_run)
            ends = self._follow(block, stepping, progress)
            progress.end(again=False)
            return ends.found

        points = 8 * stepping.steps * max(period.nodes + 1 for period in self.design.periods)
        largest = max(1, min(_LARGEST_BLOCK, _BLOCK_BYTES // points))
        return solve_blocks(samples, attempt, jobs=self.options.jobs, largest=largest, stop=self.stop)

    def _follow(self, block: list[int], stepping: Stepping, progress: BlockProgress, *, keep: bool = False) -> _Ends:
        """All periods for one block. keep: every point, too."""
        ends, alive, done = _Ends(), list(block), 0.0
        before_v, ends_v = self.inputs_v[block], dict[str, Array]()
        for period in self.design.periods:
            if not alive:
                break
            share, count = period.branches / max(self.design.device_count, 1), len(alive)
            lasts_s = np.full(count, period.period_s)
            if period is self.design.periods[-1]:
                lasts_s += self.read_late_s[alive]
            starts = PeriodStarts(self.design, period, period.start_v(before_v), lasts_s)

            def told(ended: int, held: int, before: float = done * count, each: float = share) -> None:
                progress.reach(before + each * ended, held)

            tables = self._follow_period(starts, alive, stepping, ends.found, told)
            stays = [place for place, sample in enumerate(alive) if sample in tables]
            alive, done = [alive[place] for place in stays], done + share
            ends_v = {name: volts[stays] for name, volts in ends_v.items()}
            ends_v[period.name] = np.array([tables[sample][-1, 1:] for sample in alive]).reshape(-1, period.nodes)
            before_v = self.design.carried_v(period, ends_v)
            if (added := self.design.sum_after(period)) is not None:
                ends_v[added.name] = before_v
            for sample in alive if keep else ():
                ends.tables.setdefault(sample, []).append(tables[sample])
        rows = np.concatenate(list(ends_v.values()), axis=1)
        ends.found.rows = dict(zip(alive, rows, strict=True))
        return ends

    def _follow_period(
        self,
        starts: PeriodStarts,
        samples: list[int],
        stepping: Stepping,
        found: Found,
        told: Callable[[int, int], None],
    ) -> dict[int, Array]:
        """Tables (points, 1 + nodes) of time and voltages, of the samples that come to the period's end; `found` gets
        the others. told: of how many are done, and of the memory that it takes."""
        run = self.run(period_deck(starts, self.loaded, stepping), told)
        found.add(Found(analysis_s=[run.wall_s], peak_bytes=run.peak_bytes))
        names = ["time", *(f"v({node})" for node in nodes_of(starts.period))]
        wanted_s = dict(zip(samples, starts.lasts_s.tolist(), strict=True))

        def table(sample: int, plot: Plot) -> Array | None:
            points = columns_of(plot, names)
            whole = points is not None and abs(points[-1, 0] - wanted_s[sample]) <= _TIME_SLACK * wanted_s[sample]
            return points if whole else None

        tables, failures = believed(run, samples, table)
        found.failures |= failures
        return tables

    def _waveforms(self, found: Found, stepping: Stepping) -> tuple[Waveform, ...]:
        """Every point of the first samples with a result, which are followed once more for it."""
        samples = sorted(found.rows)[: self.options.waveforms]
        if not samples:
            return ()
        kept = self._follow(samples, stepping, BlockProgress(None, len(samples)), keep=True).tables
        missing = [sample for sample in samples if len(kept.get(sample, ())) < len(self.design.periods)]
        if missing:
            self.notes.append(f"waveforms missing, of samples: {len(missing)} of {len(samples)}")
        return tuple(
            Waveform(sample, period.name, start_s + table[:, 0], table[:, 1:])
            for sample in samples
            if sample not in missing
            for period, start_s, table in zip(self.design.periods, self.design.begins_s, kept[sample], strict=True)
        )
