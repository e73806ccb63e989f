"""Graphs of KirchhoffNet layers: which branches there are, from which node to which, in the order of their parameters.

Node 0 is ground. The recipes have the names, the arguments and the edge order of the authors' `config.yaml`
(section II-B of the KirchhoffNet paper describes the fully connected, neighbour-emphasizing and projection layers).
An edge's place in the list is the place of its parameters, so the order is part of a checkpoint's meaning.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from kanspice.base.arrays import Indices
from kanspice.base.errors import InputError
from kanspice.base.validation import CheckedTable, similar, validate

MAX_EDGES = 20_000_000  # per layer; the largest published layer has about two million
_MAX_COUNT = 1_000_000
_MAX_PARALLEL = 16
_Count = Annotated[int, Field(strict=True, ge=1, le=_MAX_COUNT)]
_CountOrNone = Annotated[int, Field(strict=True, ge=0, le=_MAX_COUNT)]
_Flag = Annotated[bool, Field(strict=True)]
_Repeat = tuple[_CountOrNone, _CountOrNone]
_Node = Annotated[int, Field(strict=True, ge=0, le=MAX_EDGES)]


@dataclass(frozen=True, eq=False)
class Topology:
    """The directed edges of one layer; each carries a current that flows from its source to its destination.

    source, destination: (edges,) node numbers, 0 is ground. parameter_index: (edges,), from 0: the column of the
    layer's parameters that the edge uses; edges that share a column share their parameters. nodes: the largest node
    number of the layer (ground is not counted).
    An edge from a node to itself is allowed: its current leaves and enters the same node.
    Raises InputError if the arrays do not describe a graph.
    """

    source: Indices
    destination: Indices
    parameter_index: Indices
    nodes: int

    def __post_init__(self) -> None:
        for name in ("source", "destination", "parameter_index"):
            _check_indices(name, getattr(self, name), self.source.shape)
            object.__setattr__(self, name, _frozen(getattr(self, name)))
        largest = int(max(self.source.max(), self.destination.max()))
        if self.nodes < max(largest, 1):
            raise InputError(
                "an edge of the topology leads to a node that does not exist",
                expected=f"node numbers from 0 to {self.nodes}",
                found=str(largest),
            )

    @property
    def edges(self) -> int:
        return len(self.source)

    @property
    def parameters(self) -> int:
        """The number of columns that the layer's parameters have: one per edge unless edges share."""
        return int(self.parameter_index.max()) + 1

    def unshared(self) -> Topology:
        """The same graph with a column of parameters for every edge."""
        return Topology(self.source, self.destination, np.arange(self.edges), self.nodes)


def topology_from_edges(edges: npt.ArrayLike) -> Topology:
    """The graph of a given edge list (edges, 2): source and destination of each, in the order of the parameters.

    Raises InputError if it is no list of pairs of node numbers.
    """
    pairs = np.asarray(edges)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise InputError(
            "the edge list cannot be used", expected="shape (edges, 2): source, destination", found=f"{pairs.shape}"
        )
    if pairs.dtype.kind not in "iu":
        raise InputError("the edge list cannot be used", expected="whole numbers", found=str(pairs.dtype))
    return _graph(*pairs.astype(np.int64).T)


class Recipe(CheckedTable):
    """A topology by name: the arguments of one entry of `net_struct`, checked, from which the edges follow."""

    @property
    @abstractmethod
    def most_edges(self) -> int:
        """An upper bound of the number of edges, known before any is built."""

    @abstractmethod
    def connect(self) -> Topology:
        """The edges in the authors' order, however many. Called by `build`."""

    def build(self) -> Topology:
        """The topology. Raises InputError if it has no edges, or too many to hold in memory."""
        if self.most_edges > MAX_EDGES:
            raise InputError(
                "the topology is too large", expected=f"at most {MAX_EDGES:,} edges", found=f"up to {self.most_edges:,}"
            )
        return self.connect()

    def inputs(self, topology: Topology) -> int:
        """How many nodes, from node 1, take the network's inputs when this is the first layer."""
        return topology.nodes

    def image(self, _topology: Topology) -> tuple[int, int, int] | None:
        """(channels, width, height) where the layer's nodes are the places of a grid, and no others; None else."""
        return None


