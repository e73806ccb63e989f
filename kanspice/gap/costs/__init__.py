"""What an inference costs, physically: one file for each kind of stage that takes power, and one for them all.

`digital` is what a digital circuit takes for the same network.
"""

from kanspice.gap.costs.cost import Areas, PhysicalCost, StageCost
from kanspice.gap.costs.digital import ChipEnergy, DigitalCost, DigitalEnergy, Operations, digital_cost
from kanspice.gap.costs.physical import physical_cost

__all__ = [
    "Areas",
    "ChipEnergy",
    "DigitalCost",
    "DigitalEnergy",
    "Operations",
    "PhysicalCost",
    "StageCost",
    "digital_cost",
    "physical_cost",
]
