"""Checkpoints of the KANalogue authors' training code: `best.pth` (a state dict) beside `config.json`.

The state dict holds `net.<2m>.coeffs` (n_in, n_out, K) and `net.<2m>.bias` (n_out,) for layer m from 0, and
between them `net.<2m+1>.*` for the norm; with norm "None" the layers are consecutive. It does not hold the
devices' curves: they come from a folder of the authors' I-V files, or from the shipped device cards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.devices import Device, devices_from_folder, load_device
from kanspice.errors import InputError
from kanspice.files import read_file
from kanspice.models.json_config import parse_config
from kanspice.models.kanalogue import KANalogue, NormName
from kanspice.models.parameters import build, parameter_shapes
from kanspice.models.state import check_names, check_rank, check_tensors

FORMAT: Literal["kanalogue-authors"] = "kanalogue-authors"
MAX_CONFIG_BYTES = 1_000_000
_COEFFS = re.compile(r"net\.(\d{1,6})\.coeffs")
_NORMS: dict[str, NormName] = {"batch": "batch", "layer": "layer", "None": "none"}
_DeviceName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
_FIT_MODE_OF_CARDS = "univariate"


class AuthorsConfig(BaseModel):
    """The keys of `config.json` that decide what the checkpoint means; others (learning rate, ...) are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    input_dim: Annotated[int, Field(ge=1)]
    HIDDEN_DIMS: Annotated[list[int], Field(max_length=1000)]
    td_basis_types: Annotated[list[_DeviceName], Field(min_length=1, max_length=1000)]
    acti: Literal["PosHC", "NegHC", "sigmoid", "tanh", "None"]
    norm_layer: Literal["batch", "layer", "None"]
    fit_mode: Literal["univariate", "spline", "poly", "line"]

    @property
    def norm(self) -> NormName:
        return _NORMS[self.norm_layer]

    @property
    def n_layers(self) -> int:
        return len(self.HIDDEN_DIMS) + 1


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are a checkpoint of the authors' code."""
    return any(_COEFFS.fullmatch(name) for name in names)


def load_authors(state: Mapping[str, Tensor], path: Path, config_path: Path | None, curves: Path | None) -> KANalogue:
    """The network of an authors' state dict read from `path`, with the settings of its config.json.

    curves: a folder of the authors' I-V files, or None for the shipped device cards.
    Raises InputError if the config is missing or invalid, contradicts the weights, or the weights are unusable.
    """
    if config_path is None:
        raise InputError(
            "a checkpoint of the KANalogue authors' code needs its configuration",
            where=path,
            expected="the config.json that was written beside it",
            found="no configuration",
            hint="pass it with --config config.json",
        )
    if config_path.suffix.lower() in (".yaml", ".yml"):
        raise InputError(
            "the checkpoint and the configuration are of different families",
            where=config_path,
            expected="the config.json of a KANalogue network, as the weights are",
            found="a YAML file, as a KirchhoffNet has",
            hint="use the configuration that was written with this checkpoint",
        )
    content = read_file(config_path, "the configuration", MAX_CONFIG_BYTES)
    config = parse_config(content, AuthorsConfig, config_path)
    widths = _widths(state, config, path, config_path)
    devices = _devices(config, config_path, curves)
    shapes = parameter_shapes(widths, len(devices), config.norm)
    check_tensors(state, {_authors_name(own, config.norm): shape for own, shape in shapes.items()}, path)
    own_state = {own: state[_authors_name(own, config.norm)] for own in shapes}
    return build(widths, devices, config.acti, config.norm, own_state)


def _authors_name(own: str, norm: NormName) -> str:
    """The authors' name of a parameter of ours: `crossbars.1.bias` is `net.2.bias`, or `net.1.bias` without norm."""
    group, index, name = own.split(".")
    place = int(index) if norm == "none" else 2 * int(index) + (group == "norms")
    return f"net.{place}.{name}"


def _widths(state: Mapping[str, Tensor], config: AuthorsConfig, path: Path, config_path: Path) -> list[int]:
    """The widths of all layers out of the weights, each compared with what the configuration says of it."""
    layers = [name for name in state if _COEFFS.fullmatch(name)]
    norm = _norm_of_weights(state)
    if len(layers) > 1 and norm != config.norm_layer:
        raise _contradiction("norm_layer", f"{norm!r}", f"{config.norm_layer!r}", config_path)
    if len(layers) != config.n_layers:
        raise _contradiction("HIDDEN_DIMS", f"{len(layers) - 1} hidden layer(s)", f"{config.HIDDEN_DIMS}", config_path)
    names = [_authors_name(f"crossbars.{m}.coeffs", config.norm) for m in range(config.n_layers)]
    check_names({name: state[name] for name in layers}, names, path)
    for name in names:
        check_rank(name, state[name], 3, path)
    inputs, *hidden = [state[name].shape[0] for name in names]
    _check_same("input_dim", inputs, config.input_dim, config_path)
    _check_same("HIDDEN_DIMS", hidden, config.HIDDEN_DIMS, config_path)
    n_devices = state[names[0]].shape[2]
    if n_devices != len(config.td_basis_types):
        raise _contradiction("td_basis_types", f"{n_devices} device type(s)", f"{config.td_basis_types}", config_path)
    return [inputs, *hidden, state[names[-1]].shape[1]]


def _norm_of_weights(state: Mapping[str, Tensor]) -> str:
    suffixes = {name.rsplit(".", 1)[-1] for name in state}
    if suffixes & {"running_mean", "running_var"}:
        return "batch"
    return "layer" if "weight" in suffixes else "None"


def _check_same(key: str, weights: object, config: object, config_path: Path) -> None:
    if weights != config:
        raise _contradiction(key, str(weights), str(config), config_path)


def _contradiction(key: str, weights: str, config: str, config_path: Path) -> InputError:
    return InputError(
        f"{key!r} contradicts the weights",
        where=config_path,
        expected=f"{weights}, as in the weights",
        found=config[:200],
        hint="use the configuration that was written with this checkpoint",
    )


def _devices(config: AuthorsConfig, config_path: Path, curves: Path | None) -> list[Device]:
    if curves is not None:
        return devices_from_folder(curves, config.td_basis_types, config.fit_mode)
    if config.fit_mode != _FIT_MODE_OF_CARDS:
        raise InputError(
            f"the shipped device cards hold no curves for fit_mode {config.fit_mode!r}",
            where=config_path,
            expected=f"fit_mode {_FIT_MODE_OF_CARDS!r} (smoothing splines)",
            found=repr(config.fit_mode),
            hint="pass the authors' I-V files with --curves DIR",
        )
    return [_from_card(name, config_path) for name in config.td_basis_types]


def _from_card(name: str, config_path: Path) -> Device:
    try:
        return load_device(name)
    except InputError as error:
        hint = f"{error.hint}, or pass the authors' I-V files with --curves DIR"
        where = error.where or config_path
        raise InputError(
            error.problem, where=where, expected=error.expected, found=error.found or repr(name), hint=hint
        ) from error
