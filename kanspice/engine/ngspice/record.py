"""ngspice, as everyone else sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, get_args

from kanspice.base.arrays import Array
from kanspice.base.errors import SimulatorError
from kanspice.circuit import Design
from kanspice.engine.engines import Engine, Session
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.ngspice.curves import sweep_curve
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.ngspice.resident import Resident
from kanspice.engine.ngspice.sequence import Precision, follow_sequence
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Follow, Progress
from kanspice.engine.sequence import Course, Pace
from kanspice.engine.simulators.process import working_folder
from kanspice.engine.simulators.sessions import Anew
from kanspice.engine.solution import Solution

_OPERATING_POINTS: frozenset[Fidelity] = frozenset({"shared", "device", "behavioural"})
"""Fidelities at which a circuit without periods is solved for its operating point."""


def _solve(
    design: Design,
    inputs: Array,
    fidelity: Fidelity,
    options: RunOptions,
    *,
    hints: Mapping[str, Array],
    progress: Progress | None,
    numbers: Sequence[int] | None,
    known: Any,
) -> Solution:
    """Circuits share nothing: each is loaded anew."""
    del known
    return solve(design, inputs, fidelity, options, hints=hints, progress=progress, numbers=numbers)


@contextmanager
def _open_session(
    design: Design, fidelity: Fidelity, options: RunOptions, *, sample_timeout_s: float, follow: Follow | None
) -> Iterator[Session]:
    if design.is_timed or fidelity not in _OPERATING_POINTS:
        yield Anew(solve, design, fidelity, options, sample_timeout_s)
        return
    with working_folder() as folder:
        kept = Resident(design, fidelity, options, folder=folder, sample_timeout_s=sample_timeout_s, follow=follow)
        with closing(kept):
            kept.load()
            if kept.is_up:
                yield kept
                return
    # builds of 44 and newer with X11 end at once where there is no display, if they are to be talked to
    yield Anew(solve, design, fidelity, options, sample_timeout_s)


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
    """One transient goes through all samples, and begins at an operating point that ngspice finds by itself."""
    del rest, which
    precision = Precision().finer if finer else Precision()
    trace = follow_sequence(design, inputs_v, pace, precision, timeout_s=timeout_s)
    if trace.failure is not None:
        seen = f"{trace.failure.outcome.value}: {trace.failure.advice}"
        hint = "columns without capacitance can jump: devices.junction_f or wires.column_f; else --engine batched"
        raise SimulatorError("the transient did not come to its end", found=seen, hint=hint)
    told(len(inputs_v))
    return trace.courses(design, pace, len(inputs_v))


ENGINE = Engine(
    name="ngspice",
    find=find_ngspice,
    solve=_solve,
    open_session=_open_session,
    follow_sequence=_follow_sequence,
    follows_some=False,
    checked_by="batched",
    solves_together=False,
    has_subcircuits=True,
    check_device=None,
    fidelities=frozenset(get_args(Fidelity)),
    share=lambda: None,
    sweep_curve=sweep_curve,
)
