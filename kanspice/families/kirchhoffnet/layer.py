"""One period of a KirchhoffNet: how its node voltages change at any moment."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from kanspice.base.piecewise import SIDE_BY_SIDE, Bends, PairCurrents
from kanspice.families.kirchhoffnet.branches import Branch
from kanspice.families.kirchhoffnet.topology import Topology

_CHUNK_CURRENTS = 2**15
_MANY_EDGES = 2**12
"""From so many on it is worth while to add up those between the same two nodes before."""


class Layer(nn.Module):
    """One period: the right-hand side of Eq. 7 for its topology.

    theta: (rows, columns) parameters, one column per edge unless edges share. duration: in model time.
    """

    source: Tensor
    destination: Tensor
    parameter_index: Tensor

    def __init__(self, topology: Topology, branch: Branch, duration: float) -> None:
        super().__init__()
        self.topology = topology
        self.branch = branch
        self.duration = duration
        self.theta = nn.Parameter(torch.zeros(branch.rows, topology.parameters, dtype=torch.float64))
        for name in ("source", "destination", "parameter_index"):
            self.register_buffer(name, torch.tensor(getattr(topology, name)))
        self._shared = not np.array_equal(topology.parameter_index, np.arange(topology.edges))

    @property
    def nodes(self) -> int:
        return self.topology.nodes

    def initialise(self) -> None:
        """Draw parameters as the authors do: normal, of variance 2 / columns."""
        nn.init.normal_(self.theta, std=(2 / self.theta.shape[1]) ** 0.5)

    def forward(self, _t: Tensor, v: Tensor) -> Tensor:
        """dv/dt (samples, nodes) at node voltages v (samples, nodes): Eq. 7 with C = 1."""
        with_ground = nn.functional.pad(v, (1, 0))
        total = torch.zeros_like(with_ground)
        for edges in self._chunks(len(v)):
            source, destination = (node[edges].expand(len(v), -1) for node in (self.source, self.destination))
            theta = self.theta[:, self.parameter_index[edges] if self._shared else edges]
            currents = self.branch.current(with_ground.gather(1, source), with_ground.gather(1, destination), theta)
            total = total.scatter_add(1, destination, currents).scatter_add(1, source, -currents)
        return total[:, 1:]

    def evaluated(self) -> nn.Module:
        """The same derivative for the parameters as they are now, without gradients, as fast as it can be had."""
        if not self._adds_up_pairs:
            return self
        theta = self.theta.detach().numpy()[:, self.topology.parameter_index].astype(np.float64)
        return _Evaluated(self.topology, self.branch.bends(theta))

    @property
    def together(self) -> int:
        """How many samples are worth being solved together, however many edges there are, without gradients."""
        return SIDE_BY_SIDE if self._adds_up_pairs else 1

    @property
    def _adds_up_pairs(self) -> bool:
        """Whether the edges between two nodes are evaluated as one."""
        many = self.topology.edges >= _MANY_EDGES
        return many and self.branch.is_piecewise and self.theta.device.type == "cpu"

    def _chunks(self, samples: int) -> Iterator[slice]:
        """The edges, in pieces whose currents for this many samples stay in the processor's cache."""
        size = max(1, _CHUNK_CURRENTS // max(samples, 1))
        for first in range(0, self.topology.edges, size):
            yield slice(first, first + size)


class _Evaluated(nn.Module):
    """A period whose parameters stay as they are, its currents piecewise linear."""

    def __init__(self, edges: Topology, bends: Bends) -> None:
        super().__init__()
        self.pairs = PairCurrents(edges.nodes, edges.source, edges.destination, bends)

    def forward(self, _t: Tensor, v: Tensor) -> Tensor:
        return torch.from_numpy(self.pairs.into_nodes(v.numpy()))
