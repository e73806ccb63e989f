"""What files hold of a network: kanspice's own checkpoint, and the plain state dict that a training saves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.families.common.formats import AuthorsStates, OwnFiles, Reading
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.state import check_rank, check_tensors
from kanspice_varistor.network import VaristorNet


class Config(BaseModel):
    """The JSON text of a checkpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    widths: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2, max_length=100)]


def shapes(widths: Iterable[int]) -> dict[str, tuple[int, ...]]:
    """Of every tensor of the state."""
    pairs = list(pairwise(widths))
    found: dict[str, tuple[int, ...]] = {}
    for layer, (n_in, n_out) in enumerate(pairs):
        found |= {f"weights.{layer}": (n_in, n_out), f"biases.{layer}": (n_out,)}
    for layer, (_, n_out) in enumerate(pairs[:-1]):
        found |= {f"norms.{layer}.weight": (n_out,), f"norms.{layer}.bias": (n_out,)}
    return found


def config_of(model: VaristorNet) -> dict[str, object]:
    return {"widths": list(model.widths)}


def check_state(model: VaristorNet, state: dict[str, Tensor], path: Path) -> None:
    check_tensors(state, shapes(model.widths), path)


def network(text: str, state: dict[str, Tensor], path: Path) -> VaristorNet:
    return _made(parse_config(text, Config, path).widths, state, path)


def recognises(names: Iterable[str]) -> bool:
    return {"weights.0", "biases.0"} <= set(names)


def read(state: Mapping[str, Tensor], path: Path, _config: Path | None, _curves: Path | None) -> Reading[VaristorNet]:
    """The network of a plain state dict, whose shapes say its widths."""
    layers = sum(name.startswith("weights.") for name in state)
    weights = [state.get(f"weights.{layer}") for layer in range(layers)]
    for layer, weight in enumerate(weights):
        if weight is None:
            raise InputError(
                "a layer is missing", where=path, expected=f"weights.{layer}", found=", ".join(state)[:200]
            )
        check_rank(f"weights.{layer}", weight, 2, path)
    widths = [weights[0].shape[0], *(weight.shape[1] for weight in weights)]
    return Reading(_made(widths, dict(state), path))


def _made(widths: list[int], state: dict[str, Tensor], path: Path) -> VaristorNet:
    check_tensors(state, shapes(widths), path)
    model = VaristorNet(widths)
    model.load_state_dict(state, strict=True)
    return model.eval()


OWN = OwnFiles(config_of, check_state, network)
STATES = AuthorsStates("varistor state dict", recognises, read, config_endings=())
