"""How dense a KirchhoffNet's samples are: log p, carried along with the node voltages, in nats.

An input is a sample of the standard normal distribution, and what becomes of it moves with dv/dt = f(v); the logarithm
of the density then changes by minus the divergence of f (Eq. 14 of the KirchhoffNet paper). A branch g(v_s, v_d) takes
from its source and gives to its destination, so the divergence is the sum over branches of dg/dv_d - dg/dv_s, ground
left out: no Jacobian is needed, whatever the number of nodes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from kanspice.base.arrays import Array
from kanspice.families.common.network import DivergenceError
from kanspice.families.kirchhoffnet.layer import Layer
from kanspice.families.kirchhoffnet.network import KirchhoffNet

_BLOCK_CURRENTS = 2**20


def log_densities(model: KirchhoffNet, inputs: Array) -> Array:
    """(samples,) log p of what the network makes of inputs (samples, nodes), as the authors' augmented pass has it.

    NaN where the network cannot be followed.
    """
    start, change = _followed(model, inputs, backwards=False)
    return np.where(np.isfinite(start).all(axis=1), _normal(inputs) - change, np.nan)


def log_densities_at(model: KirchhoffNet, points: Array) -> Array:
    """(samples,) log p that the network gives to points (samples, nodes), by following them backwards.

    NaN where they cannot be followed: a point that the network hardly ever makes may come from far away.
    """
    start, change = _followed(model, points, backwards=True)
    return _normal(start) - change


def _normal(points: Array) -> Array:
    """(samples,) log-density of the standard normal distribution."""
    found: Array = -0.5 * np.sum(points**2, axis=1) - 0.5 * points.shape[1] * math.log(2 * math.pi)
    return found


def _followed(model: KirchhoffNet, points: Array, *, backwards: bool) -> tuple[Array, Array]:
    """Where points (samples, nodes) come to at the other end, and the integral of the divergence on their way there."""
    layers = [layer for layer in model.layers if isinstance(layer, Layer)]
    steps = [_WithDivergence(layer, backwards=backwards) for layer in (layers[::-1] if backwards else layers)]
    ends = np.full((len(points), points.shape[1] + 1), np.nan)
    with torch.no_grad():
        for places in _blocks(len(points), max(layer.topology.edges for layer in layers)):
            ends[places] = _end(model, steps, points[places])
    return ends[:, :-1], ends[:, -1]


def _end(model: KirchhoffNet, steps: Sequence[_WithDivergence], points: Array) -> Array:
    """(samples, nodes + 1); samples that cannot be followed are NaN, which only they themselves decide."""
    state = torch.from_numpy(np.pad(points, ((0, 0), (0, 1))))
    try:
        for step in steps:
            state = model.integrator.solve(step, state, state.new_tensor([0.0, step.layer.duration]))[-1]
    except DivergenceError:
        if len(points) == 1:
            return np.full((1, points.shape[1] + 1), np.nan)
        return np.concatenate([_end(model, steps, point[None]) for point in points])
    found: Array = state.numpy()
    return found


def _blocks(samples: int, edges: int) -> Iterator[slice]:
    size = max(1, _BLOCK_CURRENTS // edges)
    for first in range(0, samples, size):
        yield slice(first, first + size)


class _WithDivergence(nn.Module):
    """A period's derivative, and the divergence beside it: (samples, nodes + 1). backwards: time runs the other way."""

    def __init__(self, layer: Layer, *, backwards: bool) -> None:
        super().__init__()
        self.layer, self.sign = layer, -1.0 if backwards else 1.0
        self.theta = layer.theta.detach()[:, layer.parameter_index]
        moves = layer.source != layer.destination
        self.gives, self.takes = moves & (layer.destination > 0), moves & (layer.source > 0)

    def forward(self, _t: Tensor, state: Tensor) -> Tensor:
        source, destination = (n.expand(len(state), -1) for n in (self.layer.source, self.layer.destination))
        with_ground = nn.functional.pad(state[:, :-1], (1, 0))
        with torch.enable_grad():
            ends = [with_ground.gather(1, nodes).requires_grad_() for nodes in (source, destination)]
            currents = self.layer.branch.current(ends[0], ends[1], self.theta)
            by_source, by_destination = torch.autograd.grad(currents.sum(), ends)
        currents = currents.detach()
        into = torch.zeros_like(with_ground).scatter_add(1, destination, currents).scatter_add(1, source, -currents)
        divergence = (by_destination * self.gives - by_source * self.takes).sum(dim=1, keepdim=True)
        return torch.cat([self.sign * into[:, 1:], divergence], dim=1)
