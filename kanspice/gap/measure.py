"""Solution against reference: the gap at every stage and at the output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import (
    Design,
    OdePeriod,
    Stage,
)
from kanspice.circuit.stages.trajectory import period_end_v
from kanspice.engine.solution import Solution
from kanspice.gap.metrics import compare
from kanspice.gap.resolution import NumericalGap
from kanspice.gap.stage_gap import StageGap

StageLaw = Callable[[Array], Array]
PeriodEnd = Callable[[OdePeriod, Array], Array]
"""Node voltages (samples, nodes) at a period's end for those of the stage before it, (samples, inputs), volts."""
_Alone = Callable[[Array, Mapping[str, Array]], Array]
"""What a stage should have made of the voltages before it, and of those of the stages before that."""

_ROUNDING = 2.0**-50
"""Of the largest voltage: what steps that come to rest are off by, whatever their length."""


def measure(
    design: Design,
    solution: Solution,
    inputs: Array,
    reference: Mapping[str, Array],
    period_end: PeriodEnd = period_end_v,
    *,
    laws: Mapping[str, StageLaw] | None = None,
) -> tuple[StageGap, ...]:
    """The gap at every stage of the design.

    inputs: (samples, inputs) in model units; reference: stage name -> (samples, width) in model units. period_end: how
    periods are followed to find what they should have done. laws: what the network makes of values, (samples, inputs)
    in model units, at stages that an ideal circuit was not built to do the same at.
    """
    before_v, before_v_per_unit = inputs * design.input_v_per_unit, design.input_v_per_unit
    gaps = []
    for stage in design.stages:
        law = (laws or {}).get(stage.compares_to)
        if law is None:
            alone = partial(_alone_v, design, stage, period_end)
        else:
            alone = partial(_network_v, stage, law, before_v_per_unit)
        gaps.append(_stage_gap(solution, stage, before_v, reference[stage.compares_to], alone))
        before_v, before_v_per_unit = solution.stage_v[stage.name], stage.output_v_per_unit
    return tuple(gaps)


def decoded_outputs(design: Design, solution: Solution) -> Array:
    """The outputs (samples, outputs) in model units: the circuit's, converted, and through what is digital after it.

    NaN rows where a sample failed.
    """
    volts = solution.stage_v[design.last_of_circuit.name]
    read_v = volts if design.adc is None else design.adc.convert(volts)
    outputs_v = read_v if design.digital is None else design.digital.computed_v(read_v)
    return outputs_v / design.stages[-1].output_v_per_unit


def numerical_gap(design: Design, solution: Solution, scale: float) -> NumericalGap | None:
    """The run's numerical error in model units, and relative to `scale`, the outputs' `spread`, where it is not 0.

    Of periods it is at least the rounding of their voltages, which two runs may have in common.
    """
    error = solution.numerical_error
    if error is None:
        return None
    least_v = _ROUNDING * max((_largest(solution.stage_v[period.name]) for period in design.periods), default=0.0)
    per_unit = design.stages[-1].output_v_per_unit
    rmse, max_abs = (max(found_v, least_v) / per_unit for found_v in (error.rmse_v, error.max_abs_v))
    return NumericalGap(len(error.samples), rmse, max_abs, rmse / scale if scale else None)


def reference_gap(samples: Sequence[int], change: Array, scale: float) -> NumericalGap:
    """The network's own numerical error, from how far the outputs of `samples` moved, (samples, outputs)."""
    rmse = float(np.sqrt(np.mean(change**2)))
    return NumericalGap(len(samples), rmse, float(np.abs(change).max()), rmse / scale if scale else None)


def _stage_gap(solution: Solution, stage: Stage, before_v: Array, reference: Array, alone_of: _Alone) -> StageGap:
    volts = solution.stage_v[stage.name]
    solved = solution.solved & np.isfinite(before_v).all(axis=1)
    alone_v = np.full_like(volts, np.nan)
    if solved.any():
        earlier_v = {name: found[solved] for name, found in solution.stage_v.items()}
        alone_v[solved] = alone_of(before_v[solved], earlier_v)
    outputs, alone = volts / stage.output_v_per_unit, alone_v / stage.output_v_per_unit
    added = compare(outputs, np.where(np.isfinite(alone), alone, reference), solved)
    columns_v = solution.column_v.get(stage.name)
    return StageGap(
        name=stage.name,
        gap=compare(outputs, reference, solved),
        added=added,
        largest_v=_largest(volts),
        largest_column_v=None if columns_v is None else _largest(columns_v),
        behavioural=stage.is_behavioural,
    )


def _network_v(
    stage: Stage, law: StageLaw, before_v_per_unit: float, before_v: Array, _earlier_v: Mapping[str, Array]
) -> Array:
    """What the network would have made of these voltages."""
    return law(before_v / before_v_per_unit) * stage.output_v_per_unit


def _alone_v(
    design: Design, stage: Stage, period_end: PeriodEnd, before_v: Array, earlier_v: Mapping[str, Array]
) -> Array:
    """What the stage should have done."""
    if isinstance(stage, OdePeriod):  # integrating it is an engine's work
        return period_end(stage, before_v)
    return stage.ideal_v(design, before_v, earlier_v)


def _largest(volts: Array) -> float:
    finite = np.abs(volts[np.isfinite(volts)])
    return float(finite.max()) if finite.size else float("nan")
