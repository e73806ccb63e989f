"""How long the work will take, said once: as soon as a part of it is measured, and only where that is long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanspice.engine.progress import Advance, SideRun

LONG_S = 10.0
"""What takes longer is worth an estimate."""
CROSS_CHECK = "cross-check"
"""What the pipeline calls it."""
_FEWER_CHECKS = "a smaller --cross-check"
_WINDOW_S = 1.0
"""In which parts are measured: what begins together ends together, and says nothing of the parts after it."""


@dataclass(frozen=True)
class Workload:
    """What is to be done. parts: samples of a circuit, or draws; rounds: how often all of them.

    faster: what would take less time, for a sentence; "" where nothing would. steady: nothing comes before the first
    part, which says how long the others take. error_parts: to measure the numerical error takes as long as so many.
    together: all parts of a round are done at once, and the first round does more than the others, which say how long
    one takes.
    """

    parts: int
    unit: str = "samples"
    rounds: int = 1
    faster: str = ""
    steady: bool = False
    error_parts: float = 0.0
    together: bool = False

    @property
    def at_once(self) -> int:
        """So many parts have to be done at least, before and while the others are measured."""
        return self.parts if self.together and self.rounds > 1 else 1

    @property
    def amount(self) -> str:
        """In words."""
        circuits = f" x {self.rounds:,} circuits" if self.rounds > 1 else ""
        return f"{self.parts:,} {self.unit}{circuits}" + (" and their numerical error" if self.error_parts else "")

    @property
    def hint(self) -> str:
        """The end of such a sentence."""
        return f"; faster: {self.faster}" if self.faster else ""


@dataclass
class WorkPace:
    """How fast parts are done: what comes before the first one is done once a round."""

    work: Workload
    began: float
    done: float = 0.0
    first: tuple[float, float] | None = None
    """When the first part, or round, was done, and how many were then."""

    def advance(self, parts: float, now: float) -> None:
        """So many more are done."""
        self.done += parts
        if self.first is None and self.done >= self.work.at_once:
            self.first = now, self.done

    def restart(self, now: float) -> None:
        """What was done until now was something else."""
        if self.first is None:
            self.began = now
        else:
            self.first = now, self.done

    def estimate(self, now: float) -> tuple[float, float] | None:
        """(seconds for everything, seconds for a part); None while too little was measured."""
        if self.first is None:
            return None
        then, before = self.first
        if self.work.steady or (self.done >= self.work.parts and self.work.at_once == 1):
            part = (now - self.began) / self.done
            return (self.work.rounds * self.work.parts + self.work.error_parts) * part, part
        if now - then < _WINDOW_S or self.done < before + self.work.at_once:
            return None
        part = (now - then) / (self.done - before)
        if self.work.at_once > 1:
            seconds = then - self.began + (self.work.rounds * self.work.parts - before) * part
        else:
            seconds = self.work.rounds * (then - self.began + (self.work.parts - before) * part)
        return seconds + self.work.error_parts * part, part


class Estimate:
    """Watches the progress of work, and of a cross-check beside it, and says what it expects of each."""

    def __init__(self, work: Workload, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock, self._lock = say, clock, threading.Lock()
        self._last = clock()
        self._work, self._begun = work, False
        self._pace: WorkPace | None = WorkPace(work, self._last)
        self._checks: dict[SideRun, WorkPace | None] = {}

    def note(self, advance: Advance) -> None:
        """Takes what was done since the last call; from several threads."""
        with self._lock:
            now, run = self._clock(), advance.side_run
            if advance.first_s > LONG_S and not self._begun:
                self._announce(advance.first_s)
            if run is None:
                self._pace = self._after(self._pace, advance.samples, now)
            else:
                if self._pace is not None:
                    self._pace.restart(now)
                if run.name == CROSS_CHECK:
                    begun = WorkPace(
                        Workload(run.samples, "samples of the cross-check", faster=_FEWER_CHECKS), self._last
                    )
                    self._checks[run] = self._after(self._checks.get(run, begun), advance.samples, now)
            self._last = now

    def _announce(self, first_s: float) -> None:
        """What a simulator needs before anything can be measured, as it says itself."""
        from kanspice.report.formatting import lasting  # noqa: PLC0415 - --help stays fast

        self._begun = True
        circuits = f" of each of {self._work.rounds:,} circuits" if self._work.rounds > 1 else ""
        self._say(f"estimate: about {lasting(first_s)} until the first sample{circuits}{self._work.hint}")

    def _after(self, pace: WorkPace | None, parts: float, now: float) -> WorkPace | None:
        """The pace once so many more parts are done; None when all is said."""
        if pace is None:
            return None
        pace.advance(parts, now)
        found = pace.estimate(now)
        if found is None:
            return pace
        seconds, part = found
        if seconds - (now - pace.began) > LONG_S:
            from kanspice.report.formatting import lasting  # noqa: PLC0415 - --help stays fast

            self._say(f"estimate: about {lasting(seconds)} for {pace.work.amount}, {part:.2g} s each{pace.work.hint}")
        return None
