"""Checkpoints of the KANalogue authors' program: a state dict, alone or wrapped, and the JSON of its settings.

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

from kanspice.base.errors import InputError
from kanspice.base.files import read_file
from kanspice.devices import Device, devices_from_folder, load_device
from kanspice.devices.authors_curves import BASIS_TYPES, FIT_MODES, FitMode
from kanspice.families.common.formats import AuthorsStates, Reading
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.run_folder import title_of
from kanspice.families.common.state import check_names, check_rank, check_tensors
from kanspice.families.kanalogue.network import KANalogue, NormName
from kanspice.families.kanalogue.parameters import build, parameter_shapes

MAX_CONFIG_BYTES = 1_000_000
_COEFFS = re.compile(r"net\.(\d{1,6})\.coeffs")
_CNN = re.compile(r"model\.backbone\.\d{1,6}\.(conv\.weight|kan\.coeffs)")
_NORMS: dict[str, NormName] = {"batch": "batch", "layer": "layer", "None": "none"}
_DeviceName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
_StageName = Literal["PosHC", "NegHC", "sigmoid", "tanh", "None"]
_FIT_MODE_OF_CARDS: FitMode = "univariate"


class AuthorsConfig(BaseModel):
    """The keys of the configuration that decide what the checkpoint means; others (learning rate, ...) are left alone.

    `kanalogue train` writes `norm_function` for what its command line calls `acti`, no `input_dim`, which the weights
    tell, and no `fit_mode`, which nothing tells but the command line.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    input_dim: Annotated[int, Field(ge=1)] | None = None
    HIDDEN_DIMS: Annotated[list[int], Field(max_length=1000)]
    td_basis_types: Annotated[list[_DeviceName], Field(min_length=1, max_length=1000)]
    acti: _StageName | None = None
    norm_function: _StageName | None = None
    norm_layer: Literal["batch", "layer", "None"]
    fit_mode: FitMode | None = None

    @property
    def norm(self) -> NormName:
        return _NORMS[self.norm_layer]

    @property
    def n_layers(self) -> int:
        return len(self.HIDDEN_DIMS) + 1

    def input_stage(self, where: Path) -> _StageName:
        """Raises InputError where the configuration does not say it, or says two different ones."""
        stated = {stage for stage in (self.acti, self.norm_function) if stage is not None}
        if len(stated) != 1:
            raise InputError(
                "the configuration does not say which input stage the network has",
                where=where,
                expected="'norm_function' (or 'acti'): PosHC, NegHC, sigmoid, tanh or None",
                found="neither" if not stated else f"acti {self.acti!r} and norm_function {self.norm_function!r}",
            )
        return stated.pop()


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are a checkpoint of the authors' program."""
    return any(_COEFFS.fullmatch(name) or _CNN.fullmatch(name) for name in names)


def read_authors(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, curves: Path | None
) -> Reading[KANalogue]:
    """The network of an authors' state dict read from `path`, with the settings of its configuration.

    curves: a folder of the authors' I-V files, or None for the shipped
    device cards. Raises InputError if the configuration is missing or invalid, contradicts the weights, or the weights
    are unusable.
    """
    _refuse_convolutions(state, path)
    if config_path is None:
        raise InputError(
            "a checkpoint of the KANalogue authors' code needs its configuration",
            where=path,
            expected="the config.json, or <title>_best_config.json, that was written with it",
            found="none beside it, and none in configs/",
            hint="pass it with --config config.json",
        )
    settings = _read_config(config_path)
    widths = _widths(state, settings, path, config_path)
    stage = settings.input_stage(config_path)
    devices, notes = _devices(settings, path, config_path, curves)
    shapes = parameter_shapes(widths, len(devices), settings.norm)
    check_tensors(state, {_authors_name(own, settings.norm): shape for own, shape in shapes.items()}, path)
    own_state = {own: state[_authors_name(own, settings.norm)] for own in shapes}
    model = build(widths, devices, stage, settings.norm, own_state)
    return Reading(model, notes=notes, config=config_path)


