"""Solving a design with VACASK, in the way that its sort of circuits asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from kanspice.base.arrays import Array
from kanspice.circuit import Design, Sort
from kanspice.engine.acceptance import as_read
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Progress
from kanspice.engine.simulators.process import working_folder
from kanspice.engine.simulators.simulation import Task
from kanspice.engine.solution import Solution
from kanspice.engine.vacask.operating_points import OperatingPointCall
from kanspice.engine.vacask.scope import check_design, check_fidelity
from kanspice.engine.vacask.tones import FilterCall
from kanspice.engine.vacask.transient import PeriodCall


def solve(
    design: Design,
    inputs: Array,
    fidelity: Fidelity,
    options: RunOptions | None = None,
    *,
    hints: Mapping[str, Array] | None = None,
    progress: Progress | None = None,
    numbers: Sequence[int] | None = None,
) -> Solution:
    """Voltages of every stage of a design for inputs (samples, inputs) in model units.

    Operating points, or, for a design of periods, the voltages at the end of each.

    hints: reference stages by name, (samples, width) in model units: the numerical error is measured where the circuit
    is farthest from them.
    progress: told of what was done since its last call, in parts of samples; from several threads.
    numbers: which samples these are, for what is drawn for each of them; 0 and on if None.
    Raises InputError for a circuit or a fidelity that VACASK does not solve here; SimulatorError when it is missing or
    cannot be started; failed samples are values in the result.
    """
    check_design(design)
    check_fidelity(design, fidelity)
    inputs_v, options = design.inputs_v(inputs, numbers), options or RunOptions()
    with working_folder() as folder:
        task = Task(design, inputs_v, fidelity, options, hints or {}, progress, folder)
        sort = design.sort
        match sort:
            case Sort.PERIODS:
                found = PeriodCall(task, design.read_late_s(len(inputs), numbers)).solve()
                return as_read(design, found, numbers)
            case Sort.FILTERS if fidelity == "filter":
                return FilterCall(task).solve()
            case Sort.CROSSBARS | Sort.SYNAPSES | Sort.FILTERS:
                return OperatingPointCall(task).solve()
            case _:
                assert_never(sort)
