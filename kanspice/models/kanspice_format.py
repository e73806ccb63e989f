"""kanspice's own checkpoints: one torch file of plain tensors and text, complete in itself.

    {"schema": "kanspice.checkpoint/1", "family": "kanalogue", "config": <JSON text>, "state": {name: tensor}}

The JSON text holds the widths, the input stage, the norm, and the devices with their curves.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard

import torch
from pydantic import BaseModel, ConfigDict, Field

from kanspice.devices import Device
from kanspice.errors import InputError
from kanspice.models.json_config import parse_config
from kanspice.models.kanalogue import KANalogue
from kanspice.models.parameters import build, parameter_shapes
from kanspice.models.state import check_tensors, plain_state

FORMAT = "kanspice"
SCHEMA = "kanspice.checkpoint/1"
FAMILY = "kanalogue"
_Width = Annotated[int, Field(ge=1)]


class OwnConfig(BaseModel):
    """What the JSON text of a checkpoint holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    widths: Annotated[list[_Width], Field(min_length=2, max_length=1000)]
    input_stage: Literal["PosHC", "NegHC", "sigmoid", "tanh", "None"]
    norm: Literal["batch", "layer", "none"]
    devices: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]


def recognises(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a torch file's content says that it is one of these checkpoints, of whatever version."""
    return isinstance(value, Mapping) and "schema" in value


def load_own(content: Mapping[str, Any], path: Path) -> KANalogue:
    """The network of a checkpoint's content read from `path`. Raises InputError if anything in it is unusable."""
    _check_text(content, "schema", SCHEMA, "use the version of kanspice that wrote it, or a newer one", path)
    _check_text(content, "family", FAMILY, "use a newer version of kanspice", path)
    text = content.get("config")
    if not isinstance(text, str):
        raise InputError("'config' is not text", where=path, expected="JSON text", found=type(text).__name__)
    config = parse_config(text, OwnConfig, path)
    state = plain_state(content.get("state"), path)
    check_tensors(state, parameter_shapes(config.widths, len(config.devices), config.norm), path)
    devices = [Device.from_dict(device, path) for device in config.devices]
    return build(config.widths, devices, config.input_stage, config.norm, state)


def _check_text(content: Mapping[str, Any], key: str, expected: str, hint: str, path: Path) -> None:
    if content.get(key) != expected:
        raise InputError(
            f"the checkpoint's {key} is not one that this version of kanspice reads",
            where=path,
            expected=repr(expected),
            found=repr(content.get(key))[:80],
            hint=hint,
        )


def save(model: KANalogue, path: str | os.PathLike[str]) -> None:
    """Write the model's parameters and devices; atomically, and with equal bytes for equal models.

    Coefficient noise belongs to an experiment, not to the network: it is not written.
    Raises InputError if a weight is not finite or the file cannot be written.
    """
    target = Path(path)
    state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    check_tensors(state, parameter_shapes(model.widths, len(model.devices), model.norm), target)
    config = {
        "widths": list(model.widths),
        "input_stage": model.input_stage,
        "norm": model.norm,
        "devices": [device.to_dict() for device in model.devices],
    }
    text = json.dumps(config, sort_keys=True, allow_nan=False)
    buffer = io.BytesIO()
    torch.save({"schema": SCHEMA, "family": FAMILY, "config": text, "state": state}, buffer)
    _write_atomically(buffer.getvalue(), target)


def _write_atomically(content: bytes, target: Path) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(
            "the checkpoint cannot be written",
            where=target,
            expected="a file in an existing folder",
            found=error.strerror or str(error),
            hint="check the folder and its permissions",
        ) from error
