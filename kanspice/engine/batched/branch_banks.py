"""The currents of a period's branches as one function, four ways: node voltages in, currents into the nodes out.

What suits depends on how many nodes and branches there are, and on what computes; all in units, as `branches` has them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from kanspice.base.arrays import Array, Indices, namespace, zeros
from kanspice.base.piecewise import SIDE_BY_SIDE, Bends, PairCurrents
from kanspice.circuit import OdePeriod, Schematic
from kanspice.circuit.branches import BranchArrays, limited, same
from kanspice.engine.batched.array_devices import HOST, Processor
from kanspice.engine.batched.parallel_branches import merged, oriented, starts_of
from kanspice.engine.batched.period_numbers import driving_branches
from kanspice.engine.batched.products import TILE, times

_DENSE_NUMBERS = 2**14
"""Up to so many nodes times branches a matrix product beats looking up the voltages at every branch's ends."""
_BLOCK_NUMBERS = 2**17
_MANY = 8
"""Branches of a pair of nodes."""
_COMPILED_PER_NODE = 32
"""Numbers that a sample's node has in steps of the integrator."""


class Bank(ABC):
    """The branches of one period."""

    branches: BranchArrays
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

    Compiled loops are not for a GPU.
    """
    branches = merged(oriented(driving_branches(period, schematic)))
    count = len(branches.weight)
    if processor is HOST and branches.shape != "activation" and count >= _MANY * len(starts_of(branches)):
        return CompiledBank(branches)
    if branches.nodes * count <= _DENSE_NUMBERS:
        return DenseBank(branches, processor)
    if branches.is_piecewise and processor is HOST:
        return PiecewiseBank(branches)
    return PairBank(branches, processor)


class CompiledBank(Bank):
    """Branch by branch, in machine code: for pairs of nodes with many of them."""

    processor = HOST

    def __init__(self, branches: BranchArrays) -> None:
        """branches: sorted so that those between the same two nodes follow each other, as `oriented` sorts them."""
        from kanspice.engine.batched.branch_currents import wiring_of  # noqa: PLC0415 - see `compiled`

        self.branches, self.wiring = branches, wiring_of(branches)

    @property
    def block(self) -> int:
        return max(1, _BLOCK_NUMBERS // (_COMPILED_PER_NODE * self.branches.nodes))

    def into_nodes(self, volts: Array) -> Array:
        from kanspice.engine.batched.branch_currents import add_into_nodes  # noqa: PLC0415

        padded, into = np.zeros((2, len(volts), self.branches.nodes + 1))
        padded[:, 1:] = volts
        add_into_nodes(padded, self.wiring, into)
        return into[:, 1:].copy()


class DenseBank(Bank):
    """Matrix products: drives of all branches from all nodes, currents into all nodes from all branches."""

    def __init__(self, branches: BranchArrays, processor: Processor = HOST) -> None:
        self.branches, self.processor = branches, processor
        numbers = np.arange(len(branches.weight))
        self.ratio = processor.array(branches.ratio) if branches.ratio.any() else 0.0
        self.level = _there(same(branches.level), processor) if numbers.size else math.inf
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
        drive = limited(times(volts, self.terms[0]), self.level)
        for term in self.terms[1:]:
            drive += limited(times(volts, term), self.level)
        drive += self.gamma
        return times(self.branches.shaped(drive, self.ratio), self.into)


class PiecewiseBank(Bank):
    """All branches between the same two nodes as one piecewise linear function of the difference of their voltages."""

    processor = HOST

    def __init__(self, branches: BranchArrays) -> None:
        self.branches = branches
        self.pairs = PairCurrents(branches.nodes, branches.first, branches.second, _bends(branches))

    @property
    def block(self) -> int:
        return max(super().block, SIDE_BY_SIDE)

    def into_nodes(self, volts: Array) -> Array:
        return self.pairs.into_nodes(volts)


def _bends(branches: BranchArrays) -> Bends:
    """Each branch as a function of the difference; one whose drive does not change with it has no corner."""
    alpha, gamma, ratio = branches.alpha, branches.gamma, branches.ratio
    still, rises = alpha == 0, alpha > 0
    steep, flat = np.maximum(ratio, 1.0), np.minimum(ratio, 1.0)
    below = branches.weight * np.where(rises | (still & (gamma < 0)), flat, steep)
    above = branches.weight * np.where(rises, steep, flat)
    corner = -gamma / np.where(still, np.nan, alpha)
    return Bends(corner, (below * alpha, below * gamma), (above * alpha, above * gamma))


class PairBank(Bank):
    """Pair of nodes by pair of nodes: voltages are looked up, and currents added up, once for all between the two."""

    def __init__(self, branches: BranchArrays, processor: Processor = HOST) -> None:
        """branches: sorted so that those between the same two nodes follow each other, as `oriented` sorts them."""
        self.branches, self.processor = branches, processor
        starts = starts_of(branches)
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
            drive = limited(alpha * first, level)
            if not self.branches.differences:
                drive += limited(beta * second, level)
            drive += gamma
            drive = self.branches.shaped(drive, ratio)
            drive *= weight
            total += drive
        return total


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
    def of(cls, branches: BranchArrays, members: Indices, processor: Processor) -> _Several:
        """members: (branches of a pair, pairs)."""
        ranks: list[tuple[Array, Array, Array, Array, Array | float, Array | float]] = []
        for rank in members:
            own = branches.alpha[rank], branches.beta[rank], branches.gamma[rank], branches.weight[rank]
            often = (_there(same(part[rank]), processor) for part in (branches.ratio, branches.level))
            ranks.append((*(processor.array(part) for part in own), *often))
        return cls(members.shape[1], ranks)


def _there(values: Array | float, processor: Processor) -> Any:
    """On the processor, unless it is a number."""
    return values if isinstance(values, float) else processor.array(values)
