"""Checkpoints of the PhyKAN authors' class as plain tensors: `model.pt` beside `config.json`.

The tensors, for layer l from 0: `filter_params.<l>` (n_in, n_out, filters, 3) in the order gain, low-pass cut-off,
high-pass cut-off; `edge_mask.<l>` (n_in, n_out) of 0 and 1; `thresholds.<l>` (n_in,). All in float32 as a rule.

The authors save whole modules, which hold code and are refused: `export_hints` is what their users run to have plain
tensors instead. A raw gain of exactly 0, which training does not give, is no gain here; their class makes it 0.01.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.errors import InputError
from kanspice.models.bandpass import BandConstants
from kanspice.models.json_config import parse_config
from kanspice.models.phykan import GAIN, HIGH, LOW, PhyKAN
from kanspice.models.phykan_own import MAX_FILTERS, build, check_mask
from kanspice.models.state import check_names, check_rank, check_tensors
from kanspice.models.torch_file import read_file
from kanspice.validation import validate

FORMAT: Literal["phykan-authors"] = "phykan-authors"
MAX_CONFIG_BYTES = 1_000_000
_TENSORS = ("filter_params", "edge_mask", "thresholds")
_FILTER_PARAMS = re.compile(r"filter_params\.(\d{1,6})")
_Width = Annotated[int, Field(ge=1)]


class AuthorsConfig(BaseModel):
    """The keys of `config.json` that decide what the checkpoint means; others are left alone.

    `constants` and `first_cutoff` are for the authors' classes of other constants, which their checkpoints do not tell
    apart. `task` decides nothing: it says what the network was trained for, if anything does.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    KANshape: Annotated[list[_Width], Field(min_length=2, max_length=1000)]
    filters_per_unit: Annotated[int, Field(ge=1, le=MAX_FILTERS)]
    thresholding: bool
    sigmoid_s: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    constants: dict[str, Any] = {}
    first_cutoff: Literal["low_pass", "high_pass"] = "low_pass"
    task: Any = None


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are those of the authors' class."""
    return any(_FILTER_PARAMS.fullmatch(name) for name in names)


def load_authors(state: Mapping[str, Tensor], path: Path, config_path: Path | None) -> PhyKAN:
    """The network of the tensors read from `path`, with the settings of its config.json.

    Raises InputError if the config is missing or invalid, contradicts the tensors, or the tensors are unusable.
    """
    if config_path is None:
        raise InputError(
            "a checkpoint of the PhyKAN authors' class needs its configuration",
            where=path,
            expected="a config.json with KANshape, filters_per_unit, thresholding and sigmoid_s",
            found="no configuration",
            hint="pass it with --config config.json",
        )
    config = _config(config_path)
    constants = _constants(config, config_path)
    _check_layout(state, config, path, config_path)
    own = _own(state, config)
    return build(config.KANshape, own, constants=constants, thresholding=config.thresholding, grid=None)


def stated_task(config_path: Path | None) -> str:
    """What a usable configuration says that its network was trained for; "" where it says nothing."""
    task = None if config_path is None else _config(config_path).task
    return task if isinstance(task, str) else ""


def _config(path: Path) -> AuthorsConfig:
    return parse_config(read_file(path, "the configuration", MAX_CONFIG_BYTES), AuthorsConfig, path)


def _constants(config: AuthorsConfig, config_path: Path) -> BandConstants:
    if "sigma" in config.constants:
        raise InputError(
            "'constants' says what 'sigmoid_s' says",
            where=config_path,
            expected="no 'sigma' in 'constants'",
            found=f"sigma {config.constants['sigma']!r}, sigmoid_s {config.sigmoid_s!r}"[:200],
        )
    return validate(BandConstants, {**config.constants, "sigma": config.sigmoid_s}, f"{config_path}, constants")


def _check_layout(state: Mapping[str, Tensor], config: AuthorsConfig, path: Path, config_path: Path) -> None:
    layers = sum(_FILTER_PARAMS.fullmatch(name) is not None for name in state)
    check_names(state, [f"{name}.{m}" for m in range(layers) for name in _TENSORS], path)
    raw = [state[f"filter_params.{m}"] for m in range(layers)]
    for m, tensor in enumerate(raw):
        check_rank(f"filter_params.{m}", tensor, 4, path)
    _check_same("filters_per_unit", raw[0].shape[2], config.filters_per_unit, config_path)
    widths = [*(tensor.shape[0] for tensor in raw), raw[-1].shape[1]]
    _check_same("KANshape", widths, config.KANshape, config_path)
    shapes: dict[str, tuple[int, ...]] = {}
    for m, (n_in, n_out) in enumerate(pairwise(config.KANshape)):
        shapes[f"filter_params.{m}"] = (n_in, n_out, config.filters_per_unit, 3)
        shapes[f"edge_mask.{m}"] = (n_in, n_out)
        shapes[f"thresholds.{m}"] = (n_in,)
    check_tensors(state, shapes, path)
    for m in range(layers):
        check_mask(f"edge_mask.{m}", state[f"edge_mask.{m}"], path)


def _check_same(key: str, tensors: object, config: object, config_path: Path) -> None:
    if tensors != config:
        raise InputError(
            f"{key!r} contradicts the tensors",
            where=config_path,
            expected=f"{tensors}, as in the tensors",
            found=str(config)[:200],
            hint="use the configuration that was written with this checkpoint",
        )


def _own(state: Mapping[str, Tensor], config: AuthorsConfig) -> dict[str, Tensor]:
    own: dict[str, Tensor] = {}
    for m in range(len(config.KANshape) - 1):
        own[f"layers.{m}.raw"] = _raw(state[f"filter_params.{m}"].double(), config)
        own[f"layers.{m}.mask"] = state[f"edge_mask.{m}"].double()
        own[f"layers.{m}.threshold"] = _threshold(state[f"thresholds.{m}"].double(), m, config)
    return own


def _raw(raw: Tensor, config: AuthorsConfig) -> Tensor:
    return raw[..., [GAIN, HIGH, LOW]] if config.first_cutoff == "high_pass" else raw


def _threshold(threshold: Tensor, layer: int, config: AuthorsConfig) -> Tensor:
    """Their class subtracts the first layer's thresholds and adds the others; without `thresholding` it uses none."""
    if not config.thresholding:
        return torch.zeros_like(threshold)
    return threshold if layer == 0 else -threshold
