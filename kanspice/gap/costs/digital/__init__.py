"""What a digital circuit takes for the same network: its operations, counted, and published energies for each."""

from kanspice.gap.costs.digital.baseline import ChipEnergy, DigitalCost, DigitalEnergy, digital_cost
from kanspice.gap.costs.digital.operations import Operations, operations_of

__all__ = ["ChipEnergy", "DigitalCost", "DigitalEnergy", "Operations", "digital_cost", "operations_of"]
