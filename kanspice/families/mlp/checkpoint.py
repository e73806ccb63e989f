"""What kanspice's own checkpoint holds of a multilayer perceptron: what its layers are, and their parameters.

The state, for layer m from 0: `layers.<m>.weight`, `layers.<m>.bias`, and of a BatchNorm its running statistics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, assert_never

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from kanspice.base.errors import errors_at
from kanspice.devices import Device
from kanspice.families.common.formats import OwnFiles
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.state import check_tensors
from kanspice.families.mlp.activations import PLAIN, DeviceActivation, PlainName, plain_name
from kanspice.families.mlp.network import MLP

MOST_WIDTH, MOST_LAYERS = 1_000_000, 1000
_Width = Annotated[int, Field(ge=1, le=MOST_WIDTH)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LinearLayer(_Table):
    """y = W x + b."""

    kind: Literal["linear"] = "linear"
    inputs: _Width
    outputs: _Width


class NormLayer(_Table):
    """With gain and offset; of a `batch_norm` the statistics of the training, of a `layer_norm` each sample's own."""

    kind: Literal["batch_norm", "layer_norm"]
    width: _Width
    eps: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-5


class PlainLayer(_Table):
    """An activation without a device."""

    kind: PlainName


class DeviceLayer(_Table):
    """A `DeviceActivation`, with the device's whole card."""

    kind: Literal["device"] = "device"
    device: dict[str, Any]
    low: _Finite
    high: _Finite
    shift: _Finite
    scale: _Finite


Layer = LinearLayer | NormLayer | PlainLayer | DeviceLayer


class OwnConfig(_Table):
    """What the JSON text of a checkpoint holds."""

    layers: Annotated[list[Annotated[Layer, Field(discriminator="kind")]], Field(min_length=1, max_length=MOST_LAYERS)]


def config_of(model: MLP) -> dict[str, object]:
    """The JSON object of a network."""
    return {"layers": [_described(layer).model_dump() for layer in model.layers]}


def check_state(model: MLP, state: dict[str, Tensor], path: Path) -> None:
    """Raise InputError if the network's weights are not worth keeping."""
    check_tensors(state, parameter_shapes([_described(layer) for layer in model.layers]), path)


def network(text: str, state: dict[str, Tensor], path: Path) -> MLP:
    """The network of a checkpoint's JSON text and state. Raises InputError if anything in them is unusable."""
    layers = parse_config(text, OwnConfig, path).layers
    check_tensors(state, parameter_shapes(layers), path)
    with errors_at(path):
        return build(layers, state, path)


def parameter_shapes(layers: Sequence[Layer]) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor in the state dict of a network of these layers; allocates nothing."""
    shapes: dict[str, tuple[int, ...]] = {}
    for place, layer in enumerate(layers):
        shapes |= {f"layers.{place}.{name}": shape for name, shape in layer_shapes(layer).items()}
    return shapes


def layer_shapes(layer: Layer) -> dict[str, tuple[int, ...]]:
    """The same of one layer, by the names that torch gives its parameters."""
    match layer:
        case LinearLayer():
            return {"weight": (layer.outputs, layer.inputs), "bias": (layer.outputs,)}
        case NormLayer():
            affine: dict[str, tuple[int, ...]] = {"weight": (layer.width,), "bias": (layer.width,)}
            if layer.kind == "layer_norm":
                return affine
            return affine | {"running_mean": (layer.width,), "running_var": (layer.width,), "num_batches_tracked": ()}
        case PlainLayer() | DeviceLayer():
            return {}
        case _:
            assert_never(layer)


def build(
    layers: Sequence[Layer], state: Mapping[str, Tensor], where: Path | str, places: Sequence[str] | None = None
) -> MLP:
    """A network in eval mode with these parameters (checked before); float32 is widened to float64, exactly.

    places: what errors call the layers; their numbers from 1 if None.

    Leaves torch's global random generator as it was. Raises InputError for layers that do not fit together.
    """
    with torch.random.fork_rng(devices=[]):
        model = MLP([_module(layer, where) for layer in layers], places=places)
    model.load_state_dict(dict(state), strict=True)
    return model.eval()


def _module(layer: Layer, where: Path | str) -> nn.Module:
    match layer:
        case LinearLayer():
            return nn.Linear(layer.inputs, layer.outputs, dtype=torch.float64)
        case NormLayer():
            norm = nn.BatchNorm1d if layer.kind == "batch_norm" else nn.LayerNorm
            return norm(layer.width, eps=layer.eps, dtype=torch.float64)
        case PlainLayer():
            return PLAIN[layer.kind]()
        case DeviceLayer():
            device = Device.from_dict(layer.device, where)
            return DeviceActivation(device, (layer.low, layer.high), shift=layer.shift, scale=layer.scale)
        case _:
            assert_never(layer)


def _described(layer: nn.Module) -> Layer:
    """What a module of a network is."""
    match layer:
        case nn.Linear():
            return LinearLayer(inputs=layer.in_features, outputs=layer.out_features)
        case nn.BatchNorm1d():
            return NormLayer(kind="batch_norm", width=layer.num_features, eps=layer.eps)
        case nn.LayerNorm():
            return NormLayer(kind="layer_norm", width=layer.normalized_shape[-1], eps=layer.eps)
        case DeviceActivation():
            return DeviceLayer(
                device=layer.device.to_dict(), low=layer.low, high=layer.high, shift=layer.shift, scale=layer.scale
            )
        case _:
            return PlainLayer(kind=plain_name(layer))


OWN = OwnFiles(config_of, check_state, network)
