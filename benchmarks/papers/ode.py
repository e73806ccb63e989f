"""A KirchhoffNet's periods for training: fixed steps, branches' ends chosen by matrices, and exact divergences."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from kanspice.families.kirchhoffnet.branches import ShiftTanh1, ShiftTanh2
from kanspice.families.kirchhoffnet.layer import Layer
from kanspice.families.kirchhoffnet.network import KirchhoffNet

Slope = Callable[[Tensor], Tensor]


def runge_kutta(slope: Slope, state: Tensor, duration: float, steps: int) -> tuple[Tensor, Tensor]:
    """The state (samples, any) after the duration, by the classical method; and whether its steps were short enough.

    That is the mean square, over samples, of what the two slopes in the middle of a step disagree by, times the step,
    summed over steps.
    """
    step, rough = duration / steps, state.new_zeros(())
    for _ in range(steps):
        first = slope(state)
        second = slope(state + step / 2 * first)
        third = slope(state + step / 2 * second)
        fourth = slope(state + step * third)
        state = state + step / 6 * (first + 2 * second + 2 * third + fourth)
        rough = rough + (step * (third - second)).square().sum(1).mean()
    return state, rough


def ends(layer: Layer) -> tuple[Tensor, Tensor]:
    """Which node, without ground, branches come from and go to: two of (nodes, branches), 0 or 1."""
    nodes = torch.eye(layer.nodes + 1, dtype=layer.theta.dtype)[1:]
    return nodes[:, layer.source], nodes[:, layer.destination]


def voltages(layer: Layer) -> Slope:
    """dv/dt (samples, nodes) at v (samples, nodes), of any law."""
    source, destination = ends(layer)
    into = (destination - source).T
    return lambda v: layer.branch.current(v @ source, v @ destination, layer.theta) @ into


def flow(model: KirchhoffNet, points: Tensor, steps: int, *, backwards: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Where points (samples, nodes) come to at the other end, and the integral (samples,) of the divergence there.

    And what `runge_kutta` says of the steps, of which there are so many per period. For branches with tanh (Eqs. 11 and
    13).
    """
    state, rough = torch.nn.functional.pad(points, (0, 1)), points.new_zeros(())
    for layer in reversed(model.layers) if backwards else model.layers:
        slope = _diverging(layer, points.dtype, -1 if backwards else 1)
        state, further = runge_kutta(slope, state, layer.duration, steps)
        rough = rough + further
    return state[:, :-1], state[:, -1], rough


def _diverging(layer: Layer, dtype: torch.dtype, sign: int) -> Slope:
    """Of node voltages, which go backwards where the sign is -1, and of their divergence besides.

    A current tanh(w v + b) adds its derivative times w's component along the branch to the divergence.
    """
    source, destination = ends(layer)
    into = destination - source
    match layer.branch:
        case ShiftTanh1():
            weights, offsets = -layer.theta[1] * into, layer.theta[0]
        case ShiftTanh2():
            weights, offsets = layer.theta[0] * source + layer.theta[1] * destination, layer.theta[2]
        case other:
            raise TypeError(f"no divergence of {other.name}")
    along = (weights * into).sum(0)
    weights, offsets, along, into = (each.to(dtype) for each in (weights, offsets, along, sign * into.T))
    whole = along.sum()

    def slope(state: Tensor) -> Tensor:
        currents = torch.tanh(torch.addmm(offsets, state[:, :-1], weights))
        return torch.cat([currents @ into, (whole - currents.square() @ along)[:, None]], dim=1)

    return slope
