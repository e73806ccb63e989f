"""Differential pairs: their tail currents, which flow from rail to rail whatever the input."""

from __future__ import annotations

import numpy as np

from kanspice.circuit import DifferentialPairs
from kanspice.engine.solution import Solution
from kanspice.gap.costs.cost import MeasuredCost, of_powers


def differential_pairs_cost(pairs: DifferentialPairs, solution: Solution) -> MeasuredCost:
    """Of one pair for every output of the stage."""
    samples = int(solution.solved.sum())
    power_w = np.full(samples, 2 * pairs.rail_v * float(pairs.tail_a.sum()))
    assumption = "the dividers in front of differential pairs are not counted"
    return of_powers(pairs.name, {"tails": power_w}, assumptions=(assumption,))