class FullyConnected(Recipe):
    """`_fully_connect`: for i, for j over the nodes, i != j: r1 times (i, j), then r2 times (j, i).

    num_node: how many nodes, ground among them (0..num_node-1) or not (1..num_node).
    """

    num_node: _Count
    include_gnd: _Flag = True
    repeat: _Repeat = (1, 1)

    @property
    def most_edges(self) -> int:
        return self.num_node**2 * sum(self.repeat)

    def connect(self) -> Topology:
        one, other = _ordered_pairs(self.num_node) + (0 if self.include_gnd else 1)
        return _graph(*_both_ways(one, other, self.repeat))


class Chain(Recipe):
    """`_simple_connect`: for i over the nodes: r1 times (i, i + 1). The second repeat is not used.

    num_node: the number of links, from ground (i = 0..num_node-1) or from node 1 (i = 1..num_node).
    """

    num_node: _Count
    include_gnd: _Flag = True
    repeat: _Repeat = (1, 1)

    @property
    def most_edges(self) -> int:
        return self.num_node * self.repeat[0]

    def connect(self) -> Topology:
        first = 0 if self.include_gnd else 1
        source = np.repeat(np.arange(first, first + self.num_node), self.repeat[0])
        return _graph(source, source + 1)


class Neighbor(Recipe):
    """`_neighbor_index`: a kernel slides over a grid of nodes; all nodes inside it are connected.

    The nodes 1..c*w*h fill a grid (channels, width, height) in C order; the kernel covers all channels and
    neighbor_size x neighbor_size places, stride 1. padding: surround the grid by neighbor_size - 1 empty places.
    For each position (row by row), for each ordered pair j != k of places in the kernel (by channel, then row by
    row): `repeat` edges from the node in j to the node in k; empty places have none.
    sharing: the pair (j, k) has the same parameters at every position and in every repetition.
    parallel: copies of the graph, their nodes shifted by multiples of c*w*h. As the authors' code has it, step
    i = 1..parallel-1 appends to all copies so far the same once more, shifted by i: 1, 2, 4, 8 copies.
    """

    num_channel: _Count
    width: _Count
    height: _Count
    neighbor_size: _Count
    padding: _Flag = False
    repeat: _Count = 1
    sharing: _Flag = False
    parallel: Annotated[int, Field(strict=True, ge=1, le=_MAX_PARALLEL)] = 1

    @property
    def most_edges(self) -> int:
        margin = self.neighbor_size - 1 if self.padding else 1 - self.neighbor_size
        positions = max(self.width + margin, 0) * max(self.height + margin, 0)
        places = self.num_channel * self.neighbor_size**2
        return max(positions * places**2 * self.repeat * (1 << (self.parallel - 1)), self._padded_nodes)

    @property
    def _padded_nodes(self) -> int:
        margin = 2 * (self.neighbor_size - 1) if self.padding else 0
        return self.num_channel * (self.width + margin) * (self.height + margin)

    def connect(self) -> Topology:
        windows = _windows(self._grid(), self.neighbor_size)
        first, second = _ordered_pairs(windows.shape[1])
        source, destination = windows[:, first], windows[:, second]
        exists = (source > 0) & (destination > 0)
        pair = np.broadcast_to(np.arange(len(first)), source.shape)
        source, destination, pair = (np.repeat(array[exists], self.repeat) for array in (source, destination, pair))
        parameter = pair if self.sharing else np.arange(len(source))
        columns = len(first) if self.sharing else len(source)
        nodes = int(source.max(initial=0))  # every node that ends an edge here also starts one
        shifts = _copies(self.parallel)[:, None]
        source, destination = ((array + nodes * shifts).ravel() for array in (source, destination))
        return _graph(source, destination, (parameter + columns * shifts).ravel())

    def image(self, topology: Topology) -> tuple[int, int, int] | None:
        shape = self.num_channel, self.width, self.height
        return shape if topology.nodes == self.num_channel * self.width * self.height else None

    def _grid(self) -> Indices:
        """Node numbers (channels, width, height), with zeros around them where padding asks for it."""
        nodes = np.arange(1, 1 + self.num_channel * self.width * self.height)
        grid = nodes.reshape(self.num_channel, self.width, self.height)
        margin = self.neighbor_size - 1 if self.padding else 0
        return np.pad(grid, ((0, 0), (margin, margin), (margin, margin)))


