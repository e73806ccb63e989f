"""The configuration of the KANalogue authors' program, and the devices that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from kanspice.base.errors import InputError
from kanspice.base.files import read_file
from kanspice.devices import Device, devices_from_folder, load_device
from kanspice.devices.authors_curves import BASIS_TYPES, FIT_MODES, FitMode
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.run_folder import title_of
from kanspice.families.kanalogue.network import NormName

MAX_CONFIG_BYTES = 1_000_000
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


_Config = TypeVar("_Config", bound=AuthorsConfig)


def read_config(path: Path, config_path: Path | None, schema: type[_Config]) -> tuple[Path, _Config]:
    """The configuration of the weights in `path`, and where it is. Raises InputError if it is missing or invalid."""
    if config_path is None:
        raise InputError(
            "a checkpoint of the KANalogue authors' code needs its configuration",
            where=path,
            expected="the config.json, or <title>_best_config.json, that was written with it",
            found="none beside it, and none in configs/",
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
    return config_path, parse_config(content, schema, config_path)


def check_same(key: str, weights: object, config: object, config_path: Path) -> None:
    """Raises InputError where what the weights say is not what the configuration says."""
    if weights != config:
        raise contradiction(key, str(weights), str(config), config_path)


def contradiction(key: str, weights: str, config: str, config_path: Path) -> InputError:
    """Of a key of the configuration: what the weights say, and what it says."""
    return InputError(
        f"{key!r} contradicts the weights",
        where=config_path,
        expected=f"{weights}, as in the weights",
        found=config[:200],
        hint="use the configuration that was written with this checkpoint",
    )


def devices_of(
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
