"""Running an engine by its name, and accepting only what holds whichever it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.threads import fitting_threads
from kanspice.circuit import Design, OdePeriod
from kanspice.circuit.stages.trajectory import period_end_v
from kanspice.engine.acceptance import garbage, unstable_samples
from kanspice.engine.engines import Session, engine_named
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Follow, Progress
from kanspice.engine.solution import Solution
from kanspice.engine.supplied import unsupplied_samples
from kanspice.engine.tiled import solve_tiled

_CPU = "cpu"
_EITHER, _TAKEN = "auto", frozenset({"ngspice", "vacask"})
"""The engine that is one of others, and those."""
_ENDS_PERIODS = "batched"
"""The engine that follows many samples of a period at once."""


def solve(
    engine: str,
    design: Design,
    inputs: Array,
    fidelity: Fidelity,
    options: RunOptions,
    *,
    hints: Mapping[str, Array] | None = None,
    progress: Progress | None = None,
    numbers: Sequence[int] | None = None,
    known: Any = None,
) -> Solution:
    """Voltages of every stage of the design for inputs (samples, inputs) in model units.

    Samples whose operating points amplifiers of a finite bandwidth do not hold are without a result: `unstable`. So are
    those with a voltage that is no number: `out of range`, and those that take an input stage beyond its rails.
    hints: reference stages by name, (samples, width) in model units, and columns by `columns_hint`: where hard points
    may start. numbers: which samples these are, for what is drawn for each of them; 0 and on if None. known: what
    circuits that get the same inputs share, as the engine's `share` made it; the solution is the same with it.
    Raises InputError for an engine, a fidelity or a device that there is not, and for a circuit that the engine does
    not solve; SimulatorError where it cannot begin.
    """
    design = as_solved(design, engine)
    check_design(design, engine, None)
    if design.tiles:
        arriving, solve_part = design.inputs_v(inputs, numbers), partial(_solve_part, engine, fidelity)
        return solve_tiled(design, arriving, options, solve_part, hints=hints or {}, progress=progress)
    with fitting_threads(design.device_count):
        found = engine_named(engine).solve(
            design, inputs, fidelity, options, hints=hints or {}, progress=progress, numbers=numbers, known=known
        )
    return _standing(design, inputs, numbers, found)


def as_solved(design: Design, engine: str) -> Design:
    """The circuit that an engine solves: without subcircuits, for one that has none, the macro-models of these."""
    return design if engine_named(engine).has_subcircuits else design.macro_model


def _solve_part(
    engine: str,
    fidelity: Fidelity,
    design: Design,
    inputs: Array,
    options: RunOptions,
    *,
    hints: Mapping[str, Array],
    progress: Progress | None,
) -> Solution:
    return solve(engine, design, inputs, fidelity, options, hints=hints, progress=progress)


def period_ends_v(device: str) -> Callable[[OdePeriod, Array], Array]:
    """What periods of ideal sources end with, each by itself, in the fastest way that an engine has.

    device: what that engine computes with, as `--device`.
    """
    end_period = engine_named(_ENDS_PERIODS).end_period
    return period_end_v if end_period is None else partial(end_period, device=device)


@dataclass(frozen=True)
class _Standing:
    """A session whose samples have failed too where the circuit does not stay at what it found."""

    design: Design
    session: Session

    def solve(self, inputs: Array, numbers: Sequence[int] | None = None) -> Solution:
        return _standing(self.design, inputs, numbers, self.session.solve(inputs, numbers))


def _standing(design: Design, inputs: Array, numbers: Sequence[int] | None, found: Solution) -> Solution:
    """The solution without samples that have no voltages, that no rail allows, or that the circuit does not stay at."""
    found = found.without(garbage(found))
    found = found.without(unsupplied_samples(design, inputs, found, numbers))
    return found.without(unstable_samples(design, found))


@dataclass(frozen=True)
class _Anew:
    """A session for a circuit of tiles: nothing is kept ready of its many parts."""

    engine: str
    design: Design
    fidelity: Fidelity
    options: RunOptions
    sample_timeout_s: float

    def solve(self, inputs: Array, numbers: Sequence[int] | None = None) -> Solution:
        options = replace(self.options, timeout_s=self.sample_timeout_s * len(inputs))
        return solve(self.engine, self.design, inputs, self.fidelity, options, numbers=numbers)


@contextmanager
def open_session(
    engine: str,
    design: Design,
    fidelity: Fidelity,
    options: RunOptions,
    *,
    sample_timeout_s: float,
    follow: Follow | None = None,
) -> Iterator[Session]:
    """An engine with the design's circuit loaded, until the block ends. Neither numerical errors nor
    what rows take are found in it.

    sample_timeout_s: a simulator may take so long for a sample. follow: what the reference's stages are for inputs.
    """
    check_mismatch(design, engine)
    design = as_solved(design, engine)
    check_design(design, engine, None)
    if design.realised is not None:
        raise InputError(
            f"{engine} finds operating points of subcircuits too slowly for a loop",
            where="--engine",
            expected="an engine that solves the macro-models of amplifiers",
            hint="--engine batched",
        )
    unchecked = replace(options, check_samples=0, waveforms=0, row_currents=False)
    if design.tiles:
        yield _Anew(engine, design, fidelity, unchecked, sample_timeout_s)
        return
    opened = engine_named(engine).open_session(
        design, fidelity, unchecked, sample_timeout_s=sample_timeout_s, follow=follow
    )
    with fitting_threads(design.device_count), opened as session:
        yield _Standing(design, session)


def check_device(device: str, design: Design, engine: str, judge: str | None) -> None:
    """Raises InputError for a device that is not there, or where neither the engine nor its judge can use it."""
    engines = [engine_named(name) for name in (engine, judge) if name is not None]
    able = [each for each in engines if each.check_device is not None]
    if not able and device != _CPU:
        raise InputError(f"{engine} cannot use a GPU", where="--device", found=device, hint="--engine batched")
    for each in able:
        if each.check_device is not None:
            each.check_device(device, design)


def check_design(design: Design, engine: str, judge: str | None) -> None:
    """Raises InputError, naming it, for a circuit that the engine, or its judge, does not solve."""
    for name in (engine, judge):
        check = None if name is None else engine_named(name).check_design
        if check is not None:
            check(design)


def check_mismatch(design: Design, engine: str) -> None:
    """Raises InputError for amplifiers that differ as a foundry's models say, and an engine that has no such models: it
    would have them all alike, and every draw the same."""
    if design.realised is not None and design.has_mismatch and not engine_named(engine).has_subcircuits:
        raise InputError(
            f"process.mismatch would have no effect: {engine} solves the amplifiers' figures, not their transistors",
            where="--engine",
            expected="ngspice, which draws transistors",
            hint="--engine ngspice; or process.mismatch=false, with tia.offset_sigma_v and clippers.offset_sigma_v",
        )


def check_judge_of_subcircuits(design: Design, engine: str, judge: str) -> None:
    """Raises InputError where an engine solves subcircuits and its judge their macro-models: these are two circuits."""
    if design.realised is not None and engine_named(engine).has_subcircuits != engine_named(judge).has_subcircuits:
        raise InputError(
            f"{engine} and {judge} would not solve the same circuit",
            where="--cross-check",
            expected="no cross-check, or figures of the amplifiers instead of their subcircuits",
            found=f"amplifiers that are the subcircuit {design.realised.amplifier.subcircuit.name}",
            hint="--cross-check 0; verify --attribute says what the macro-model of the other engines leaves out",
        )


def judge_of(engine: str, wanted: str | None = None) -> str:
    """The engine that an engine is checked against: the one that is wanted, if one is.

    Raises InputError for the engine itself, and for one that may turn out to be it.
    """
    if wanted is None:
        return engine_named(engine).checked_by
    if _EITHER in (engine, wanted) and {engine, wanted} & _TAKEN:
        hint = "--cross-check N:batched, or name both"
        raise InputError("auto may be the other engine itself", where="--cross-check", found=wanted, hint=hint)
    if engine_named(wanted).name == engine:
        raise InputError("an engine cannot check itself", where="--cross-check", found=wanted)
    return wanted
