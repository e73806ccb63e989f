"""Precision rectifiers: what their op-amps draw when they give nothing, and no more."""

from __future__ import annotations

import numpy as np

from kanspice.circuit import Rectifier
from kanspice.engine.solution import Solution
from kanspice.gap.costs.cost import MeasuredCost, StageCost, largest_of, mean_of


def rectifier_cost(rectifier: Rectifier, solution: Solution, quiescent_a: float) -> MeasuredCost:
    """quiescent_a: from both rails, per amplifier."""
    samples = int(solution.solved.sum())
    power_w = np.full(samples, rectifiers_w(rectifier, quiescent_a))
    cost = StageCost(
        name=rectifier.name,
        devices=0,
        amplifiers=rectifier.amplifiers,
        areas=None,
        power_w=mean_of(power_w),
        largest_power_w=largest_of(power_w),
    )
    assumption = "the loads of rectifiers are not counted"
    return MeasuredCost(cost, samples, lasts=False, assumptions=(assumption,), power_w=power_w)


def rectifiers_w(rectifier: Rectifier, quiescent_a: float) -> float:
    """What a stage's op-amps take when they give nothing."""
    return 2 * rectifier.rail_v * quiescent_a * rectifier.amplifiers
