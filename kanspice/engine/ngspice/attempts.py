"""Attempts at blocks of samples: blocks are halved while their results are in doubt, and what casts doubt on them."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from kanspice.engine.netlist import place_of
from kanspice.engine.ngspice.diagnose import first_complaint, suspicion
from kanspice.engine.simulators.blocks import Found, solve_blocks
from kanspice.engine.simulators.process import Run
from kanspice.engine.solution import FailedSample, Outcome

_ANALYSIS_TIME = re.compile(r"Total analysis time \(seconds\)\s*=\s*([-+.\deE]+)")


class Attempt(Protocol):
    """One try at a block of samples: the rows that can be believed, and why the others cannot."""

    def __call__(self, block: list[int], *, hinted: bool = False) -> tuple[Found, FailedSample | None]: ...


def spread(samples: Sequence[int], attempt: Attempt, *, jobs: int, largest: int, stop: threading.Event) -> Found:
    """Solves the samples in blocks, as `solve_blocks`; those in doubt are halved."""
    return solve_blocks(samples, partial(_settle, attempt), jobs=jobs, largest=largest, stop=stop)


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
