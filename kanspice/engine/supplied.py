"""Parts that would have to leave their rails: what is before crossbars is computed as if its supply gave anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design, DifferentialPairs, InputStage, Limiter, Rectifier
from kanspice.engine.solution import FailedSample, Outcome, Solution


def unsupplied_samples(
    design: Design, inputs: Array, solution: Solution, numbers: Sequence[int] | None = None
) -> dict[int, FailedSample]:
    """Sample -> failure, where an input stage is none any more: an op-amp needs more than its rail, or a transistor
    is saturated. inputs: (samples, inputs) in model units. numbers: as for `Design.inputs_v`."""
    failures: dict[int, FailedSample] = {}
    if not any(isinstance(stage, InputStage) for stage in design.stages):
        return failures
    before_v = design.inputs_v(inputs, numbers)[:, : design.input_width]  # noise of synapses comes after them
    solved = np.flatnonzero(solution.solved).tolist()
    for stage in design.stages:
        if isinstance(stage, InputStage):
            for failure in _unsupplied(stage, before_v, solution, solved):
                failures.setdefault(failure.index, failure)
        before_v = solution.stage_v[stage.name]
    return failures


def _unsupplied(stage: InputStage, before_v: Array, solution: Solution, solved: list[int]) -> Iterator[FailedSample]:
    match stage:
        case Rectifier():
            needed_v = stage.op_amps_v(solution.stage_v[stage.name][solved])
            for place, output, volts in _beyond(needed_v, stage.rail_v):
                detail = f"{stage.name} {output} needs {volts:.4g} V of an op-amp whose rail is {stage.rail_v:.4g} V"
                yield FailedSample(solved[place], Outcome.BEYOND_RAIL, detail)
        case DifferentialPairs():
            for place, output, volts in _beyond(stage.saturated_v(before_v[solved]), 0.0):
                where = f"{stage.name} {output}: a transistor's base is {volts:.4g} V above its collector"
                detail = f"{where}, which saturates it; the rail is {stage.rail_v:.4g} V"
                yield FailedSample(solved[place], Outcome.BEYOND_RAIL, detail)
        case Limiter():  # a formula, or diodes without a supply
            pass
        case _:
            assert_never(stage)


def _beyond(volts: Array, most_v: float) -> Iterator[tuple[int, int, float]]:
    """Rows (samples, outputs) with more than that somewhere: which, where its largest is, and how much that is."""
    for place in np.flatnonzero((volts > most_v).any(axis=1)).tolist():
        output = int(np.argmax(volts[place]))
        yield place, output, float(volts[place, output])
