"""Many samples in few processes: blocks of them, what is found in them, and how far they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.progress import Advance, Progress, SideRun
from kanspice.engine.solution import FailedSample

OPTIONS = ("jobs", "timeout_s", "check_samples", "seed", "steps", "waveforms", "device")
"""Those of `RunOptions` that a solution keeps."""


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


def solve_blocks(
    samples: Sequence[int], solve: Callable[[list[int]], Found], *, jobs: int, largest: int, stop: threading.Event
) -> Found:
    """Solves the samples in blocks of at most `largest`, and in at least as many blocks as there are jobs.

    stop: set when one of them raises anything, for the others to end.
    """
    found = Found()
    number = max(jobs, -(-len(samples) // largest))
    blocks = [block.tolist() for block in np.array_split(np.asarray(samples, dtype=int), number)]
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for part in pool.map(solve, [block for block in blocks if block]):
                found.add(part)
        except BaseException:
            stop.set()
            raise
    return found