def _refuse_convolutions(state: Mapping[str, Tensor], path: Path) -> None:
    if any(_CNN.fullmatch(name) for name in state):
        raise InputError(
            "this is a CNN-KAN of the KANalogue authors, and kanspice has no circuit for convolutions",
            where=path,
            expected="a network of crossbars alone, as --model_type tdkan trains, not --model_type cnn",
            found="model.backbone.<n>.conv.weight beside model.backbone.<n>.kan.coeffs",
        )


def _read_config(path: Path) -> AuthorsConfig:
    if path.suffix.lower() in (".yaml", ".yml"):
        raise InputError(
            "the checkpoint and the configuration are of different families",
            where=path,
            expected="the config.json of a KANalogue network, as the weights are",
            found="a YAML file, as a KirchhoffNet has",
            hint="use the configuration that was written with this checkpoint",
        )
    return parse_config(read_file(path, "the configuration", MAX_CONFIG_BYTES), AuthorsConfig, path)


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
    _check_same("input_dim", inputs, config.input_dim or inputs, config_path)
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


def _devices(
    config: AuthorsConfig, path: Path, config_path: Path, curves: Path | None
) -> tuple[list[Device], tuple[str, ...]]:
    """The devices in the order of the coefficients, and what had to be assumed of them."""
    basis_type = _basis_type_in(path, config_path)
    if curves is None:
        return _cards(config, path, basis_type, config_path)
    found = devices_from_folder(curves, config.td_basis_types, config.fit_mode, basis_type)
    notes = []
    if config.fit_mode is None and found.fit_mode is not None:
        notes.append(f"fit mode {found.fit_mode}, assumed from the files in {found.found_in}: nothing else says it")
    if found.found_in != curves:
        notes.append(f"curves: of {curves} the folder {found.found_in.relative_to(curves)}")
    return list(found.devices), tuple(notes)


def _cards(
    config: AuthorsConfig, path: Path, basis_type: str | None, config_path: Path
) -> tuple[list[Device], tuple[str, ...]]:
    stated = config.fit_mode or _fit_mode_in(path)
    if stated not in (None, _FIT_MODE_OF_CARDS):
        raise InputError(
            f"the shipped device cards hold no curves for fit_mode {stated!r}",
            where=config_path if config.fit_mode else path,
            expected=f"fit_mode {_FIT_MODE_OF_CARDS!r} (smoothing splines)",
            found=repr(stated) if config.fit_mode else f"{stated!r}, the name of the run's folder",
            hint="pass the authors' I-V files with --curves DIR",
        )
    devices = [_from_card(name, config_path) for name in config.td_basis_types]
    names = ", ".join(dict.fromkeys(device.name for device in devices))
    mode = f"fit mode {_FIT_MODE_OF_CARDS}{', assumed: nothing says which' if stated is None else ''}"
    kind = "" if basis_type is None else f"; the run's title says basis type {basis_type}"
    note = f"curves: assumed to be those of the shipped cards {names} ({mode}{kind}): --curves DIR for the run's own"
    return devices, (note,)


def _fit_mode_in(path: Path) -> FitMode | None:
    """The fit mode that a folder is named after: `kanalogue test` reads `<run>/<fit mode>/<dataset>/weights/`."""
    above = path.absolute().parents
    name = above[2].name if above[0].name == "weights" and len(above) > 2 else ""
    return next((mode for mode in FIT_MODES if mode == name), None)


def _basis_type_in(*paths: Path) -> str | None:
    """The basis type in the title of the weights or of the configuration: `pos-norm` of `PosNormBasis_...`."""
    for title in filter(None, map(title_of, paths)):
        for basis_type in BASIS_TYPES:
            if title.startswith(f"{basis_type.title().replace('-', '')}Basis_"):
                return basis_type
    return None


def _from_card(name: str, config_path: Path) -> Device:
    try:
        return load_device(name)
    except InputError as error:
        hint = f"{error.hint}, or pass the authors' I-V files with --curves DIR"
        where = error.where or config_path
        raise InputError(
            error.problem, where=where, expected=error.expected, found=error.found or repr(name), hint=hint
        ) from error


STATES = AuthorsStates("kanalogue-authors", recognises, read_authors, (".json",))
