"""Many samples in few processes: blocks that are halved while their results are in doubt, and what is found in them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.netlist import place_of
from kanspice.engine.ngspice.diagnose import first_complaint, suspicion
from kanspice.engine.ngspice.process import Run
from kanspice.engine.progress import Advance, Progress, SideRun
from kanspice.engine.solution import FailedSample, Outcome

OPTIONS = ("jobs", "timeout_s", "check_samples", "seed", "steps", "waveforms", "device")
"""Those of `RunOptions` that a solution keeps."""
_ANALYSIS_TIME = re.compile(r"Total analysis time \(seconds\)\s*=\s*([-+.\deE]+)")


@dataclass
class Found:
    """What has been found so far: a row of voltages or a failure per sample."""

    rows: dict[int, Array] = field(default_factory=dict)
    failures: dict[int, FailedSample] = field(default_factory=dict)
    load_s: list[float] = field(default_factory=list)
    analysis_s: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    """The most memory that any process held; 0 where that is not known."""

    def add(self, other: Found) -> None:
        """Takes over what the other has."""
        self.rows |= other.rows
        self.failures |= other.failures
        self.load_s += other.load_s
        self.analysis_s += other.analysis_s
        self.peak_bytes = max(self.peak_bytes, other.peak_bytes)

    def stack(self, samples: Sequence[int]) -> Array:
        """(samples, width), the rows of some that have one."""
        return np.stack([self.rows[index] for index in samples])

    def table(self, samples: int, width: int) -> Array:
        """(samples, width), every sample's row; NaN where it has none."""
        table = np.full((samples, width), np.nan)
        for index, row in self.rows.items():
            table[index] = row
        return table

    def refuse(self, check: Callable[[Array], Mapping[int, FailedSample]]) -> None:
        """Turns rows into failures: those places that `check` names among all rows, (solved, width) in order."""
        solved = sorted(self.rows)
        if not solved:
            return
        for place, failure in check(self.stack(solved)).items():
            self.rows.pop(solved[place])
            self.failures[solved[place]] = replace(failure, index=solved[place])


class BlockProgress:
    """Reports how much of a block of samples is done, and takes that back where the block is to be solved again."""

    def __init__(self, progress: Progress | None, samples: float, side_run: SideRun | None = None) -> None:
        self._progress = progress
        self._samples = samples
        self._side_run = side_run
        self._done = 0.0

    def reach(self, samples: float, simulator_bytes: int = 0) -> None:
        """So many samples of the block are done; what was said to be done before stays so."""
        self._move_to(min(max(samples, self._done), self._samples), simulator_bytes)

    def end(self, *, again: bool) -> None:
        """All of the block is done, or all of it is to be done again."""
        self._move_to(0.0 if again else self._samples)

    def _move_to(self, samples: float, simulator_bytes: int = 0) -> None:
        if self._progress is not None and samples != self._done:
            self._progress(Advance(samples - self._done, simulator_bytes, self._side_run))
        self._done = samples


class PeriodClock:
    """Turns the simulated time of a process that solves sample after sample into how many of them are done."""

    def __init__(self, block: BlockProgress, end_s: float, *, before: float = 0.0, share: float = 1.0) -> None:
        """end_s: when a sample ends. before: samples' worth of work already done. share: the process's part of one."""
        self._block, self._end_s, self._before, self._share = block, end_s, before, share
        self._finished = 0
        self._last_s = 0.0

    def __call__(self, time_s: float, simulator_bytes: int) -> None:
        if time_s < self._last_s:
            self._finished += 1
        self._last_s = time_s
        done = self._finished + min(time_s / self._end_s, 1.0)
        self._block.reach(self._before + self._share * done, simulator_bytes)


class Attempt(Protocol):
    """One try at a block of samples: the rows that can be believed, and why the others cannot."""

    def __call__(self, block: list[int], *, hinted: bool = False) -> tuple[Found, FailedSample | None]: ...


def spread(samples: Sequence[int], attempt: Attempt, *, jobs: int, largest: int, stop: threading.Event) -> Found:
    """Solves the samples in blocks of at most `largest`, and in at least as many blocks as there are jobs."""
    found = Found()
    number = max(jobs, -(-len(samples) // largest))
    blocks = [block.tolist() for block in np.array_split(np.asarray(samples, dtype=int), number)]
    with ThreadPoolExecutor(jobs) as pool:
        try:
            futures = [pool.submit(_settle, attempt, block) for block in blocks if block]
            for future in futures:
                found.add(future.result())
        except BaseException:
            stop.set()
            raise
    return found


def _settle(attempt: Attempt, block: list[int]) -> Found:
    """Solves a block, halving it while its results are in doubt."""
    found, doubt = attempt(block)
    if is_worth_another(doubt) and len(block) == 1:
        found, doubt = attempt(block, hinted=True)
    left = [index for index in block if index not in found.rows]
    if not left:
        return found
    if not is_worth_another(doubt) or len(block) == 1:
        reason = doubt or FailedSample(left[0], Outcome.CRASHED, "the results are incomplete")
        found.failures |= {index: replace(reason, index=index) for index in left}
        return found
    middle = (len(left) + 1) // 2
    for half in (left[:middle], left[middle:]):
        if half:
            found.add(_settle(attempt, half))
    return found


def doubt_in(run: Run, first: int, points: int, expected: int) -> FailedSample | None:
    """Why the run's results cannot all be believed; None when they can."""
    if run.timed_out:
        return FailedSample(first, Outcome.TIMED_OUT)
    doubt = suspicion(run.messages)
    if doubt is not None:
        outcome, message = doubt
        place = place_of(message)
        return FailedSample(first, outcome, f"{message} ({place})" if place else message)
    if run.was_killed:
        return FailedSample(first, Outcome.CRASHED, f"ngspice was ended by signal {-run.returncode}")
    if points != expected:
        return FailedSample(first, Outcome.CRASHED, first_complaint(run.messages))
    return None


def is_worth_another(doubt: FailedSample | None) -> bool:
    """True when the simulator did not converge: fewer samples at a time, or a better start, may help."""
    return doubt is not None and not doubt.outcome.is_of_the_simulator


def is_final(block: Sequence[int], doubt: FailedSample | None, *, hinted: bool) -> bool:
    """True when the block will not be solved once more, as a whole or in halves."""
    return not is_worth_another(doubt) or (len(block) == 1 and hinted)


def times(run: Run) -> tuple[list[float], list[float]]:
    """Loading and analysis time of one process, where it said so."""
    match = _ANALYSIS_TIME.search(run.messages)
    if match is None:
        return [], []
    return [run.wall_s - float(match[1])], [float(match[1])]
