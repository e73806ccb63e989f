"""The batched engine, as everyone else sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from kanspice.base.arrays import Array
from kanspice.circuit import Design, OdePeriod
from kanspice.engine.batched.array_devices import failures_of, processor_named
from kanspice.engine.batched.crossbar_transient import Rest, courses
from kanspice.engine.batched.engine import BatchedSession, check_device, solve
from kanspice.engine.batched.periods import ideal_end_v
from kanspice.engine.batched.row_expansions import KnownRows
from kanspice.engine.engines import Engine, Session
from kanspice.engine.fidelity import Fidelity, check_without_transistors
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Follow
from kanspice.engine.sequence import Course, Pace
from kanspice.engine.solution import Solution

_ERROR, _FINER = 3e-6, 0.1
"""Of a step, in units; and what of it when the numerical error is measured."""


@contextmanager
def _open_session(
    design: Design, fidelity: Fidelity, options: RunOptions, *, sample_timeout_s: float, follow: Follow | None
) -> Iterator[Session]:
    """Neither what rows take is found in it, nor does a sample need a time limit."""
    del sample_timeout_s, follow
    yield BatchedSession(design, fidelity, options)


def _follow_sequence(
    design: Design,
    inputs_v: Array,
    rest: Solution,
    pace: Pace,
    *,
    finer: bool,
    which: Sequence[int] | None,
    timeout_s: float | None,
    told: Callable[[int], None],
) -> Iterator[Course]:
    """Stage by stage, many samples at once."""
    start = Rest(dict(rest.column_v), dict(rest.amplifier_a))
    error = _ERROR * (_FINER if finer else 1)
    return courses(design, inputs_v, start, pace, error, which=which, timeout_s=timeout_s, told=told)


def _end_period(period: OdePeriod, before_v: Array, device: str) -> Array:
    with failures_of(device):
        return ideal_end_v(period, before_v, processor_named(device))


ENGINE = Engine(
    name="batched",
    find=lambda: None,
    solve=solve,
    open_session=_open_session,
    follow_sequence=_follow_sequence,
    follows_some=True,
    checked_by="ngspice",
    solves_together=True,
    check_device=check_device,
    fidelities=frozenset({"shared", "device", "merged", "behavioural", "filter"}),
    share=KnownRows,
    end_period=_end_period,
    check_design=check_without_transistors,
)
