"""Banks of synapses: what they are made of; what they draw depends on parts that no published circuit names."""

from __future__ import annotations

from kanspice.circuit import SynapseBank
from kanspice.engine.solution import Solution
from kanspice.gap.costs.cost import UNPUBLISHED, MeasuredCost, StageCost

_AMPLIFIERS = 1
"""Per synapse: its gain stage."""


def synapse_bank_cost(bank: SynapseBank, solution: Solution) -> MeasuredCost:
    """Its connections and amplifiers; one more adds up each output."""
    cost = StageCost(bank.name, bank.device_count, _AMPLIFIERS * bank.device_count + bank.width, None)
    return MeasuredCost(cost, int(solution.solved.sum()), lasts=False, assumptions=UNPUBLISHED)
