"""The engines by name: two ways to solve one design, with the same kind of answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from kanspice import ngspice, solver
from kanspice.design import Design
from kanspice.errors import InputError
from kanspice.netlist import Fidelity
from kanspice.ngspice import Advance, NgspiceOptions, Progress, Resident
from kanspice.ngspice.process import working_folder
from kanspice.ngspice.resident import Follow
from kanspice.outcomes import garbage, unstable_samples
from kanspice.solution import Solution
from kanspice.solver import KnownRows, SolverOptions
from kanspice.solver.processors import HOST, processor_named

Array = npt.NDArray[np.float64]
EngineName = Literal["ngspice", "batched"]
_OPERATING_POINTS: frozenset[Fidelity] = frozenset({"shared", "device", "behavioural"})
"""Fidelities at which a circuit without periods is solved for its operating point."""


def solve(
    engine: EngineName,
    design: Design,
    inputs: Array,
    fidelity: Fidelity,
    options: NgspiceOptions,
    *,
    hints: Mapping[str, Array] | None = None,
    progress: Progress | None = None,
    numbers: Sequence[int] | None = None,
    known: KnownRows | None = None,
    row_currents: bool = True,
) -> Solution:
    """Voltages of every stage of the design for inputs (samples, inputs) in model units.

    Samples whose operating points amplifiers of a finite bandwidth do not hold are without a result: `unstable`. So are
    those with a voltage that is no number: `out of range`.
    numbers: which samples these are, for what is drawn for each of them; 0 and on if None.
    known: what circuits that get the same inputs share: for the batched engine, whose solutions are the same with it.
    row_currents: find what crossbars' rows take, for the physical cost; ngspice gives it in any case.
    Of the options, jobs and steps are ngspice's alone: the batched engine is one process and chooses its own steps. The
    device is the batched engine's.
    """
    if engine == "ngspice":
        found = ngspice.solve(design, inputs, fidelity, options, hints=hints, progress=progress, numbers=numbers)
        return _standing(design, found)
    batched = _batched(options, row_currents=row_currents)
    found = solver.solve(
        design,
        inputs,
        fidelity,
        batched,
        hints=hints,
        progress=None if progress is None else lambda samples: progress(Advance(samples)),
        expects=None if progress is None else lambda size: progress(Advance(0, size)),
        numbers=numbers,
        known=known,
    )
    return _standing(design, found)


class Session(Protocol):
    """An engine that keeps a design's circuit ready: for inputs that depend on the outputs before them."""

    def solve(self, inputs: Array, numbers: Sequence[int] | None = None) -> Solution:
        """Voltages of every stage for inputs (samples, inputs) in model units, and which samples these are."""


@dataclass(frozen=True)
class _Anew:
    """For analyses of which ngspice keeps nothing: every call begins with loading."""

    design: Design
    fidelity: Fidelity
    options: NgspiceOptions
    sample_timeout_s: float

    def solve(self, inputs: Array, numbers: Sequence[int] | None = None) -> Solution:
        limited = replace(self.options, timeout_s=self.sample_timeout_s * len(inputs))
        return ngspice.solve(self.design, inputs, self.fidelity, limited, numbers=numbers)


@dataclass(frozen=True)
class _Standing:
    """A session whose samples have failed too where the circuit does not stay at what it found."""

    design: Design
    session: Session

    def solve(self, inputs: Array, numbers: Sequence[int] | None = None) -> Solution:
        return _standing(self.design, self.session.solve(inputs, numbers))


def _standing(design: Design, found: Solution) -> Solution:
    """The solution without samples that have no voltages, or that the circuit does not stay at."""
    found = found.without(garbage(found))
    return found.without(unstable_samples(design, found))


@contextmanager
def open_session(
    engine: EngineName,
    design: Design,
    fidelity: Fidelity,
    options: NgspiceOptions,
    *,
    sample_timeout_s: float,
    follow: Follow | None = None,
) -> Iterator[Session]:
    """An engine with the design's circuit loaded, until the block ends. Neither numerical errors nor
    what rows take are found in it.

    sample_timeout_s: ngspice may take so long for a sample. follow: what the reference's stages are for inputs.
    """
    unchecked = replace(options, check_samples=0, waveforms=0)
    if engine == "batched":
        yield _Standing(design, solver.Session(design, fidelity, _batched(unchecked, row_currents=False)))
    elif design.periods or fidelity not in _OPERATING_POINTS:
        yield _Anew(design, fidelity, unchecked, sample_timeout_s)
    else:
        with working_folder() as folder:
            kept = Resident(
                design, fidelity, unchecked, folder=folder, sample_timeout_s=sample_timeout_s, follow=follow
            )
            with closing(kept):
                kept.load()
                yield _Standing(design, kept)


def _batched(options: NgspiceOptions, *, row_currents: bool) -> SolverOptions:
    return SolverOptions(
        timeout_s=options.timeout_s,
        check_samples=options.check_samples,
        seed=options.seed,
        waveforms=options.waveforms,
        row_currents=row_currents,
        device=options.device,
    )


def check_device(device: str, design: Design, engine: EngineName, cross_check: int) -> None:
    """Raises InputError for a device that is not there, or where neither the engine nor its check can use it."""
    solver.check_device(device, design)
    if processor_named(device) is not HOST and engine == "ngspice" and not cross_check:
        raise InputError("ngspice cannot use a GPU", where="--device", found=device, hint="--engine batched")


def other(engine: EngineName) -> EngineName:
    """The engine that an engine is checked against."""
    return "batched" if engine == "ngspice" else "ngspice"
