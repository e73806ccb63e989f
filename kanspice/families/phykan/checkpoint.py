"""What kanspice's own checkpoint holds of a PhyKAN: widths, filters, constants, and the grid that it snaps to, if any.

The state, for layer m from 0: `layers.<m>.raw` (n_in, n_out, K, 3), `.mask` (n_in, n_out) of 0 and 1, `.threshold`
(n_in,); if it is normalised `.scale` and `.offset` (n_out,); and for a grid its cut-offs in hertz, `grid.low_hz` and
`grid.high_hz` (cut-offs,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.base.errors import InputError, errors_at
from kanspice.families.common.formats import OwnFiles
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.state import check_names, check_rank, check_tensors
from kanspice.families.phykan.bandpass import BandConstants, FilterGrid
from kanspice.families.phykan.network import PhyKAN

MAX_FILTERS = 1000
_GRID = ("grid.low_hz", "grid.high_hz")
_Width = Annotated[int, Field(ge=1)]


class OwnConfig(BaseModel):
    """What the JSON text of a checkpoint holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    widths: Annotated[list[_Width], Field(min_length=2, max_length=1000)]
    filters: Annotated[int, Field(ge=1, le=MAX_FILTERS)]
    constants: BandConstants
    thresholding: bool
    gain_step: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
    input_sigmoid: bool = True
    normalised: bool = False


def config_of(model: PhyKAN) -> dict[str, object]:
    """The JSON object of a network."""
    return {
        "widths": list(model.widths),
        "filters": model.filters,
        "constants": model.constants.model_dump(),
        "thresholding": model.thresholding,
        "gain_step": None if model.grid is None else model.grid.gain_step,
        "input_sigmoid": model.input_sigmoid,
        "normalised": model.normalised,
    }


def check_state(model: PhyKAN, state: dict[str, Tensor], path: Path) -> None:
    """Raise InputError if the network's weights are not worth keeping."""
    grid = () if model.grid is None else _GRID
    _check_layers(model.widths, model.filters, state, path, grid=grid, normalised=model.normalised)


def network(text: str, state: dict[str, Tensor], path: Path) -> PhyKAN:
    """The network of a checkpoint's JSON text and state. Raises InputError if anything in them is unusable."""
    config = parse_config(text, OwnConfig, path)
    names = () if config.gain_step is None else _GRID
    _check_layers(config.widths, config.filters, state, path, grid=names, normalised=config.normalised)
    grid = None
    if config.gain_step is not None:
        with errors_at(path):
            grid = FilterGrid(state["grid.low_hz"], state["grid.high_hz"], config.gain_step)
    return build(
        config.widths,
        state,
        constants=config.constants,
        thresholding=config.thresholding,
        grid=grid,
        input_sigmoid=config.input_sigmoid,
    )


def build(
    widths: Sequence[int],
    state: Mapping[str, Tensor],
    *,
    constants: BandConstants,
    thresholding: bool,
    grid: FilterGrid | None,
    input_sigmoid: bool,
) -> PhyKAN:
    """A network in eval mode with these parameters (checked before); float32 is widened to float64, exactly.

    It is normalised if they hold scales. Leaves torch's global random generator as it was.
    """
    filters = state["layers.0.raw"].shape[2]
    with torch.random.fork_rng(devices=[]):
        model = PhyKAN(
            widths,
            filters,
            constants=constants,
            thresholding=thresholding,
            grid=grid,
            input_sigmoid=input_sigmoid,
            normalised="layers.0.scale" in state,
        )
    model.load_state_dict(dict(state), strict=True)
    return model.eval()


def check_mask(name: str, mask: Tensor, path: Path) -> None:
    """Raise InputError unless the mask says yes or no for every connection."""
    other = ((mask != 0) & (mask != 1)).nonzero()
    if len(other):
        first = tuple(int(i) for i in other[0])
        raise InputError(
            f"{name} is not a mask",
            where=path,
            expected="1 for each connection that there is, 0 for the others",
            found=f"{len(other)} other value(s), the first at index {first}: {float(mask[first]):g}",
        )


def _check_layers(
    widths: Sequence[int],
    filters: int,
    state: dict[str, Tensor],
    path: Path,
    *,
    grid: Sequence[str],
    normalised: bool,
) -> None:
    shapes: dict[str, tuple[int, ...]] = {}
    for m, (n_in, n_out) in enumerate(pairwise(widths)):
        shapes[f"layers.{m}.raw"] = (n_in, n_out, filters, 3)
        shapes[f"layers.{m}.mask"] = (n_in, n_out)
        shapes[f"layers.{m}.threshold"] = (n_in,)
        shapes |= {f"layers.{m}.{name}": (n_out,) for name in ("scale", "offset") if normalised}
    check_names(state, [*shapes, *grid], path)
    for name in grid:
        check_rank(name, state[name], 1, path)
        shapes[name] = (len(state[name]),)
    check_tensors(state, shapes, path)
    for m in range(len(widths) - 1):
        check_mask(f"layers.{m}.mask", state[f"layers.{m}.mask"], path)


OWN = OwnFiles(config_of, check_state, network)
