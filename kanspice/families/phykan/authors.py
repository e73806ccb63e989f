"""Checkpoints of the PhyKAN authors' classes: plain tensors beside `config.json`, or a whole module (`phykan_modules`).

The tensors, for layer l from 0: `filter_params.<l>` (n_in, n_out, filters, 3) in the order gain, low-pass cut-off,
high-pass cut-off; `edge_mask.<l>` (n_in, n_out) of 0 and 1; `thresholds.<l>` (n_in,); of their class with batch norm
also `norm_scalings.<l>` and `norm_biases.<l>` (1, n_out), and `norm_moving_avgs.<l>` (n_out, 2), mean and standard
deviation. All in float32 as a rule.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.base.files import read_file
from kanspice.base.validation import validate
from kanspice.families.common.formats import AuthorsStates, Reading
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.state import check_names, check_rank, check_tensors
from kanspice.families.phykan.bandpass import BandConstants
from kanspice.families.phykan.checkpoint import MAX_FILTERS, build, check_mask
from kanspice.families.phykan.network import GAIN, HIGH, LOW, PhyKAN

FORMAT = "phykan-authors"
MAX_CONFIG_BYTES = 1_000_000
TENSORS = ("filter_params", "edge_mask", "thresholds")
NORM_TENSORS = ("norm_scalings", "norm_biases", "norm_moving_avgs")
_NORM_EPS = 1e-3
_LEAST_GAIN = 0.01
"""What their class takes for a gain of exactly 0."""
_FILTER_PARAMS = re.compile(r"filter_params\.(\d{1,6})")
_Width = Annotated[int, Field(ge=1)]


class AuthorsConfig(BaseModel):
    """`config.json`: every key decides what the checkpoint means, so one that is not known is an error.

    `constants` and `first_cutoff` are for the authors' classes of other constants, which plain tensors do not tell
    apart; `input_sigmoid` is the argument of their class's forward pass. `task` decides nothing: it says what the
    network was trained for, if anything does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    KANshape: Annotated[list[_Width], Field(min_length=2, max_length=1000)]
    filters_per_unit: Annotated[int, Field(ge=1, le=MAX_FILTERS)]
    thresholding: bool
    sigmoid_s: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    constants: dict[str, Any] = {}
    first_cutoff: Literal["low_pass", "high_pass"] = "low_pass"
    input_sigmoid: bool = True
    task: Any = None


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are those of the authors' class."""
    return any(_FILTER_PARAMS.fullmatch(name) for name in names)


def read_authors(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, _curves: Path | None
) -> Reading[PhyKAN]:
    """The network of the tensors read from `path`, with the settings of its config.json.

    Raises InputError if the config is missing or invalid, contradicts the tensors, or the tensors are unusable.
    """
    if config_path is None:
        raise InputError(
            "a checkpoint of the PhyKAN authors' class needs its configuration",
            where=path,
            expected="a config.json with KANshape, filters_per_unit, thresholding and sigmoid_s",
            found="none beside it, and none in configs/",
            hint="pass it with --config config.json",
        )
    config = _config(config_path)
    model = network(state, config, path, config_path)
    return Reading(model, task=config.task if isinstance(config.task, str) else "", config=config_path)


def network(state: Mapping[str, Tensor], config: AuthorsConfig, path: Path, config_path: Path) -> PhyKAN:
    """The network of tensors read from `path` with these settings, which are those of `config_path`.

    Raises InputError if the settings contradict the tensors, or either cannot be used.
    """
    constants = _constants(config, config_path)
    _check_layout(state, config, path, config_path)
    return build(
        config.KANshape,
        _own(state, config, constants),
        constants=constants,
        thresholding=config.thresholding,
        grid=None,
        input_sigmoid=config.input_sigmoid,
    )


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
    names = (*TENSORS, *NORM_TENSORS) if _has_norm(state) else TENSORS
    check_names(state, [f"{name}.{m}" for m in range(layers) for name in names], path)
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
        if _has_norm(state):
            shapes |= {f"norm_scalings.{m}": (1, n_out), f"norm_biases.{m}": (1, n_out)}
            shapes[f"norm_moving_avgs.{m}"] = (n_out, 2)
    check_tensors(state, shapes, path)
    for m in range(layers):
        check_mask(f"edge_mask.{m}", state[f"edge_mask.{m}"], path)


def _has_norm(state: Mapping[str, Tensor]) -> bool:
    return any(name.rpartition(".")[0] in NORM_TENSORS for name in state)


def _check_same(key: str, tensors: object, config: object, config_path: Path) -> None:
    if tensors != config:
        raise InputError(
            f"{key!r} contradicts the tensors",
            where=config_path,
            expected=f"{tensors}, as in the tensors",
            found=str(config)[:200],
            hint="use the configuration that was written with this checkpoint",
        )


def _own(state: Mapping[str, Tensor], config: AuthorsConfig, constants: BandConstants) -> dict[str, Tensor]:
    own: dict[str, Tensor] = {}
    for m in range(len(config.KANshape) - 1):
        own[f"layers.{m}.raw"] = _raw(state[f"filter_params.{m}"].double(), config, constants)
        own[f"layers.{m}.mask"] = state[f"edge_mask.{m}"].double()
        own[f"layers.{m}.threshold"] = _threshold(state[f"thresholds.{m}"].double(), m, config)
        if _has_norm(state):
            scaling, bias, average = (state[f"{name}.{m}"].double() for name in NORM_TENSORS)
            scale = scaling[0] / (average[:, 1] + _NORM_EPS)
            own[f"layers.{m}.scale"], own[f"layers.{m}.offset"] = scale, bias[0] - average[:, 0] * scale
    return own


def _raw(raw: Tensor, config: AuthorsConfig, constants: BandConstants) -> Tensor:
    """Their parameters in our order; the classes that have the low-pass cut-off first know no gain of 0."""
    if config.first_cutoff == "high_pass":
        return raw[..., [GAIN, HIGH, LOW]]
    share = constants.gain_centre + _LEAST_GAIN / constants.gain_span
    if not 0 < share < 1:
        return raw
    least, ours = constants.sigma * math.log(share / (1 - share)), raw.clone()
    ours[..., GAIN] = torch.where(constants.gain(raw[..., GAIN]) == 0, least, raw[..., GAIN])
    return ours


def _threshold(threshold: Tensor, layer: int, config: AuthorsConfig) -> Tensor:
    """Their class subtracts the first layer's thresholds and adds the others; without `thresholding` it uses none."""
    if not config.thresholding:
        return torch.zeros_like(threshold)
    return threshold if layer == 0 else -threshold


STATES = AuthorsStates(FORMAT, recognises, read_authors, (".json",))