class Mixed(Recipe):
    """`_mix_connect`, the paper's projection layer: a neighbour layer, branches to ground, and projected nodes.

    The neighbour edges first (`repeat` = kernel_repeat); then for each grid node n: r1 edges (n, 0), r2 edges (0, n);
    then for each of the fully_connect_node projected nodes m that follow the grid, for each i from 0 to the last
    grid node: r1 edges (i, m), r2 edges (m, i). Only the neighbour edges share parameters.
    """

    num_channel: _Count
    width: _Count
    height: _Count
    neighbor_size: _Count
    fully_connect_node: _CountOrNone
    repeat: _Repeat = (1, 0)
    padding: _Flag = False
    kernel_repeat: _Count = 1
    sharing: _Flag = False
    parallel: Annotated[int, Field(strict=True, ge=1, le=_MAX_PARALLEL)] = 1

    @property
    def _neighbor(self) -> Neighbor:
        shape = {"num_channel": self.num_channel, "width": self.width, "height": self.height}
        kernel = {"neighbor_size": self.neighbor_size, "padding": self.padding, "repeat": self.kernel_repeat}
        return Neighbor.model_validate(shape | kernel | {"sharing": self.sharing, "parallel": self.parallel})

    @property
    def most_edges(self) -> int:
        grid = self.num_channel * self.width * self.height * (1 << (self.parallel - 1))
        return self._neighbor.most_edges + (grid + 1) * (self.fully_connect_node + 1) * sum(self.repeat)

    def connect(self) -> Topology:
        grid = self._neighbor.connect()
        nodes = np.arange(1, grid.nodes + 1)
        to_ground = _both_ways(nodes, np.zeros_like(nodes), self.repeat)
        projected = np.arange(grid.nodes + 1, grid.nodes + 1 + self.fully_connect_node)
        to_projected = _both_ways(
            np.tile(np.arange(grid.nodes + 1), len(projected)), np.repeat(projected, grid.nodes + 1), self.repeat
        )
        own = grid.parameters + np.arange(to_ground.shape[1] + to_projected.shape[1])
        source, destination = np.concatenate([(grid.source, grid.destination), to_ground, to_projected], axis=1)
        return _graph(source, destination, np.concatenate([grid.parameter_index, own]))

    def inputs(self, topology: Topology) -> int:
        """The grid's nodes: the projected nodes are additional."""
        return topology.nodes - (self.fully_connect_node if sum(self.repeat) else 0)

    def image(self, topology: Topology) -> tuple[int, int, int] | None:
        return self._neighbor.image(topology)


class Pregiven(Recipe):
    """`_pregiven`: the edges of a given graph, both ways, for nodes that each hold one or more features.

    source_edge_index: sources and destinations, (2, edges), nodes counted from 0; node n becomes circuit node n + 1.
    In order, as the authors' code has it: all edges, then all reversed, this repeat_within_layer times; the same
    once more for every further feature, shifted by the number of nodes N; for each node j = 1..N, for each feature
    k: repeat_across_layer edges (j + N k, j + N (k + 1)); for each j from 0 below the largest node number:
    repeat_to_gnd times (j, 0) and (0, j).
    """

    source_edge_index: tuple[tuple[_Node, ...], tuple[_Node, ...]]
    num_node_feature: _Count
    repeat_across_layer: _CountOrNone = 1
    repeat_within_layer: _Count = 1
    repeat_to_gnd: _CountOrNone = 1

    @property
    def most_edges(self) -> int:
        nodes = 1 + max(max(side, default=0) for side in self.source_edge_index)
        within = 2 * len(self.source_edge_index[0]) * self.repeat_within_layer
        return self.num_node_feature * (within + nodes * (self.repeat_across_layer + 2 * self.repeat_to_gnd))

    def connect(self) -> Topology:
        lengths = [len(side) for side in self.source_edge_index]
        if lengths[0] != lengths[1] or lengths[0] == 0:
            raise InputError(
                "bad value for 'source_edge_index'",
                expected="as many sources as destinations, at least one",
                found=f"{lengths[0]} and {lengths[1]}",
            )
        given = np.asarray(self.source_edge_index, dtype=np.int64) + 1
        within = np.tile(np.concatenate([given, given[::-1]], axis=1), self.repeat_within_layer)
        nodes, features = int(within.max()), self.num_node_feature
        edges = np.concatenate([within, np.tile(within + nodes, features - 1)], axis=1)
        lower = np.arange(1, nodes + 1)[:, None] + nodes * np.arange(features - 1)
        lower = np.repeat(lower.ravel(), self.repeat_across_layer)
        edges = np.concatenate([edges, (lower, lower + nodes)], axis=1)
        grounded = np.repeat(np.arange(edges.max()), self.repeat_to_gnd)
        to_ground = _both_ways(grounded, np.zeros_like(grounded), (1, 1))
        return _graph(*np.concatenate([edges, to_ground], axis=1))


