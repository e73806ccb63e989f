"""Checkpoints of the KANalogue authors' program: a state dict, alone or wrapped, and the JSON of its settings.

The state dict holds `net.<2m>.coeffs` (n_in, n_out, K) and `net.<2m>.bias` (n_out,) for layer m from 0, and
between them `net.<2m+1>.*` for the norm; with norm "None" the layers are consecutive. It does not hold the
devices' curves: they come from a folder of the authors' I-V files, or from the shipped device cards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor

from kanspice.families.common.formats import AuthorsStates, Reading
from kanspice.families.common.state import check_names, check_rank, check_tensors
from kanspice.families.kanalogue.authors_config import AuthorsConfig, check_same, contradiction, devices_of, read_config
from kanspice.families.kanalogue.network import KANalogue, NormName
from kanspice.families.kanalogue.parameters import build, parameter_shapes

_COEFFS = re.compile(r"net\.(\d{1,6})\.coeffs")


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are a checkpoint of the authors' program."""
    return any(_COEFFS.fullmatch(name) for name in names)


def read_authors(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, curves: Path | None
) -> Reading[KANalogue]:
    """The network of an authors' state dict read from `path`, with the settings of its configuration.

    curves: a folder of the authors' I-V files, or None for the shipped
    device cards. Raises InputError if the configuration is missing or invalid, contradicts the weights, or the weights
    are unusable.
    """
    config_path, settings = read_config(path, config_path, AuthorsConfig)
    widths = _widths(state, settings, path, config_path)
    stage = settings.input_stage(config_path)
    devices, notes = devices_of(settings, path, config_path, curves)
    shapes = parameter_shapes(widths, len(devices), settings.norm)
    check_tensors(state, {_authors_name(own, settings.norm): shape for own, shape in shapes.items()}, path)
    own_state = {own: state[_authors_name(own, settings.norm)] for own in shapes}
    model = build(widths, devices, stage, settings.norm, own_state)
    return Reading(model, notes=notes, config=config_path)


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
        raise contradiction("norm_layer", f"{norm!r}", f"{config.norm_layer!r}", config_path)
    if len(layers) != config.n_layers:
        raise contradiction("HIDDEN_DIMS", f"{len(layers) - 1} hidden layer(s)", f"{config.HIDDEN_DIMS}", config_path)
    names = [_authors_name(f"crossbars.{m}.coeffs", config.norm) for m in range(config.n_layers)]
    check_names({name: state[name] for name in layers}, names, path)
    for name in names:
        check_rank(name, state[name], 3, path)
    inputs, *hidden = [state[name].shape[0] for name in names]
    check_same("input_dim", inputs, config.input_dim or inputs, config_path)
    check_same("HIDDEN_DIMS", hidden, config.HIDDEN_DIMS, config_path)
    n_devices = state[names[0]].shape[2]
    if n_devices != len(config.td_basis_types):
        raise contradiction("td_basis_types", f"{n_devices} device type(s)", f"{config.td_basis_types}", config_path)
    return [inputs, *hidden, state[names[-1]].shape[1]]


def _norm_of_weights(state: Mapping[str, Tensor]) -> str:
    suffixes = {name.rsplit(".", 1)[-1] for name in state}
    if suffixes & {"running_mean", "running_var"}:
        return "batch"
    return "layer" if "weight" in suffixes else "None"


STATES = AuthorsStates("kanalogue-authors", recognises, read_authors, (".json",))
