"""Checkpoints of the KirchhoffNet authors' training code: `model.pth` (a state dict) beside `config.yaml`.

The state dict holds `circuit.layer_list.<l>.model.param` (rows, edges), float32, for layer l from 0. The order of
the columns is the order of the edges that the topologies in `network.net_struct` give. Their code stores one column
per edge even where `sharing` is set; a checkpoint with one column per shared parameter is read as well.

`config.yaml` does not say how many inputs there are. All nodes of the first layer take an input; in a
`_mix_connect` layer the nodes of its grid do, and the projected nodes start at 0 V or as `fill` says. A network
that was trained with fewer inputs takes them filled up with zeros to that many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from torch import Tensor

from kanspice.errors import InputError
from kanspice.models.branches import Branch, branch_function
from kanspice.models.kirchhoffnet import KirchhoffNet
from kanspice.models.places import errors_at
from kanspice.models.state import check_names, check_rank, check_tensors
from kanspice.models.topology import Recipe, Topology, recipe
from kanspice.models.torch_file import read_file
from kanspice.models.yaml_config import MAX_YAML_BYTES, parse_yaml
from kanspice.validation import validate

FORMAT: Literal["kirchhoffnet-authors"] = "kirchhoffnet-authors"
_PARAM = re.compile(r"circuit\.layer_list\.(\d{1,6})\.model\.param")
_KEYS_OF_KANALOGUE = {"HIDDEN_DIMS", "td_basis_types", "norm_layer"}


def _number(value: object) -> object:
    """YAML reads 1e-3 as text, which the authors' code turns into a number; true and false are none."""
    if isinstance(value, bool):
        raise ValueError("a number, not true or false")
    return value


def _none_is_zeros(value: object) -> object:
    return {None: "zeros", "zero": "zeros"}.get(value, value) if value is None or isinstance(value, str) else value


def _none_is_null(value: object) -> object:
    return None if value == "none" else value


_Number = Annotated[float, Field(strict=False, allow_inf_nan=False), BeforeValidator(_number)]


class _Part(BaseModel):
    """Keys that decide what the checkpoint means; others (batch_size, lr, method, tol, ...) are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _Named(_Part):
    name: str
    args: Annotated[dict[str, Any], BeforeValidator(lambda value: {} if value is None else value)] = {}


class _Network(_Part):
    net_struct: Annotated[list[_Named], Field(min_length=1, max_length=1000)]
    model: _Named
    fill: Annotated[Literal["zeros", "repeat"], BeforeValidator(_none_is_zeros)] = "zeros"
    residual: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None
    projector: Annotated[str | None, BeforeValidator(_none_is_null)] = None
    encoder: Annotated[None, BeforeValidator(_none_is_null)] = None


class _Simulation(_Part):
    t_end: Annotated[list[_Number], Field(min_length=2, max_length=1001)]


class AuthorsConfig(_Part):
    """The parts of `config.yaml` that are read."""

    network: _Network
    simulation: _Simulation


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are a checkpoint of the authors' code."""
    return any(_PARAM.fullmatch(name) for name in names)


def load_authors(state: Mapping[str, Tensor], path: Path, config_path: Path | None) -> KirchhoffNet:
    """The network of an authors' state dict read from `path`, with the settings of its config.yaml.

    Raises InputError if the config is missing or invalid, contradicts the weights, or the weights are unusable.
    """
    if config_path is None:
        raise InputError(
            "a checkpoint of the KirchhoffNet authors' code needs its configuration",
            where=path,
            expected="the config.yaml that was written beside it",
            found="no configuration",
            hint="pass it with --config config.yaml",
        )
    config = _read_config(config_path)
    branch = branch_function(config.network.model.name, config.network.model.args, config_path)
    durations = _durations(config, config_path)
    names = _names(state, len(config.network.net_struct), path, config_path)
    recipes = [
        recipe(entry.name, entry.args, _place(config_path, index))
        for index, entry in enumerate(config.network.net_struct)
    ]
    topologies = [
        _topology(own, state[name], branch, _place(config_path, index), name)
        for index, (own, name) in enumerate(zip(recipes, names, strict=True))
    ]
    check_tensors(state, {name: tuple(state[name].shape) for name in names}, path)
    residual = config.network.residual
    with errors_at(config_path):
        return KirchhoffNet(
            topologies,
            durations,
            branch,
            input_width=recipes[0].inputs(topologies[0]),
            fill=config.network.fill,
            residual=None if residual is None else (residual[0] + 1, residual[1] + 1),
            readout=config.network.projector or "all",
            thetas=[state[name][: branch.rows] for name in names],
        ).eval()


def _read_config(config_path: Path) -> AuthorsConfig:
    mapping = parse_yaml(read_file(config_path, "the configuration", MAX_YAML_BYTES), config_path)
    if "network" not in mapping and _KEYS_OF_KANALOGUE & mapping.keys():
        raise InputError(
            "the checkpoint and the configuration are of different families",
            where=config_path,
            expected="the config.yaml of a KirchhoffNet, as the weights are",
            found="the configuration of a KANalogue network",
            hint="use the configuration that was written with this checkpoint",
        )
    return validate(AuthorsConfig, mapping, config_path)


def _durations(config: AuthorsConfig, config_path: Path) -> list[float]:
    times, layers = config.simulation.t_end, len(config.network.net_struct)
    shown = str(times)[:200]
    if len(times) != layers + 1:
        raise InputError(
            "'simulation.t_end' does not fit the layers",
            where=config_path,
            expected=f"{layers + 1} times: the start, and the end of each of {layers} layer(s)",
            found=f"{len(times)}: {shown}",
        )
    durations = [end - start for start, end in pairwise(times)]
    if min(durations) <= 0:
        raise InputError(
            "'simulation.t_end' does not increase",
            where=config_path,
            expected="each time later than the one before",
            found=shown,
        )
    return durations


def _names(state: Mapping[str, Tensor], layers: int, path: Path, config_path: Path) -> list[str]:
    """The parameters' names in the order of the layers; raises InputError if there are more, fewer, or others."""
    found = sum(_PARAM.fullmatch(name) is not None for name in state)
    if found != layers:
        raise InputError(
            "'network.net_struct' contradicts the weights",
            where=config_path,
            expected=f"{found} layer(s), as in the weights",
            found=f"{layers} layer(s)",
            hint="use the configuration that was written with this checkpoint",
        )
    names = [f"circuit.layer_list.{index}.model.param" for index in range(layers)]
    check_names(state, names, path)
    return names


def _place(config_path: Path, index: int) -> str:
    return f"{config_path}, network.net_struct, layer {index + 1}"


def _topology(own: Recipe, param: Tensor, branch: Branch, place: str, name: str) -> Topology:
    """The layer's edges, compared with its parameters: (rows, edges)."""
    with errors_at(place):
        check_rank(name, param, 2, Path(place))
        topology = own.build()
        rows, columns = param.shape
        if rows not in (branch.rows, branch.stored_rows):
            raise InputError(
                "the branch function contradicts the weights",
                expected=f"{branch.stored_rows} parameters per edge for {branch.name}",
                found=f"{rows} rows in {name}",
            )
        if columns == topology.edges:
            return topology.unshared()
        if columns != topology.parameters:
            raise InputError(
                "the topology contradicts the weights: another number of edges",
                expected=f"{columns:,} edges, as in {name}",
                found=f"{topology.edges:,} edges from this topology",
                hint="use the configuration that was written with this checkpoint",
            )
        return topology
