"""The fastest simulator that is installed and solves the circuit: VACASK, else ngspice. Solutions say which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError, SimulatorError
from kanspice.circuit import Design
from kanspice.engine.engines import Engine, Session, engine_named
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Follow, Progress
from kanspice.engine.sequence import Course, Pace
from kanspice.engine.solution import Solution

_FASTEST, _ALWAYS = "vacask", "ngspice"


def fastest(design: Design, fidelity: Fidelity) -> Engine:
    """The simulator for a design. That it is installed is not asked of the one that solves everything."""
    engine = engine_named(_FASTEST)
    if design.realised is not None:
        return engine_named(_ALWAYS)
    try:
        engine.find()
        if engine.check_design is not None:
            engine.check_design(design)
    except (InputError, SimulatorError):
        return engine_named(_ALWAYS)
    return engine if fidelity in engine.fidelities else engine_named(_ALWAYS)


def _find() -> object:
    """Raises SimulatorError where neither is installed."""
    try:
        return engine_named(_FASTEST).find()
    except SimulatorError:
        return engine_named(_ALWAYS).find()


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
    """Neither simulator shares anything."""
    engine = fastest(design, fidelity)
    return engine.solve(design, inputs, fidelity, options, hints=hints, progress=progress, numbers=numbers, known=known)


def _open_session(
    design: Design, fidelity: Fidelity, options: RunOptions, *, sample_timeout_s: float, follow: Follow | None
) -> AbstractContextManager[Session]:
    engine = fastest(design, fidelity)
    return engine.open_session(design, fidelity, options, sample_timeout_s=sample_timeout_s, follow=follow)


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
    """By the one that follows circuits over time."""
    return engine_named(_ALWAYS).follow_sequence(
        design, inputs_v, rest, pace, finer=finer, which=which, timeout_s=timeout_s, told=told
    )


ENGINE = Engine(
    name="auto",
    find=_find,
    solve=_solve,
    open_session=_open_session,
    follow_sequence=_follow_sequence,
    follows_some=False,
    checked_by="batched",
    solves_together=False,
    has_subcircuits=True,
    check_device=None,
    fidelities=engine_named(_ALWAYS).fidelities,
    share=lambda: None,
)
