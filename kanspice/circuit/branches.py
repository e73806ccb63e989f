"""A period's branches, ideal or built as schematics, all as the same few numbers each.

All in units: voltages of `unit_v`, currents of `current_unit_a`. Every branch is `weight * shape(drive)`, the drive an
affine function of the voltages at its ends whose terms may saturate; that is what Fig. 5 of the KirchhoffNet paper
comes to when its parts are put together, worked out for each of its schematics in `branches_of`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, assert_never

import numpy as np

from kanspice.base.arrays import Array, Indices, namespace, zeros
from kanspice.circuit.activations import IDENTITY, TANH, Activation
from kanspice.circuit.branch_laws import LAWS
from kanspice.circuit.parts import Schematic
from kanspice.circuit.stages.ode_period import OdePeriod

Shape = Literal["linear", "rectified", "tanh", "activation"]


@dataclass(frozen=True)
class BranchArrays:
    """Branches that carry a current, each of it from node `first` to node `second`; 0 is ground.

    first, second: (branches,). The drive is `alpha v_first + beta v_second + gamma`, (branches,) each; where `level`,
    (branches,), is finite each term passes level * tanh(term / level) before, or where the law sees differences only
    their sum does.
    weight: (branches,) what multiplies the shape of the drive: itself, rectified, tanh of half of it, or an activation.
    ratio: (branches,) slope of a rectifier below 0.
    """

    nodes: int
    first: Indices
    second: Indices
    alpha: Array
    beta: Array
    gamma: Array
    weight: Array
    activation: Activation
    """Of the law; where it is the identity, two straight lines or tanh, it is evaluated as `shape` says."""
    ratio: Array
    level: Array
    differences: bool

    @property
    def shape(self) -> Shape:
        """How the drive is shaped."""
        if self.activation is IDENTITY:
            return "linear"
        if self.activation is TANH:
            return "tanh"
        return "activation" if self.activation.below is None else "rectified"

    @property
    def is_piecewise(self) -> bool:
        """True when currents are piecewise linear in the difference of the voltages."""
        return self.differences and self.activation.below is not None and bool(np.isinf(self.level).all())

    def shaped(self, drive: Array, ratio: Array | float) -> Array:
        """What the drive makes of itself; the argument may be overwritten."""
        match self.shape:
            case "linear":
                return drive
            case "tanh":
                return _tanh_of_half(drive)
            case "activation":
                return self.activation.function(drive)
            case "rectified":
                is_off = isinstance(ratio, float) and ratio == 0
                below = zeros((), drive) if is_off else ratio * drive
                rectified: Array = namespace(drive).maximum(drive, below, out=drive)
                return rectified
            case shape:
                assert_never(shape)


def _tanh_of_half(drive: Array) -> Array:
    """tanh(drive / 2), in place, to the rounding of 1: half the time of NumPy's own, which is exact for tiny ones."""
    xp = namespace(drive)
    with np.errstate(over="ignore"):
        xp.exp(drive, out=drive)
    drive += 1
    if isinstance(drive, np.ndarray):
        np.divide(-2, drive, out=drive)
    else:
        drive = -2 / drive
    drive += 1
    return drive


def branches_of(period: OdePeriod, schematic: Schematic | None) -> BranchArrays:
    """Every branch of the period, from its source to its destination, with a gain of 1."""
    law, ideal = LAWS[period.law], _ideal(period)
    if schematic is None:
        return ideal
    saturates = schematic.vccs_saturation * np.ones(period.branches)
    match law.schematic:
        case None | "conductance":
            return ideal
        case "pair":
            tail = schematic.pair_saturation * period.tail
            alpha, beta, gamma = (part / tail for part in (ideal.alpha, ideal.beta, ideal.gamma))
            limits = saturates if math.isinf(schematic.vccs_saturation) else 2 * saturates / tail
            return replace(ideal, alpha=alpha, beta=beta, gamma=gamma, weight=tail, level=limits)
        case "switched conductance":
            passes, ratio = _one_sided(period, schematic, np.abs(ideal.alpha))
            return replace(ideal, weight=ideal.weight * passes, ratio=ratio)
        case "switched sources":
            siemens = period.unit_v / period.current_unit_a / schematic.source_ohm * np.ones(period.branches)
            passes, ratio = _one_sided(period, schematic, siemens)
            return replace(ideal, weight=ideal.weight * passes, ratio=ratio, level=saturates)
        case name:
            assert_never(name)


def _ideal(period: OdePeriod) -> BranchArrays:
    """Ideal sources. Two straight lines have no scale: a weight's size goes into their drive, and its sign remains."""
    law = LAWS[period.law]
    of, below = law.drive.coefficients(period.theta), law.activation.below
    scale = np.abs(of.weight) if below is not None else 2.0 if law.activation is TANH else 1.0
    return BranchArrays(
        nodes=period.nodes,
        first=period.source,
        second=period.destination,
        alpha=scale * of.alpha,
        beta=scale * of.beta,
        gamma=scale * of.gamma,
        weight=of.weight if below is None else np.sign(of.weight),
        activation=law.activation,
        ratio=np.full(period.branches, below or 0.0),
        level=np.full(period.branches, math.inf),
        differences=law.drive.of_difference,
    )


def _one_sided(period: OdePeriod, schematic: Schematic, siemens: Array) -> tuple[Array, Array]:
    """What a one-sided switch lets through of a drive above 0, and how many times less below: (branches,) each.

    Behind a source of conductance `siemens`, in units, that is 1 / (1 + ohm * siemens).
    """
    unit_ohm = period.unit_v / period.current_unit_a
    on = 1 / (1 + schematic.switch_on_ohm / unit_ohm * siemens)
    if math.isinf(schematic.switch_off_ohm):
        return on, np.zeros_like(on)
    return on, 1 / (1 + schematic.switch_off_ohm / unit_ohm * siemens) / on


def branch_currents_a(period: OdePeriod, schematic: Schematic | None, node_v: Array) -> tuple[Array, Array]:
    """Currents of all branches, and the voltages across them from source to destination: (points, branches) each.

    node_v: (points, nodes), volts.
    """
    branches = branches_of(period, schematic)
    volts = np.pad(node_v, ((0, 0), (1, 0)))
    across_v = volts[:, branches.first] - volts[:, branches.second]
    shaped = branches.shaped(branch_drives(branches, node_v / period.unit_v), branches.ratio)
    return branches.weight * shaped * period.current_unit_a, across_v


def branch_drives(branches: BranchArrays, node: Array) -> Array:
    """What drives each branch, (points, branches), for voltages (points, nodes) in units."""
    volts, level = np.pad(node, ((0, 0), (1, 0))), same(branches.level)
    first, second = volts[:, branches.first], volts[:, branches.second]
    if branches.differences:
        drive = limited(branches.alpha * (first - second), level)
    else:
        drive = limited(branches.alpha * first, level) + limited(branches.beta * second, level)
    return drive + branches.gamma


def limited(term: Array, level: Array | float) -> Array:
    if isinstance(level, float) and math.isinf(level):
        return term
    saturated: Array = level * namespace(term).tanh(term / level)
    return saturated


def same(values: Array) -> Array | float:
    """The number that all of them are, or all of them."""
    return float(values[0]) if np.all(values == values[0]) else values
