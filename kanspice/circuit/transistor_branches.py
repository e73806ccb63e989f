"""Branches of transistors: tanh laws as differential pairs whose gates are resistive sums of lines; ladders and limits.

A node's voltage is copied, times `line_gain` and either sign, to a pair of lines. A branch's gate hangs on the lines of
its ends, on one of constant voltage and on ground by a resistor each, so it stands at an average of them, weighted with
conductances: weights are ratios of resistors, their signs the choice of the line. Of its tail's current, `unit_a`, the
pair makes unit_a * tanh(slope_per_v * gate), whose halves mirrors take to the nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import numpy as np
import numpy.typing as npt
from scipy.constants import zero_Celsius

from kanspice.base.arrays import Array
from kanspice.circuit.activations import TANH
from kanspice.circuit.branch_laws import LAWS, LawName
from kanspice.circuit.stages.ode_period import OdePeriod
from kanspice.subcircuits.process import Corner, Models, ProcessName

_NOMINAL_C = 27.0
_TOLERATED = 0.95
"""A branch may be this much less steep than it should be, before it gets lines of its own."""
_NEGLIGIBLE = 1e-9
"""Part of a gate's sum below which there is no resistor."""


@dataclass(frozen=True)
class BranchCells:
    """What our cells of a process can do, as measured on them: `netlists/<process>/kn_*.cir` say how."""

    slope_per_v: float
    """Of the tanh of a gate's voltage, from 0 V on, at 27 degrees and typical transistors."""
    line_gain: float
    """Volts of a line for a volt of its node, either sign."""
    steep_gain: float
    """How many times more there is on the lines of branches that are too steep for these."""
    reach_v: float
    """What nodes may stand at, either sign: amplifiers and mirrors work as they should up to there."""
    unit_a: float
    """The pair's tail, at which it is in weak inversion: unit of current."""
    largest_unit_a: float
    """What the tail may be, for the pair to be a tanh."""
    lag_s: float
    """How late currents follow the nodes' voltages: amplifiers, gates and mirrors."""
    pairs: int
    """So many a collector takes the currents of; for more pairs at a node there are several in parallel."""
    ladder_ohm: float
    """The smallest resistor between a line and a gate: what lines can drive, and gates follow in time."""
    bias_v: float
    """Of the two lines, either sign, that make a law's constant."""
    rail_v: float
    """Supplies are this, either sign."""


CELLS: Mapping[ProcessName, BranchCells] = MappingProxyType(
    {
        "gf180": BranchCells(
            slope_per_v=13.96,
            line_gain=2.0,
            steep_gain=2.0,
            reach_v=0.75,
            unit_a=50e-9,
            largest_unit_a=100e-9,
            lag_s=2.8e-7,
            pairs=50,
            ladder_ohm=1e6,
            bias_v=1.0,
            rail_v=1.65,
        )
    }
)


@dataclass(frozen=True)
class TransistorBranches:
    """Of which transistors branches are built, and where they are used."""

    process: ProcessName
    corner: Corner
    mismatch: bool
    temperature_c: float
    proportional: bool
    """Whether reference current, bias and volts per unit are proportional to the absolute temperature."""

    @property
    def models(self) -> Models:
        """Those of the process."""
        return Models(self.process, self.corner, self.mismatch)

    @property
    def cells(self) -> BranchCells:
        """What its cells can do."""
        return CELLS[self.process]

    @property
    def warmth(self) -> float:
        """What references are at this temperature, of what they are at 27 degrees."""
        return (self.temperature_c + zero_Celsius) / (_NOMINAL_C + zero_Celsius) if self.proportional else 1.0


@dataclass(frozen=True)
class Ladders:
    """The resistors at the gates of a period's branches: ohms, (branches,) each; `inf` where there is none.

    source, destination, bias: to the line of that end, and of the constant, of the sign in `source_sign`,
    `destination_sign` and `bias_sign`; ground: to 0 V.
    """

    source: Array
    source_sign: Array
    destination: Array
    destination_sign: Array
    bias: Array
    bias_sign: Array
    ground: Array
    steep: npt.NDArray[np.bool_]
    """(branches,) whether the lines of both ends are those of `steep_gain` times the voltage."""
    flattened: npt.NDArray[np.float64]
    """(branches,) what the drive is multiplied with so that the weights are an average; 1 where they are anyway."""


def has_transistors(law: LawName) -> bool:
    """Whether there is a circuit of transistors for a law: for tanh there is."""
    return LAWS[law].activation is TANH


def ladders_of(period: OdePeriod, transistors: TransistorBranches) -> Ladders:
    """The resistors that make the drives of a period's branches: those that do at 27 degrees."""
    cells, unit_v = transistors.cells, period.unit_v / transistors.warmth
    of = LAWS[period.law].drive.coefficients(period.theta)
    per_v = cells.slope_per_v * cells.line_gain * unit_v
    source = np.where(period.source == 0, 0.0, of.alpha) / per_v
    destination = np.where(period.destination == 0, 0.0, of.beta) / per_v
    bias = of.gamma / (cells.slope_per_v * cells.bias_v)
    steep = np.abs(source) + np.abs(destination) + np.abs(bias) > 1 / _TOLERATED
    source, destination = (np.where(steep, part / cells.steep_gain, part) for part in (source, destination))
    total = np.abs(source) + np.abs(destination) + np.abs(bias)
    flattened = 1 / np.maximum(total, 1.0)
    parts = [np.abs(part) * flattened for part in (source, destination, bias)]
    largest = np.maximum(parts[0], parts[1])
    gate_ohm = cells.ladder_ohm * np.where(largest > 0, largest, parts[2])
    ohms = [_ohms(gate_ohm, part) for part in (*parts, 1 - np.minimum(total * flattened, 1.0))]
    return Ladders(
        source=ohms[0],
        source_sign=np.sign(source),
        destination=ohms[1],
        destination_sign=np.sign(destination),
        bias=ohms[2],
        bias_sign=np.sign(bias),
        ground=ohms[3],
        steep=steep,
        flattened=cast("npt.NDArray[np.float64]", flattened),
    )


def _ohms(gate_ohm: Array, part: Array) -> Array:
    """Of the resistor that has a part of the conductance at a gate of this resistance to everywhere."""
    there = part > _NEGLIGIBLE
    return np.where(there, gate_ohm / np.where(there, part, 1.0), np.inf)
