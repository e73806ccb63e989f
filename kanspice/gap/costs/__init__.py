"""What an inference costs, physically: one file for each kind of stage that takes power, and one for them all."""

from kanspice.gap.costs.cost import Areas, PhysicalCost, StageCost
from kanspice.gap.costs.physical import physical_cost

__all__ = ["Areas", "PhysicalCost", "StageCost", "physical_cost"]
