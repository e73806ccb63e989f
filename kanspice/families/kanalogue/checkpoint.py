"""What kanspice's own checkpoint holds of a KANalogue network: widths, input stage, norm, and devices with curves.

Of one that was made of a KAN of learnt functions it holds that, too: it is what reports compare it with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.devices import Device
from kanspice.families.common.formats import OwnFiles
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.state import check_tensors
from kanspice.families.edgekan.kept import PREFIX, OriginalConfig, kept_config, kept_shapes, kept_state, original_of
from kanspice.families.kanalogue.network import KANalogue
from kanspice.families.kanalogue.parameters import build, parameter_shapes

_Width = Annotated[int, Field(ge=1)]
_Sentence = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class OwnConfig(BaseModel):
    """What the JSON text of a checkpoint holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    widths: Annotated[list[_Width], Field(min_length=2, max_length=1000)]
    input_stage: Literal["PosHC", "NegHC", "sigmoid", "tanh", "None"]
    norm: Literal["batch", "layer", "none"]
    devices: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]
    origin: Annotated[list[_Sentence], Field(max_length=20)] = []
    original: OriginalConfig | None = None


def config_of(model: KANalogue) -> dict[str, object]:
    """The JSON object of a network. Coefficient noise belongs to an experiment: it is left out."""
    found: dict[str, object] = {
        "widths": list(model.widths),
        "input_stage": model.input_stage,
        "norm": model.norm,
        "devices": [device.to_dict() for device in model.devices],
    }
    if model.origin:
        found["origin"] = list(model.origin)
    if model.original is not None:
        found["original"] = kept_config(model.original).model_dump(mode="json")
    return found


def state_of(model: KANalogue) -> dict[str, Tensor]:
    """Its weights, and those of the network that it was made of."""
    return {**model.state_dict(), **({} if model.original is None else kept_state(model.original))}


def check_state(model: KANalogue, state: dict[str, Tensor], path: Path) -> None:
    """Raise InputError if the network's weights are not worth keeping."""
    shapes = parameter_shapes(model.widths, len(model.devices), model.norm)
    kept = {} if model.original is None else kept_shapes(kept_config(model.original))
    check_tensors(state, {**shapes, **kept}, path)


def network(text: str, state: dict[str, Tensor], path: Path) -> KANalogue:
    """The network of a checkpoint's JSON text and state. Raises InputError if anything in them is unusable."""
    config = parse_config(text, OwnConfig, path)
    kept = {name: state.pop(name) for name in [*state] if config.original is not None and name.startswith(PREFIX)}
    check_tensors(state, parameter_shapes(config.widths, len(config.devices), config.norm), path)
    devices = [Device.from_dict(device, path) for device in config.devices]
    model = build(config.widths, devices, config.input_stage, config.norm, state)
    model.origin = tuple(config.origin)
    if config.original is not None:
        _check_original(config, config.original, path)
        model.original = original_of(config.original, kept, path)
    return model


def _check_original(config: OwnConfig, original: OriginalConfig, path: Path) -> None:
    """Raises InputError unless the one can have been made of the other."""
    if original.widths != config.widths or (original.norm != config.norm and len(original.layers) > 1):
        raise InputError(
            "'original' is not what this network can have been made of",
            where=path,
            expected=f"widths {config.widths}, norm {config.norm}"[:200],
            found=f"widths {original.widths}, norm {original.norm}"[:200],
        )


OWN = OwnFiles(config_of, check_state, network, state_of)
