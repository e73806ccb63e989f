"""What kanspice's own checkpoint holds of a MemKAN: widths, kinds of synapses, and constants.

The state, for layer m from 0: `layers.<m>.raw` (n_in, n_out, K, 5), `.gain` (n_in, n_out, K), `.bias` (n_out,).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.families.common.formats import OwnFiles
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.state import check_tensors
from kanspice.families.memkan.memdiode import PARAMETERS, SynapseConstants, SynapseKind
from kanspice.families.memkan.network import MemKAN

_Width = Annotated[int, Field(ge=1)]


class OwnConfig(BaseModel):
    """What the JSON text of a checkpoint holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    widths: Annotated[list[_Width], Field(min_length=2, max_length=1000)]
    kinds: Annotated[list[SynapseKind], Field(min_length=1, max_length=1000)]
    constants: SynapseConstants


def config_of(model: MemKAN) -> dict[str, object]:
    """The JSON object of a network."""
    return {
        "widths": list(model.widths),
        "kinds": list(model.kinds),
        "constants": model.constants.model_dump(mode="json"),
    }


def check_state(model: MemKAN, state: dict[str, Tensor], path: Path) -> None:
    """Raise InputError if the network's weights are not worth keeping."""
    check_tensors(state, _shapes(model.widths, len(model.kinds)), path)


def network(text: str, state: dict[str, Tensor], path: Path) -> MemKAN:
    """The network of a checkpoint's JSON text and state. Raises InputError if anything in them is unusable."""
    config = parse_config(text, OwnConfig, path)
    check_tensors(state, _shapes(config.widths, len(config.kinds)), path)
    with torch.random.fork_rng(devices=[]):
        model = MemKAN(config.widths, config.kinds, constants=config.constants)
    model.load_state_dict(state, strict=True)
    return model.eval()


def _shapes(widths: Sequence[int], units: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for m, (n_in, n_out) in enumerate(pairwise(widths)):
        shapes[f"layers.{m}.raw"] = (n_in, n_out, units, len(PARAMETERS))
        shapes[f"layers.{m}.gain"] = (n_in, n_out, units)
        shapes[f"layers.{m}.bias"] = (n_out,)
    return shapes


OWN = OwnFiles(config_of, check_state, network)
