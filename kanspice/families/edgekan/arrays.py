"""A trained EdgeKAN's biases and norms as arrays, for those who make a network of devices of it."""

from __future__ import annotations

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
