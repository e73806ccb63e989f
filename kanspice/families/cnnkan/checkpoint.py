"""What kanspice's own checkpoint holds of a CNN-KAN: sizes, the window of its convolutions, and devices with curves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.base.errors import errors_at
from kanspice.devices import Device
from kanspice.families.cnnkan.network import CNNKAN, Window
from kanspice.families.cnnkan.parameters import build, parameter_shapes
from kanspice.families.common.formats import OwnFiles
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.state import check_tensors

_MOST_LAYERS = 1000
_Width = Annotated[int, Field(ge=1, le=100_000)]


class OwnConfig(BaseModel):
    """What the JSON text of a checkpoint holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    image: Annotated[list[_Width], Field(min_length=3, max_length=3)]
    channels: Annotated[list[_Width], Field(min_length=1, max_length=_MOST_LAYERS)]
    outputs: _Width
    kernel: _Width
    stride: _Width
    padding: Annotated[int, Field(ge=0, le=100_000)]
    devices: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=_MOST_LAYERS)]


def config_of(model: CNNKAN) -> dict[str, object]:
    """The JSON object of a network."""
    return {
        "image": list(model.image),
        "channels": list(model.channels),
        "outputs": model.outputs,
        "kernel": model.window.kernel,
        "stride": model.window.stride,
        "padding": model.window.padding,
        "devices": [device.to_dict() for device in model.devices],
    }


def check_state(model: CNNKAN, state: dict[str, Tensor], path: Path) -> None:
    """Raise InputError if the network's weights are not worth keeping."""
    channels = (model.image[0], *model.channels)
    check_tensors(state, parameter_shapes(channels, model.outputs, len(model.devices), model.window.kernel), path)


def network(text: str, state: dict[str, Tensor], path: Path) -> CNNKAN:
    """The network of a checkpoint's JSON text and state. Raises InputError if anything in them is unusable."""
    config = parse_config(text, OwnConfig, path)
    channels, height, width = config.image
    shapes = parameter_shapes((channels, *config.channels), config.outputs, len(config.devices), config.kernel)
    check_tensors(state, shapes, path)
    devices = [Device.from_dict(device, path) for device in config.devices]
    with errors_at(path):
        window = Window(config.kernel, config.stride, config.padding)
        return build(state, (channels, height, width), config.channels, config.outputs, devices, window=window)


OWN = OwnFiles(config_of, check_state, network)
