"""What kanspice's own checkpoint holds of a MemKAN with a surrogate: widths, synapses, the MLP's shape, constants.

The state, for layer m from 0: `layers.<m>.raw` (n_in, n_out, K, 5), `.gain` and `.bias` (n_in, n_out, K); of the
surrogate, for linear layer n from 0: `surrogate.<2 n>.weight` (outputs, inputs) and `.bias` (outputs,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.families.common.formats import OwnFiles
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.state import check_tensors
from kanspice.families.memkan.memdiode import PARAMETERS
from kanspice.families.memkan_surrogate.network import SURROGATE_INPUTS, SurrogateConstants, SurrogateMemKAN

MAX_UNITS = 1000
_Width = Annotated[int, Field(ge=1)]


class OwnConfig(BaseModel):
    """What the JSON text of a checkpoint holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    widths: Annotated[list[_Width], Field(min_length=2, max_length=1000)]
    units: Annotated[int, Field(ge=1, le=MAX_UNITS)]
    hidden: Annotated[list[_Width], Field(max_length=1000)]
    constants: SurrogateConstants


def config_of(model: SurrogateMemKAN) -> dict[str, object]:
    """The JSON object of a network."""
    return {
        "widths": list(model.widths),
        "units": model.units,
        "hidden": list(model.hidden),
        "constants": model.constants.model_dump(mode="json"),
    }


def check_state(model: SurrogateMemKAN, state: dict[str, Tensor], path: Path) -> None:
    """Raise InputError if the network's weights are not worth keeping."""
    check_tensors(state, shapes(model.widths, model.units, model.hidden), path)


def network(text: str, state: dict[str, Tensor], path: Path) -> SurrogateMemKAN:
    """The network of a checkpoint's JSON text and state. Raises InputError if anything in them is unusable."""
    config = parse_config(text, OwnConfig, path)
    check_tensors(state, shapes(config.widths, config.units, config.hidden), path)
    return build(config.widths, config.units, config.hidden, state, config.constants)


def build(
    widths: Sequence[int],
    units: int,
    hidden: Sequence[int],
    state: Mapping[str, Tensor],
    constants: SurrogateConstants,
) -> SurrogateMemKAN:
    """A network in eval mode with these parameters (checked before); float32 is widened to float64, exactly.

    Leaves torch's global random generator as it was.
    """
    with torch.random.fork_rng(devices=[]):
        model = SurrogateMemKAN(widths, units, hidden, constants=constants)
    model.load_state_dict(dict(state), strict=True)
    return model.eval()


def shapes(widths: Sequence[int], units: int, hidden: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Of the state's tensors, by name."""
    found: dict[str, tuple[int, ...]] = {}
    for m, (n_in, n_out) in enumerate(pairwise(widths)):
        found[f"layers.{m}.raw"] = (n_in, n_out, units, len(PARAMETERS))
        found[f"layers.{m}.gain"] = found[f"layers.{m}.bias"] = (n_in, n_out, units)
    for n, (inputs, outputs) in enumerate(pairwise((SURROGATE_INPUTS, *hidden, 1))):
        found[f"surrogate.{2 * n}.weight"], found[f"surrogate.{2 * n}.bias"] = (outputs, inputs), (outputs,)
    return found


OWN = OwnFiles(config_of, check_state, network)
