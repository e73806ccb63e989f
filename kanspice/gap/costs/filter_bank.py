"""Banks of filters: what they are made of; what they draw depends on parts that no published circuit names."""

from __future__ import annotations

from kanspice.circuit import FilterBank
from kanspice.engine.solution import Solution
from kanspice.gap.costs.cost import UNPUBLISHED, MeasuredCost, StageCost

_AMPLIFIERS = 3
"""Per filter: two followers and an inverting amplifier."""


def filter_bank_cost(bank: FilterBank, solution: Solution) -> MeasuredCost:
    """Its connections and amplifiers; one more adds up each output."""
    cost = StageCost(bank.name, bank.device_count, _AMPLIFIERS * bank.device_count + bank.width, None)
    lasts = solution.fidelity == "transient"
    return MeasuredCost(cost, int(solution.solved.sum()), lasts, UNPUBLISHED)
