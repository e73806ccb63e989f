"""A period's branches, ideal or built as schematics, as one function: node voltages in, currents into the nodes out.

All in units: voltages of `unit_v`, currents of `current_unit_a`. Every branch is `weight * shape(drive)`, the drive an
affine function of the voltages at its ends whose terms may saturate; that is what Fig. 5 of the KirchhoffNet paper
comes to when its parts are put together, worked out for each law in `_branches`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from kanspice.arrays import namespace
from kanspice.design import OdePeriod, Schematic
from kanspice.design.activations import ACTIVATIONS
from kanspice.design.branches import LEAK, activation_name
from kanspice.piecewise import Bends, PairCurrents
from kanspice.solver.processors import HOST, Processor, zeros
from kanspice.solver.products import TILE, times

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Shape = Literal["linear", "rectified", "tanh", "activation"]
_SMOOTH_ACTIVATIONS = frozenset({"logsigmoid", "mish", "sigmoid", "silu", "softplus", "tanh", "tanhshrink"})

_DENSE_NUMBERS = 2**14
"""Up to so many nodes times branches a matrix product beats looking up the voltages at every branch's ends."""
_BLOCK_NUMBERS = 2**17


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


class Bank(ABC):
    """The branches of one period."""

    branches: Branches
    processor: Processor

    @abstractmethod
    def into_nodes(self, volts: Array) -> Array:
        """Currents into nodes 1 and on, (samples, nodes), for voltages (samples, nodes) there, on the processor."""

    @property
    def block(self) -> int:
        """How many samples are best followed at a time."""
        numbers = self.processor.numbers or _BLOCK_NUMBERS
        samples = numbers // max(len(self.branches.weight), 1)
        return samples - samples % TILE if samples > TILE else max(1, samples)


def bank_of(period: OdePeriod, schematic: Schematic | None = None, processor: Processor = HOST) -> Bank:
    """The period's bank, ideal sources if there is no schematic.

    Branches between two nodes that are one piecewise linear function are looked up one by one, which is not for a GPU.
    """
    branches = _branches(period, schematic)
    branches = merged(oriented(replace(branches, weight=period.gain * branches.weight)))
    if branches.nodes * len(branches.weight) <= _DENSE_NUMBERS:
        return DenseBank(branches, processor)
    if branches.is_piecewise and processor is HOST:
        return PiecewiseBank(branches)
    return PairBank(branches, processor)


class DenseBank(Bank):
    """Matrix products: drives of all branches from all nodes, currents into all nodes from all branches."""

    def __init__(self, branches: Branches, processor: Processor = HOST) -> None:
        self.branches, self.processor = branches, processor
        numbers = np.arange(len(branches.weight))
        self.ratio = processor.array(branches.ratio) if branches.ratio.any() else 0.0
        self.level = _one(branches.level, processor) if numbers.size else math.inf
        self.gamma = processor.array(branches.gamma)
        first, second = np.zeros((2, branches.nodes + 1, numbers.size))
        into = np.zeros((numbers.size, branches.nodes + 1))
        first[branches.first, numbers] = branches.alpha
        second[branches.second, numbers] = branches.beta
        into[numbers, branches.first] = -branches.weight
        into[numbers, branches.second] = branches.weight
        one_term = branches.differences or np.isinf(branches.level).all()
        terms = (first + second,) if one_term else (first, second)
        self.terms = [processor.array(part[1:].copy()) for part in terms]
        self.into = processor.array(np.ascontiguousarray(into[:, 1:]))

    def into_nodes(self, volts: Array) -> Array:
        drive = _limited(times(volts, self.terms[0]), self.level)
        for term in self.terms[1:]:
            drive += _limited(times(volts, term), self.level)
        drive += self.gamma
        return times(self.branches.shaped(drive, self.ratio), self.into)


class PiecewiseBank(Bank):
    """All branches between the same two nodes as one piecewise linear function of the difference of their voltages."""

    processor = HOST

    def __init__(self, branches: Branches) -> None:
        self.branches = branches
        self.pairs = PairCurrents(branches.nodes, branches.first, branches.second, _bends(branches))

    def into_nodes(self, volts: Array) -> Array:
        return self.pairs.into_nodes(volts)


def _bends(branches: Branches) -> Bends:
    """Each branch as a function of the difference; one whose drive does not change with it has no corner."""
    alpha, gamma, ratio = branches.alpha, branches.gamma, branches.ratio
    still, rises = alpha == 0, alpha > 0
    linear = branches.shape == "linear"
    steep, flat = (np.ones_like(ratio),) * 2 if linear else (np.maximum(ratio, 1.0), np.minimum(ratio, 1.0))
    below = branches.weight * np.where(rises | (still & (gamma < 0)), flat, steep)
    above = branches.weight * np.where(rises, steep, flat)
    corner = -gamma / np.where(still, np.nan, alpha)
    return Bends(corner, (below * alpha, below * gamma), (above * alpha, above * gamma))


