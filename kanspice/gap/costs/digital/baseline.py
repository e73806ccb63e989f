"""A network's operations and the energies of each, added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design
from kanspice.gap.costs.digital.energies import (
    ARITHMETICS,
    CHIPS,
    SOURCE,
    TABLES,
    Arithmetic,
    memory_for,
)
from kanspice.gap.costs.digital.integration import TOLERANCE, evaluations_of
from kanspice.gap.costs.digital.operations import Operations, operations_of

_LOOKED_UP = 2
"""Numbers of a table that a function takes: where a straight piece begins, and its slope."""


@dataclass(frozen=True)
class DigitalEnergy:
    """One inference with numbers of one kind.

    memory: what holds the parameters. parts_j: what the energy is the sum of.
    """

    arithmetic: str
    memory: str
    parts_j: Mapping[str, float]

    @property
    def energy_j(self) -> float:
        """All together."""
        return sum(self.parts_j.values())


@dataclass(frozen=True)
class ChipEnergy:
    """As many operations at what a published analogue chip takes for one."""

    chip: str
    reference: str
    operations_per_j: float
    energy_j: float


@dataclass(frozen=True)
class DigitalCost:
    """What a digital circuit takes for a sample of the network, one at a time.

    evaluations: period of a KirchhoffNet -> how often its currents are evaluated.
    """

    operations: Operations
    energies: tuple[DigitalEnergy, ...]
    chips: tuple[ChipEnergy, ...]
    assumptions: tuple[str, ...]
    evaluations: Mapping[str, float]


def digital_cost(design: Design, inputs: Array) -> DigitalCost | None:
    """Of the network whose circuit without imperfections is `design`; inputs (samples, inputs), model units.

    None where a period of a KirchhoffNet cannot be integrated for any of the first samples.
    """
    evaluations = evaluations_of(design, inputs)
    if not np.isfinite(list(evaluations.values())).all():
        return None
    stages = operations_of(design, evaluations)
    whole = reduce(add, stages.values(), Operations())
    energies = tuple(_energy(whole, _widest(design), arithmetic) for arithmetic in ARITHMETICS)
    count = whole.multiplications + whole.additions
    chips = tuple(
        ChipEnergy(chip.name, chip.reference, chip.operations_per_j, count / chip.operations_per_j) for chip in CHIPS
    )
    return DigitalCost(whole, energies, chips, _assumptions(design), evaluations)


def _widest(design: Design) -> int:
    """How many activations are kept at a time: a stage's inputs and outputs."""
    widths = [design.input_width, *(stage.width for stage in design.stages)]
    return max(before + after for before, after in pairwise(widths))


def _energy(operations: Operations, widest: int, arithmetic: Arithmetic) -> DigitalEnergy:
    size = arithmetic.number_bytes
    parameters, activations = memory_for(operations.parameters * size), memory_for(widest * size)
    parts_j = {
        "multiplications": operations.multiplications * arithmetic.multiply_j,
        "additions": operations.additions * arithmetic.add_j,
        "tables": operations.functions * _LOOKED_UP * size * TABLES.byte_j,
        "parameters": operations.reads * size * parameters.byte_j,
        "activations": operations.moves * size * activations.byte_j,
    }
    return DigitalEnergy(arithmetic.name, parameters.name, parts_j)


def _assumptions(design: Design) -> tuple[str, ...]:
    said = [
        f"energies of operations and of memories: {SOURCE}; int8 has products of 8 bits and sums of 32",
        "one sample at a time: each parameter is read once, each activation written once and read once; parameters are"
        " in the smallest memory that holds them",
        "a function of one number (a curve, a tanh, 1 / sqrt) is a look-up of two numbers in SRAM of 8 kB, a"
        " multiplication and an addition",
        "control, fetching instructions, leakage and moving data on the chip are not counted, nor whether int8 is"
        " accurate enough",
    ]
    if design.banks:
        said.append("where each connection is a table of its own it takes one look-up and one addition instead")
    if design.periods:
        said.append(
            f"the ODE is integrated by Dormand and Prince's method to {TOLERANCE:g}, the loosest tolerance of the"
            " authors' configurations: evaluations are a mean over the first samples, and parameters are read in each;"
            " which nodes a branch connects is not read"
        )
    return tuple(said)
