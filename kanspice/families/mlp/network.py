"""Multilayer perceptrons in float64: linear layers, BatchNorm or LayerNorm, and activations, one after the other.

Layers are counted from 1, whatever they are: of `Linear, BatchNorm1d, ReLU, Linear` the second linear layer is layer 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kanspice.base.errors import InputError
from kanspice.devices import Device, load_device
from kanspice.families.common.inputs import check_input
from kanspice.families.common.network import Network
from kanspice.families.mlp.activations import PLAIN, DeviceActivation

WEIGHTS = "ohmic"
"""The card of what linear layers are made of."""


class MLP(Network):
    """Layers in the order of their work: Linear, BatchNorm1d, LayerNorm, ReLU, Sigmoid, Tanh, DeviceActivation.

    layers: torch's own modules; they are kept, not copied, and converted to float64 (float32 is widened, exactly).
    places: what errors call them; their numbers from 1 if None.
    Raises InputError where there is no linear layer, and where two layers do not fit together.
    """

    def __init__(self, layers: Sequence[nn.Module], *, places: Sequence[str] | None = None) -> None:
        super().__init__()
        named = [str(number) for number in range(1, len(layers) + 1)] if places is None else places
        self.input_features, self.output_features = _check_layers(layers, named)
        self.layers = nn.ModuleList(layers).to(torch.float64)

    @property
    def curves(self) -> tuple[Device, ...]:
        """The resistor of the weights, then the devices of activations, each once."""
        devices = [layer.device for layer in self.layers if isinstance(layer, DeviceActivation)]
        return tuple({device.sha256: device for device in (load_device(WEIGHTS), *devices)}.values())

    @property
    def input_width(self) -> int:
        return self.input_features

    @property
    def output_width(self) -> int:
        return self.output_features

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Every intermediate result for inputs x (samples, inputs), in order; each is (samples, width).

        Of layer m: `l<m>.crossbar` of a linear layer and of a device, whose limited input is `l<m>.input`; `l<m>.norm`;
        and `l<m>.input` of an activation without a device. `l1.input` is x where the first layer limits nothing.
        In model units. Raises InputError if x has another shape.
        """
        values = check_input(x, self.input_width, "MLP.forward")
        results: dict[str, Tensor] = {}
        for place, layer in enumerate(self.layers, 1):
            if isinstance(layer, DeviceActivation):
                results[f"l{place}.input"] = layer.limited(values)
            elif place == 1 and not isinstance(layer, tuple(PLAIN.values())):
                results["l1.input"] = values
            values = results[f"l{place}.{_kind(layer)}"] = layer(values)
        return results

    def forward(self, x: Tensor) -> Tensor:
        """The outputs (samples, outputs) for inputs x (samples, inputs): the last of `stages(x)`."""
        return list(self.stages(x).values())[-1]


def _kind(layer: nn.Module) -> str:
    if isinstance(layer, nn.Linear | DeviceActivation):
        return "crossbar"
    return "norm" if isinstance(layer, nn.BatchNorm1d | nn.LayerNorm) else "input"


def features(layer: nn.Module) -> tuple[int, int] | None:
    """Inputs and outputs of a layer; None for one that takes any number. Raises InputError for an unknown kind."""
    match layer:
        case nn.Linear():
            return layer.in_features, layer.out_features
        case nn.BatchNorm1d():
            return layer.num_features, layer.num_features
        case nn.LayerNorm():
            return layer.normalized_shape[-1], layer.normalized_shape[-1]
        case nn.ReLU() | nn.Sigmoid() | nn.Tanh() | DeviceActivation():
            return None
        case _:
            raise InputError("a layer that a multilayer perceptron does not have", found=type(layer).__name__)


def _check_complete(place: str, layer: nn.Module) -> None:
    """Raises InputError for a layer without some of its parameters, or without the statistics of its training."""
    absent = [name for name in ("weight", "bias", "running_mean", "running_var") if getattr(layer, name, 0) is None]
    if absent:
        raise InputError(
            f"layer {place}, {type(layer).__name__}, has no {' and no '.join(absent)}",
            expected="all parameters, and of a BatchNorm1d the running statistics",
            hint="kanspice.convert(module) adds what is 0 or 1; without running statistics there is no fixed circuit",
        )


def _check_layers(layers: Sequence[nn.Module], places: Sequence[str]) -> tuple[int, int]:
    """Inputs and outputs of them all."""
    if not any(isinstance(layer, nn.Linear) for layer in layers):
        raise InputError(
            "the network has no linear layer", expected="one Linear or more", found=f"{len(layers)} layers"
        )
    first: int | None = None
    width: int | None = None
    for place, layer in zip(places, layers, strict=True):
        widths = features(layer)
        _check_complete(place, layer)
        if widths is None:
            continue
        if width is not None and widths[0] != width:
            raise InputError(
                f"layer {place}, {type(layer).__name__}, does not fit the layer before it",
                expected=f"{width} inputs",
                found=f"{widths[0]}",
            )
        first, width = (widths[0] if first is None else first), widths[1]
    if first is None or width is None:
        raise AssertionError("a linear layer has a width")
    return first, width