class PairBank(Bank):
    """Pair of nodes by pair of nodes: voltages are looked up, and currents added up, once for all between the two."""

    def __init__(self, branches: Branches, processor: Processor = HOST) -> None:
        """branches: sorted so that those between the same two nodes follow each other, as `oriented` sorts them."""
        self.branches, self.processor = branches, processor
        starts = _starts(branches)
        counts = np.diff(np.append(starts, len(branches.weight)))
        order = np.argsort(counts, kind="stable")
        first, second = branches.first[starts[order]], branches.second[starts[order]]
        self.several = [
            _Several.of(branches, starts[counts == count] + np.arange(count)[:, None], processor)
            for count in np.unique(counts)
        ]
        self.first, self.second = processor.array(first), processor.array(second)
        self.into = NodeSums(branches.nodes, first, second, processor)

    def into_nodes(self, volts: Array) -> Array:
        xp = namespace(volts)
        padded = xp.concat([zeros((len(volts), 1), volts), volts], axis=1)
        first, second = xp.take(padded, self.first, axis=1), xp.take(padded, self.second, axis=1)
        current, start = xp.empty_like(first), 0
        if self.branches.differences:
            first -= second
        for several in self.several:
            pairs = slice(start, start + several.pairs)
            current[:, pairs] = self._sum(several, first[:, pairs], second[:, pairs])
            start += several.pairs
        return self.into.of(current)

    def _sum(self, several: _Several, first: Array, second: Array) -> Array:
        """Currents (samples, pairs) of pairs with equally many branches."""
        total: Array = namespace(first).zeros_like(first)
        for alpha, beta, gamma, weight, ratio, level in several.ranks:
            drive = _limited(alpha * first, level)
            if not self.branches.differences:
                drive += _limited(beta * second, level)
            drive += gamma
            drive = self.branches.shaped(drive, ratio)
            drive *= weight
            total += drive
        return total


def _starts(branches: Branches) -> Indices:
    """Where the branches of the next pair of nodes begin, for branches sorted by nodes."""
    return np.flatnonzero(np.diff(branches.first, prepend=-1) | np.diff(branches.second, prepend=-1))


def _limited(term: Array, level: Array | float) -> Array:
    if isinstance(level, float) and math.isinf(level):
        return term
    limited: Array = level * namespace(term).tanh(term / level)
    return limited


class NodeSums:
    """What flows into nodes 1 and on along pairs of nodes: by a sparse matrix, or, with torch, the nodes with equally
    many pairs together, several times slower on a central processor.

    Always in the same order, so that a GPU gives the same sums every time.
    """

    def __init__(self, nodes: int, first: Indices, second: Indices, processor: Processor) -> None:
        """first, second: (pairs,), between which two nodes; what flows from the first to the second counts."""
        pairs = np.arange(len(first))
        node, pair = np.concatenate([second, first]), np.concatenate([pairs, pairs])
        sign = np.repeat([1.0, -1.0], len(pairs))
        self.matrix: Any = None
        if processor is HOST:
            self.matrix = csr_array((sign, (node, pair)), shape=(nodes + 1, len(pairs)))[1:]
            return
        order = np.argsort(node, kind="stable")
        counts = np.bincount(node, minlength=nodes + 1)
        starts = np.cumsum(counts) - counts
        self.nodes = nodes
        self.groups = []
        for count in np.unique(counts[1:]).tolist():
            those = 1 + np.flatnonzero(counts[1:] == count)
            members = order[starts[those][:, None] + np.arange(count)]
            parts = those - 1, pair[members].ravel(), sign[members]
            self.groups.append([processor.array(part) for part in parts])

    def of(self, currents: Array) -> Array:
        """(samples, nodes) for currents (samples, pairs)."""
        if self.matrix is not None:
            return np.ascontiguousarray((self.matrix @ currents.T).T)
        xp = namespace(currents)
        into: Array = zeros((len(currents), self.nodes), currents)
        for those, pair, sign in self.groups:
            along = xp.take(currents, pair, axis=1).reshape(len(currents), *sign.shape)
            into[:, those] = (along * sign).sum(axis=2)
        return into


@dataclass(frozen=True)
class _Several:
    """Pairs of nodes with equally many branches; ranks: the first branch of every pair, the second, and so on.

    Each rank: alpha, beta, gamma, weight, ratio and level, (pairs,), the last two numbers where they are the same for
    all.
    """

    pairs: int
    ranks: list[tuple[Array, Array, Array, Array, Array | float, Array | float]]

    @classmethod
    def of(cls, branches: Branches, members: Indices, processor: Processor) -> _Several:
        """members: (branches of a pair, pairs)."""
        ranks: list[tuple[Array, Array, Array, Array, Array | float, Array | float]] = []
        for rank in members:
            own = branches.alpha[rank], branches.beta[rank], branches.gamma[rank], branches.weight[rank]
            same = _one(branches.ratio[rank], processor), _one(branches.level[rank], processor)
            ranks.append((*(processor.array(part) for part in own), *same))
        return cls(members.shape[1], ranks)


def _one(values: Array, processor: Processor = HOST) -> Array | float:
    """The number that all of them are, or all of them."""
    if np.all(values == values[0]):
        return float(values[0])
    there: Array = processor.array(values)
    return there


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
    starts = _starts(branches)
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


def _branches(period: OdePeriod, schematic: Schematic | None) -> Branches:
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
    branches = _branches(period, schematic)
    volts, level = np.pad(node_v / period.unit_v, ((0, 0), (1, 0))), _one(branches.level)
    first, second = volts[:, branches.first], volts[:, branches.second]
    across_v = (first - second) * period.unit_v
    if branches.differences:
        drive = _limited(branches.alpha * (first - second), level)
    else:
        drive = _limited(branches.alpha * first, level) + _limited(branches.beta * second, level)
    shaped = branches.shaped(drive + branches.gamma, branches.ratio)
    return branches.weight * shaped * period.current_unit_a, across_v
