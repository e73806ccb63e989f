"""What kanspice's own checkpoint holds of an EdgeKAN: what each layer is, and the norm between them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.families.common.formats import OwnFiles
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.state import check_tensors
from kanspice.families.edgekan.layers import LayerSpec
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.edgekan.parameters import build, parameter_shapes


class OwnConfig(BaseModel):
    """What the JSON text of a checkpoint holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    layers: Annotated[list[LayerSpec], Field(min_length=1, max_length=1000)]
    norm: Literal["layer", "none"]


def config_of(model: EdgeKAN) -> dict[str, object]:
    """The JSON object of a network."""
    return OwnConfig(layers=list(model.specs), norm=model.norm).model_dump(mode="json")


def check_state(model: EdgeKAN, state: dict[str, Tensor], path: Path) -> None:
    """Raise InputError if the network's weights are not worth keeping."""
    check_tensors(state, parameter_shapes(model.specs, model.norm), path)


def network(text: str, state: dict[str, Tensor], path: Path) -> EdgeKAN:
    """The network of a checkpoint's JSON text and state. Raises InputError if anything in them is unusable."""
    config = parse_config(text, OwnConfig, path)
    return build(config.layers, config.norm, state, path)


OWN = OwnFiles(config_of, check_state, network)
