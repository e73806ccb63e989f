"""The engines by name: two ways to solve one design, with the same kind of answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from kanspice import ngspice, solver
from kanspice.design import Design
from kanspice.netlist import Fidelity
from kanspice.ngspice import Advance, NgspiceOptions, Progress
from kanspice.solution import Solution
from kanspice.solver import KnownRows, SolverOptions

Array = npt.NDArray[np.float64]
EngineName = Literal["ngspice", "batched"]


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

    numbers: which samples these are, for what is drawn for each of them; 0 and on if None.
    known: what circuits that get the same inputs share: for the batched engine, whose solutions are the same with it.
    row_currents: find what crossbars' rows take, for the physical cost; ngspice gives it in any case.
    Of the options, jobs and steps are ngspice's alone: the batched engine is one process and chooses its own steps.
    """
    if engine == "ngspice":
        return ngspice.solve(design, inputs, fidelity, options, hints=hints, progress=progress, numbers=numbers)
    batched = SolverOptions(
        timeout_s=options.timeout_s,
        check_samples=options.check_samples,
        seed=options.seed,
        waveforms=options.waveforms,
        row_currents=row_currents,
    )
    advance = None if progress is None else _in_samples(progress)
    return solver.solve(design, inputs, fidelity, batched, hints=hints, progress=advance, numbers=numbers, known=known)


def _in_samples(progress: Progress) -> Callable[[int], None]:
    return lambda samples: progress(Advance(samples))


def other(engine: EngineName) -> EngineName:
    """The engine that an engine is checked against."""
    return "batched" if engine == "ngspice" else "ngspice"
