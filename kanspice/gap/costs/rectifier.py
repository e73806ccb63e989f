"""Precision rectifiers: what their op-amps draw when they give nothing, and no more."""

from __future__ import annotations

import numpy as np

from kanspice.circuit import Rectifier
from kanspice.engine.solution import Solution
from kanspice.gap.costs.cost import MeasuredCost, of_powers


def rectifier_cost(rectifier: Rectifier, solution: Solution, quiescent_a: float) -> MeasuredCost:
    """quiescent_a: from both rails, per amplifier."""
    samples = int(solution.solved.sum())
    power_w = np.full(samples, rectifiers_w(rectifier, quiescent_a))
    assumption = "the loads of rectifiers are not counted"
    return of_powers(rectifier.name, {"quiescent": power_w}, amplifiers=rectifier.amplifiers, assumptions=(assumption,))


def rectifiers_w(rectifier: Rectifier, quiescent_a: float) -> float:
    """What a stage's op-amps take when they give nothing."""
    return 2 * rectifier.rail_v * quiescent_a * rectifier.amplifiers
