"""VACASK, as everyone else sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.circuit import Design
from kanspice.engine.engines import Engine, Session
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Follow, Progress
from kanspice.engine.sequence import Course, Pace
from kanspice.engine.simulators.sessions import Anew
from kanspice.engine.solution import Solution
from kanspice.engine.vacask.curves import sweep_curve
from kanspice.engine.vacask.engine import solve
from kanspice.engine.vacask.program import find_vacask
from kanspice.engine.vacask.scope import FIDELITIES, check_design, check_fidelity


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
    """Circuits share nothing but compiled modules, which the cache has."""
    del known
    return solve(design, inputs, fidelity, options, hints=hints, progress=progress, numbers=numbers)


@contextmanager
def _open_session(
    design: Design, fidelity: Fidelity, options: RunOptions, *, sample_timeout_s: float, follow: Follow | None
) -> Iterator[Session]:
    del follow
    check_design(design)
    check_fidelity(design, fidelity)
    find_vacask()
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
    """Raises InputError: it follows nothing over time."""
    del design, inputs_v, rest, pace, finer, which, timeout_s, told
    hint = "--engine batched, or ngspice"
    raise InputError("VACASK follows no circuit over time here", where="engine vacask", found="transients", hint=hint)


ENGINE = Engine(
    name="vacask",
    find=find_vacask,
    solve=_solve,
    open_session=_open_session,
    follow_sequence=_follow_sequence,
    follows_some=False,
    checked_by="batched",
    solves_together=False,
    check_device=None,
    fidelities=FIDELITIES,
    share=lambda: None,
    check_design=check_design,
    sweep_curve=sweep_curve,
)
