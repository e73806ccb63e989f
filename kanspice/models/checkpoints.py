"""Loading a trained model from any checkpoint that kanspice reads. The family is recognised, never guessed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from kanspice.devices import with_points_from
from kanspice.errors import InputError
from kanspice.models import kanalogue_authors, kanspice_format, kirchhoffnet_authors
from kanspice.models.kanalogue import KANalogue
from kanspice.models.network import Network
from kanspice.models.state import plain_state
from kanspice.models.torch_file import read_torch_file

Family = Literal["kanalogue", "kirchhoffnet"]
CheckpointFormat = Literal["kanspice", "kanalogue-authors", "kirchhoffnet-authors"]
PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class LoadedModel:
    """A reference network in eval mode, and where it came from.

    sha256: of the checkpoint file, in hexadecimal. parameters: the number of trainable numbers.
    """

    model: Network
    family: Family
    path: Path
    sha256: str
    format: CheckpointFormat
    parameters: int
    input_width: int
    output_width: int


def load(path: PathLike, config: PathLike | None = None, curves: PathLike | None = None) -> LoadedModel:
    """Load a checkpoint: kanspice's own (complete in itself), or the authors' of a family with its config.

    config: the KANalogue authors' config.json, or the KirchhoffNet authors' config.yaml.
    curves: for the KANalogue authors' checkpoints, a folder of their I-V files; the shipped device cards if None. For
    kanspice's own, which hold their curves, a folder with the points that these were fitted to.
    Nothing in the file is ever executed. Raises InputError if the file, the config or the curves cannot be used.
    """
    source = Path(path)
    content, sha256 = read_torch_file(source)
    if kanspice_format.recognises(content):
        _refuse_config(source, config)
        own = kanspice_format.load_own(content, source)
        if isinstance(own, KANalogue) and curves is not None:
            own.devices = with_points_from(Path(curves), own.devices)
        elif curves is not None:
            _refuse_curves(source, curves)
        return _loaded(own, source, sha256, "kanspice")
    state = plain_state(content, source)
    config_path = None if config is None else Path(config)
    if kanalogue_authors.recognises(state):
        curves_path = None if curves is None else Path(curves)
        kanalogue = kanalogue_authors.load_authors(state, source, config_path, curves_path)
        return _loaded(kanalogue, source, sha256, "kanalogue-authors")
    if kirchhoffnet_authors.recognises(state):
        if curves is not None:
            _refuse_curves(source, curves)
        kirchhoffnet = kirchhoffnet_authors.load_authors(state, source, config_path)
        return _loaded(kirchhoffnet, source, sha256, "kirchhoffnet-authors")
    raise _unknown_family(state, source)


def _loaded(model: Network, path: Path, sha256: str, format_: CheckpointFormat) -> LoadedModel:
    family: Family = "kanalogue" if isinstance(model, KANalogue) else "kirchhoffnet"
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return LoadedModel(model, family, path, sha256, format_, parameters, model.input_width, model.output_width)


def _refuse_config(path: Path, config: PathLike | None) -> None:
    if config is not None:
        raise InputError(
            "a kanspice checkpoint holds its own configuration",
            where=path,
            expected="no --config",
            found=f"--config {os.fspath(config)}",
            hint="leave out --config",
        )


def _refuse_curves(path: Path, curves: PathLike) -> None:
    raise InputError(
        "a KirchhoffNet has no device curves",
        where=path,
        expected="no --curves",
        found=f"--curves {os.fspath(curves)}",
        hint="leave out --curves",
    )


def _unknown_family(state: dict[str, Tensor], path: Path) -> InputError:
    names = ", ".join(list(state)[:4])[:200]
    return InputError(
        "the model's family is not recognised",
        where=path,
        expected="kanspice's own checkpoint, the KANalogue authors' (net.0.coeffs, net.0.bias, ...), "
        "or the KirchhoffNet authors' (circuit.layer_list.0.model.param, ...)",
        found=f"{len(state)} tensors: {names}",
        hint="save the network with kanspice.models.save",
    )
