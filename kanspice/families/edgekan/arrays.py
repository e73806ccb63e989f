"""A trained EdgeKAN's biases and norms as arrays, for those who make a network of devices of it; and what it lacks."""

from __future__ import annotations

import torch
from torch import nn

from kanspice.base.arrays import Array
from kanspice.families.common.network import as_array
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.kanalogue.arrays import LayerNormArrays


def layer_biases(model: EdgeKAN) -> tuple[Array, ...]:
    """(outputs,) of every layer."""
    return tuple(as_array(layer.bias) for layer in model.edge_layers)


def layer_norms(model: EdgeKAN) -> tuple[LayerNormArrays | None, ...]:
    """After every layer; None where there is none, as after the last."""
    norms: list[nn.Module | None] = [*model.norms, None]
    return tuple(
        LayerNormArrays(as_array(norm.weight), as_array(norm.bias)) if isinstance(norm, nn.LayerNorm) else None
        for norm in norms
    )


def why_not(model: EdgeKAN, sample: Array) -> str:
    """Which edges have no finite value for a sample (inputs,), in the first layer where that is so."""
    values = torch.from_numpy(sample[None])
    with torch.no_grad():
        stages = model.stages(values)
    for number, layer in enumerate(model.edge_layers, 1):
        if not stages[f"l{number}.layer"].isfinite().all():
            return layer.why_not(values[0])
        values = stages.get(f"l{number}.norm", stages[f"l{number}.layer"])
    return "its values overflow"
