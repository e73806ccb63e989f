"""The configuration beside a state dict of a Sequential: what its numbers do not tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kanspice.base.errors import InputError, errors_at
from kanspice.base.files import read_file
from kanspice.devices import load_device
from kanspice.families.common.json_config import parse_config
from kanspice.families.mlp.activations import DeviceActivation, PlainName
from kanspice.families.mlp.authors import AuthorsName
from kanspice.families.mlp.checkpoint import MOST_LAYERS, DeviceLayer, PlainLayer

MAX_CONFIG_BYTES = 1_000_000
_Finite = Annotated[float, Field(allow_inf_nan=False)]
Nothing = Literal["identity", "dropout", "flatten"]
"""Layers that do nothing to samples (samples, width) once a network is trained."""


class DeviceChoice(BaseModel):
    """A device's current as activation: (phi(v) + shift) / scale, v limited to `clamp`, the card's range if None."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    device: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
    clamp: Annotated[list[_Finite], Field(min_length=2, max_length=2)] | None = None
    shift: _Finite = 0.0
    scale: _Finite = 1.0


ActivationChoice = PlainName | DeviceChoice
LayerChoice = Literal["linear", "batch_norm", "layer_norm"] | Nothing | ActivationChoice
_Inner = Annotated[list[LayerChoice], Field(max_length=MOST_LAYERS)]
_Nested = Annotated[list[LayerChoice | _Inner], Field(max_length=MOST_LAYERS)]
NestedChoice = LayerChoice | _Nested
"""A layer, or a Sequential within the Sequential, which may hold others."""


class SequentialConfig(BaseModel):
    """The keys that decide what the checkpoint means; others (learning rate, ...) are left alone.

    model_name: of the KANalogue authors' MLPs, each with its activation. activation: between two linear layers.
    layers: of every place of the Sequential, instead of `activation`; lists in it are Sequentials within. eps: of its
    norms.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    model_name: AuthorsName | None = None
    activation: ActivationChoice | None = None
    layers: Annotated[list[NestedChoice], Field(min_length=1, max_length=MOST_LAYERS)] | None = None
    HIDDEN_DIMS: Annotated[list[int], Field(max_length=MOST_LAYERS)] | None = None
    input_dim: int | None = None
    eps: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-5

    @property
    def places(self) -> dict[str, LayerChoice] | None:
        """What `layers` says of each place, by its name in a state dict: "0.2" is in a Sequential within."""
        return None if self.layers is None else dict(_places(self.layers, ""))


def _places(choices: Sequence[Any], before: str) -> Iterator[tuple[str, LayerChoice]]:
    for number, choice in enumerate(choices):
        if isinstance(choice, list):
            yield from _places(choice, f"{before}{number}.")
        else:
            yield f"{before}{number}", choice


def read_config(path: Path) -> SequentialConfig:
    """Raises InputError if it is none, or does not say the activations, or says them more than once."""
    config = parse_config(read_file(path, "the configuration", MAX_CONFIG_BYTES), SequentialConfig, path)
    stated = [key for key in ("model_name", "activation", "layers") if getattr(config, key) is not None]
    if len(stated) != 1:
        raise InputError(
            "the configuration does not say which activations the network has",
            where=path,
            expected="one of 'model_name' (of the KANalogue authors' MLPs), 'activation' and 'layers'",
            found=" and ".join(stated) or "none of them",
            hint='"activation": "relu", "sigmoid", "tanh" or {"device": "a21"}',
        )
    return config


def activation_layer(choice: ActivationChoice, where: Path) -> PlainLayer | DeviceLayer:
    """The layer that a configuration read from `where` names. Raises InputError for an unknown card or its clamp."""
    if not isinstance(choice, DeviceChoice):
        return PlainLayer(kind=choice)
    with errors_at(where):
        clamp = None if choice.clamp is None else (choice.clamp[0], choice.clamp[1])
        device = load_device(choice.device)
        return device_layer(DeviceActivation(device, clamp, shift=choice.shift, scale=choice.scale))


def device_layer(activation: DeviceActivation) -> DeviceLayer:
    """What a checkpoint holds of it."""
    ends = activation.low, activation.high
    return DeviceLayer(
        device=activation.device.to_dict(), low=ends[0], high=ends[1], shift=activation.shift, scale=activation.scale
    )