RECIPES: dict[str, type[Recipe]] = {
    "_fully_connect": FullyConnected,
    "_neighbor_index": Neighbor,
    "_mix_connect": Mixed,
    "_simple_connect": Chain,
    "_pregiven": Pregiven,
}


def recipe(name: str, args: Mapping[str, Any], where: str | Path) -> Recipe:
    """The topology of this name with these arguments, as `config.yaml` has them. Raises InputError naming `where`."""
    if name not in RECIPES:
        raise InputError(
            "unknown topology",
            where=where,
            expected=f"one of {', '.join(RECIPES)}",
            found=repr(name)[:80],
            hint=similar(name, RECIPES),
        )
    return validate(RECIPES[name], args, where)


def _graph(source: Indices, destination: Indices, parameter_index: Indices | None = None) -> Topology:
    """The topology of these edges, one parameter for each unless shared. Raises InputError if there are none."""
    if len(source) == 0:
        raise InputError(
            "the topology has no edges", expected="one or more", hint="check repeat, and that the kernel fits the grid"
        )
    nodes = int(max(source.max(), destination.max()))
    index = np.arange(len(source)) if parameter_index is None else parameter_index
    return Topology(source, destination, index, nodes)


def _check_indices(name: str, array: Indices, shape: tuple[int, ...]) -> None:
    if array.ndim != 1 or array.shape != shape or array.size == 0 or array.dtype != np.int64:
        raise InputError(
            f"the topology's {name} cannot be used",
            expected="whole numbers (int64), one per edge, at least one",
            found=f"shape {array.shape}, {array.dtype}",
        )
    if array.min() < 0:
        raise InputError(
            f"the topology's {name} cannot be used", expected="numbers from 0", found=str(int(array.min()))
        )


def _frozen(array: Indices) -> Indices:
    """A copy that nobody can change."""
    copy = np.array(array, order="C")
    copy.flags.writeable = False
    return copy


def _ordered_pairs(count: int) -> Indices:
    """(2, count*(count-1)): for i, for j of 0..count-1, i != j."""
    return np.stack(np.nonzero(~np.eye(count, dtype=bool))).astype(np.int64)


def _both_ways(one: Indices, other: Indices, repeat: tuple[int, int]) -> Indices:
    """(2, edges): for each pair, repeat[0] edges (one, other), then repeat[1] edges (other, one)."""
    there, back = np.stack([one, other]), np.stack([other, one])
    pairs = [np.repeat(way[:, :, None], times, axis=2) for way, times in zip((there, back), repeat, strict=True)]
    return np.concatenate(pairs, axis=2).reshape(2, -1)


def _windows(grid: Indices, size: int) -> Indices:
    """Every kernel position's nodes: (positions, channels*size*size); no positions where the kernel does not fit."""
    channels = grid.shape[0]
    if size > min(grid.shape[1:]):
        return np.zeros((0, channels * size**2), dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(grid, (size, size), axis=(1, 2))
    return windows.transpose(1, 2, 0, 3, 4).reshape(-1, channels * size**2)


def _copies(parallel: int) -> Indices:
    """By how many grids each parallel copy is shifted."""
    shifts = np.zeros(1, dtype=np.int64)
    for step in range(1, parallel):
        shifts = np.concatenate([shifts, shifts + step])
    return shifts
