"""A trained KirchhoffNet as arrays, for those who build its circuit, and its node voltages over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from kanspice.base.arrays import Array, Indices
from kanspice.families.common.network import LateError, as_array
from kanspice.families.kirchhoffnet.layer import Layer
from kanspice.families.kirchhoffnet.network import KirchhoffNet


@dataclass(frozen=True)
class PeriodArrays:
    """One period of a KirchhoffNet: its edges (edges,), their parameters (rows, edges), and how long it lasts."""

    source: Indices
    destination: Indices
    theta: Array
    duration: float
    nodes: int


def period_arrays(model: KirchhoffNet) -> tuple[PeriodArrays, ...]:
    """The trained periods, in order; edges that share parameters have a copy each."""
    return tuple(_period(layer) for layer in model.layers if isinstance(layer, Layer))


def projector_arrays(model: KirchhoffNet) -> tuple[Array, Array] | None:
    """The weight (voltages read out, outputs) and the bias (outputs,) of its projector; None without one."""
    if model.projector is None:
        return None
    return as_array(model.projector.weight).T.copy(), as_array(model.projector.bias)


def reference_waveforms(
    model: KirchhoffNet, sample: Array, times: Mapping[str, Array], timeout_s: float | None = None
) -> dict[str, Array] | None:
    """Node voltages (points, nodes) of one sample (inputs,) during each period, by the period's name in `model.stages`.

    times: for each period when, (points,), not decreasing, in model time since that period began. What rounding puts
    before its beginning, after its end, or before an earlier point, is taken as there. None if that takes longer than
    timeout_s.
    """
    names = [f"l{index}.period" for index in range(1, len(model.nodes) + 1)]
    wanted = [
        torch.from_numpy(np.maximum.accumulate(np.clip(times[name], 0.0, duration)))
        for name, duration in zip(names, model.durations, strict=True)
    ]
    model.eval()
    limited = model if timeout_s is None else model.within(timeout_s)
    try:
        with torch.no_grad():
            found = limited.period_trajectories(torch.from_numpy(sample[None].copy()), wanted)
    except LateError:
        return None
    return {name: voltages[:, 0].numpy() for name, voltages in zip(names, found, strict=True)}


def _period(layer: Layer) -> PeriodArrays:
    edges = layer.topology
    theta = as_array(layer.theta)[:, edges.parameter_index].copy()
    return PeriodArrays(edges.source.copy(), edges.destination.copy(), theta, layer.duration, layer.nodes)
