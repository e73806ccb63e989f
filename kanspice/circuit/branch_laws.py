"""Laws of a KirchhoffNet's branches, one record each: dimensionless functions of the voltages at both ends.

A law is an activation of a drive. To add one is to add its record to `_OF_THE_PAPER`: both engines, bounds, specimens
and compiling follow from it. The reference network has functions of its own, by the same names, and shares nothing with
these. Names and parameter rows are those of the authors' code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit.activations import ACTIVATIONS, IDENTITY, LEAKY_RELU, RELU, TANH, Activation
from kanspice.circuit.drives import BOTH_ENDS, DIFFERENCE, SCALED, SHIFTED, BranchDrive

LawName = str
"""One of `LAWS`: a branch function of the paper, or `Device1.` or `Device2.` and an activation: of a difference's drive
p1 (v_s - v_d) + p0, or of p0 v_s + p1 v_d + p2."""
SchematicName = Literal["conductance", "switched conductance", "switched sources", "pair"]
_IMPERFECTIONS: Mapping[SchematicName, tuple[str, ...]] = {
    "conductance": (),
    "switched conductance": ("switch_on_ohm", "switch_off_ohm"),
    "switched sources": ("switch_on_ohm", "switch_off_ohm", "source_ohm", "vccs_saturation"),
    "pair": ("pair_saturation", "pair_sigma", "vccs_saturation"),
}


@dataclass(frozen=True)
class BranchLaw:
    """`activation(drive)`, times what the drive's form multiplies it with."""

    name: LawName
    drive: BranchDrive
    activation: Activation
    schematic: SchematicName | None = None
    """What Fig. 5 of the KirchhoffNet paper and the text below it build it of; None where they do not."""
    is_inline: bool = False
    """Whether netlists write the drive into the source's expression, instead of giving it a node of its own."""

    @property
    def rows(self) -> int:
        """How many parameters a branch has."""
        return self.drive.rows

    @property
    def imperfections(self) -> tuple[str, ...]:
        """Those that its schematic can have."""
        return () if self.schematic is None else _IMPERFECTIONS[self.schematic]

    @property
    def is_resistive(self) -> bool:
        """Whether its schematic's transconductance is a resistor, with or without a switch behind it."""
        return self.schematic in ("conductance", "switched conductance")

    @property
    def is_conductance(self) -> bool:
        """Whether a branch is a conductance, of whichever sign."""
        return self.drive is SCALED and self.activation is IDENTITY

    @property
    def is_shifted_rectifier(self) -> bool:
        """Whether it is a straight line on either side of the shift that is its first parameter."""
        return self.drive is SHIFTED and self.activation.below is not None

    @property
    def adds_up(self) -> bool:
        """Whether branches between the same two nodes add up to one piecewise linear function of their difference."""
        return self.is_conductance or self.is_shifted_rectifier

    def currents(self, source: Array, destination: Array, theta: Array) -> Array:
        """Currents (..., branches) for voltages (..., branches) at both ends, both in units."""
        return self.drive.weighted(self.activation.function(self.drive.drive(source, destination, theta)), theta)

    def growth(self, theta: Array) -> tuple[Array, Array]:
        """(slope, offset), each (branches,): |current| is at most slope * (largest |voltage|) + offset, in units."""
        of, activation = self.drive.coefficients(np.abs(theta)), self.activation
        slope = activation.grows * (of.alpha + np.abs(of.beta))
        return of.weight * slope, of.weight * (activation.grows * np.abs(of.gamma) + activation.offset)

    def slopes(self, theta: Array) -> Array:
        """(branches,): a current changes by at most so much, in units, when both voltages change by a unit each."""
        of = self.drive.coefficients(np.abs(theta))
        steepest: Array = of.weight * (self.activation.steepest * (of.alpha + np.abs(of.beta)))
        return steepest

    def with_offsets(self, theta: Array, offsets: Array) -> Array:
        """theta (parameters, branches) of branches whose inputs are off; offsets: as for `BranchDrive.with_offsets`."""
        return self.drive.with_offsets(theta, offsets)


_OF_THE_PAPER = (
    BranchLaw("ShiftRelu1", SHIFTED, RELU, "switched conductance", is_inline=True),
    BranchLaw("ShiftLeakyRelu1", SHIFTED, LEAKY_RELU, is_inline=True),
    BranchLaw("ShiftTanh1", DIFFERENCE, TANH, "pair"),
    BranchLaw("ShiftRelu2", BOTH_ENDS, RELU, "switched sources", is_inline=True),
    BranchLaw("ShiftLeakyRelu2", BOTH_ENDS, LEAKY_RELU, is_inline=True),
    BranchLaw("ShiftTanh2", BOTH_ENDS, TANH, "pair"),
    BranchLaw("Conductance", SCALED, IDENTITY, "conductance"),
)
_OF_ANY_ACTIVATION = tuple(
    BranchLaw(f"Device{form}.{name}", drive, activation)
    for form, drive in ((1, DIFFERENCE), (2, BOTH_ENDS))
    for name, activation in ACTIVATIONS.items()
)
LAWS: Mapping[LawName, BranchLaw] = {law.name: law for law in (*_OF_THE_PAPER, *_OF_ANY_ACTIVATION)}
SCHEMATIC_LAWS: tuple[LawName, ...] = tuple(name for name, law in LAWS.items() if law.schematic is not None)


def own_name(name: LawName) -> LawName:
    """What the paper calls the law, if it has a name for it, and so perhaps a schematic."""
    law = LAWS[name]
    return next((own.name for own in _OF_THE_PAPER if (own.drive, own.activation) == (law.drive, law.activation)), name)
