"""A period's branches, ideal or built as schematics, all as the same few numbers each.

All in units: voltages of `unit_v`, currents of `current_unit_a`. Every branch is `weight * shape(drive)`, the drive an
affine function of the voltages at its ends whose terms may saturate; that is what Fig. 5 of the KirchhoffNet paper
comes to when its parts are put together, worked out for each law in `branches_of`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from kanspice.base.arrays import Array, Indices, namespace
from kanspice.circuit import OdePeriod, Schematic
from kanspice.circuit.activations import ACTIVATIONS
from kanspice.circuit.branches import LEAK, activation_name
from kanspice.engine.batched.array_devices import zeros

Shape = Literal["linear", "rectified", "tanh", "activation"]
_SMOOTH_ACTIVATIONS = frozenset({"gelu", "logsigmoid", "mish", "sigmoid", "silu", "softplus", "tanh", "tanhshrink"})


@dataclass(frozen=True)
class Branches:
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
    shape: Shape
    ratio: Array
    level: Array
    differences: bool
    activation: str = ""
    """Of `ACTIVATIONS`, where that is the shape."""

    @property
    def is_smooth(self) -> bool:
        """True when currents have no corners."""
        return self.shape in ("linear", "tanh") or self.activation in _SMOOTH_ACTIVATIONS

    @property
    def is_piecewise(self) -> bool:
        """True when currents are piecewise linear in the difference of the voltages."""
        return self.differences and self.shape in ("linear", "rectified") and bool(np.isinf(self.level).all())

    def shaped(self, drive: Array, ratio: Array | float) -> Array:
        """What the drive makes of itself; the argument may be overwritten."""
        if self.shape == "tanh":
            return _tanh_of_half(drive)
        if self.shape == "linear":
            return drive
        if self.shape == "activation":
            return ACTIVATIONS[self.activation].function(drive)
        is_off = isinstance(ratio, float) and ratio == 0
        rectified: Array = namespace(drive).maximum(drive, zeros((), drive) if is_off else ratio * drive, out=drive)
        return rectified


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


def branches_of(period: OdePeriod, schematic: Schematic | None) -> Branches:
    """Every branch of the period, from its source to its destination, with a gain of 1."""
    theta, law, none = period.theta, period.law, np.zeros(period.branches)
    branches = partial(Branches, period.nodes, period.source, period.destination)
    unlimited = np.full(period.branches, math.inf)
    level = unlimited if schematic is None else np.full(period.branches, schematic.vccs_saturation)
    name = activation_name(law)
    if name is not None:
        alpha, beta, gamma = (theta[1], -theta[1], theta[0]) if len(theta) == 2 else theta
        shape: Shape = "linear" if name == "identity" else "activation"
        return branches(alpha, beta, gamma, none + 1, shape, none, unlimited, len(theta) == 2, name)
    if law == "Conductance":
        return branches(theta[0], -theta[0], none, none + 1, "linear", none, unlimited, True)
    if law in ("ShiftTanh1", "ShiftTanh2"):
        tail = none + 1 if schematic is None else schematic.pair_saturation * period.tail
        slopes = (theta[1], -theta[1], theta[0]) if law == "ShiftTanh1" else (theta[0], theta[1], theta[2])
        alpha, beta, gamma = (2 * slope / tail for slope in slopes)
        return branches(alpha, beta, gamma, tail, "tanh", none, 2 * level / tail, law == "ShiftTanh1")
    if law in ("ShiftRelu1", "ShiftLeakyRelu1"):
        size = np.abs(theta[1])
        weight, ratio = _rectifier(period, schematic, size, leaky=law == "ShiftLeakyRelu1")
        weight = np.sign(theta[1]) * weight
        return branches(size, -size, -size * theta[0], weight, "rectified", ratio, unlimited, True)
    siemens = none if schematic is None else none + period.unit_v / period.current_unit_a / schematic.source_ohm
    weight, ratio = _rectifier(period, schematic, siemens, leaky=law == "ShiftLeakyRelu2")
    return branches(theta[0], theta[1], theta[2], weight, "rectified", ratio, level, False)


def _rectifier(period: OdePeriod, schematic: Schematic | None, siemens: Array, *, leaky: bool) -> tuple[Array, Array]:
    """(weight, ratio), (branches,): slope above 0, and how many times smaller it is below.

    A one-sided switch behind a source of conductance `siemens`, in units, lets 1 / (1 + ohm * siemens) of it through.
    """
    ones = np.ones_like(siemens)
    if schematic is None:
        return ones, ones * (LEAK if leaky else 0.0)
    unit_ohm = period.unit_v / period.current_unit_a
    on = 1 / (1 + schematic.switch_on_ohm / unit_ohm * siemens)
    if math.isinf(schematic.switch_off_ohm):
        return on, 0 * ones
    return on, 1 / (1 + schematic.switch_off_ohm / unit_ohm * siemens) / on


def branch_currents_a(period: OdePeriod, schematic: Schematic | None, node_v: Array) -> tuple[Array, Array]:
    """Currents of all branches, and the voltages across them from source to destination: (points, branches) each.

    node_v: (points, nodes), volts.
    """
    branches = branches_of(period, schematic)
    volts, level = np.pad(node_v / period.unit_v, ((0, 0), (1, 0))), same(branches.level)
    first, second = volts[:, branches.first], volts[:, branches.second]
    across_v = (first - second) * period.unit_v
    if branches.differences:
        drive = limited(branches.alpha * (first - second), level)
    else:
        drive = limited(branches.alpha * first, level) + limited(branches.beta * second, level)
    shaped = branches.shaped(drive + branches.gamma, branches.ratio)
    return branches.weight * shaped * period.current_unit_a, across_v


def oriented(branches: Branches) -> Branches:
    """The same with the lower node first, sorted by nodes, without those that carry nothing or lead nowhere."""
    turned = branches.first > branches.second
    first, second = np.minimum(branches.first, branches.second), np.maximum(branches.first, branches.second)
    alpha = np.where(turned, branches.beta, branches.alpha)
    beta = np.where(turned, branches.alpha, branches.beta)
    weight = np.where(turned, -branches.weight, branches.weight)
    order = np.lexsort((second, first))
    order = order[(first[order] != second[order]) & (weight[order] != 0)]
    return replace(
        branches,
        first=first[order],
        second=second[order],
        alpha=alpha[order],
        beta=beta[order],
        gamma=branches.gamma[order],
        weight=weight[order],
        ratio=branches.ratio[order],
        level=branches.level[order],
    )


def merged(branches: Branches) -> Branches:
    """The same with all linear branches between two nodes made one; others are kept as they are."""
    if branches.shape != "linear" or len(branches.weight) == 0:
        return branches
    starts = starts_of(branches)
    alpha, beta, gamma = (
        np.add.reduceat(branches.weight * part, starts) for part in (branches.alpha, branches.beta, branches.gamma)
    )
    first, second = branches.first[starts], branches.second[starts]
    ones = np.ones(len(starts))
    return replace(
        branches,
        first=first,
        second=second,
        alpha=alpha,
        beta=beta,
        gamma=gamma,
        weight=ones,
        ratio=0 * ones,
        level=branches.level[starts],
    )


def starts_of(branches: Branches) -> Indices:
    """Where the branches of the next pair of nodes begin, for branches sorted by nodes."""
    return np.flatnonzero(np.diff(branches.first, prepend=-1) | np.diff(branches.second, prepend=-1))


def limited(term: Array, level: Array | float) -> Array:
    if isinstance(level, float) and math.isinf(level):
        return term
    saturated: Array = level * namespace(term).tanh(term / level)
    return saturated


def same(values: Array) -> Array | float:
    """The number that all of them are, or all of them."""
    return float(values[0]) if np.all(values == values[0]) else values
