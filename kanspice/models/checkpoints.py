"""Loading a trained model from any checkpoint that kanspice reads. The family is recognised, never guessed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from kanspice.errors import InputError
from kanspice.models import kanalogue_authors, kanspice_format
from kanspice.models.kanalogue import KANalogue
from kanspice.models.state import plain_state
from kanspice.models.torch_file import read_torch_file

CheckpointFormat = Literal["kanspice", "kanalogue-authors"]
PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class LoadedModel:
    """A reference network in eval mode, and where it came from.

    sha256: of the checkpoint file, in hexadecimal. parameters: the number of trainable numbers.
    """

    model: KANalogue
    family: Literal["kanalogue"]
    path: Path
    sha256: str
    format: CheckpointFormat
    parameters: int
    input_width: int
    output_width: int


def load(path: PathLike, config: PathLike | None = None, curves: PathLike | None = None) -> LoadedModel:
    """Load a checkpoint: kanspice's own (complete in itself), or the KANalogue authors' with its config.

    config: the authors' config.json. curves: a folder of the authors' I-V files; the shipped device cards if None.
    Nothing in the file is ever executed. Raises InputError if the file, the config or the curves cannot be used.
    """
    source = Path(path)
    content, sha256 = read_torch_file(source)
    if kanspice_format.recognises(content):
        _refuse_extras(source, config, curves)
        return _loaded(kanspice_format.load_own(content, source), source, sha256, "kanspice")
    state = plain_state(content, source)
    if not kanalogue_authors.recognises(state):
        raise _unknown_family(state, source)
    model = kanalogue_authors.load_authors(
        state, source, None if config is None else Path(config), None if curves is None else Path(curves)
    )
    return _loaded(model, source, sha256, "kanalogue-authors")


def _loaded(model: KANalogue, path: Path, sha256: str, format_: CheckpointFormat) -> LoadedModel:
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return LoadedModel(model, "kanalogue", path, sha256, format_, parameters, model.input_width, model.output_width)


def _refuse_extras(path: Path, config: PathLike | None, curves: PathLike | None) -> None:
    extras = [option for option, value in (("--config", config), ("--curves", curves)) if value is not None]
    if extras:
        raise InputError(
            "a kanspice checkpoint holds its own configuration and device curves",
            where=path,
            expected="neither --config nor --curves",
            found=" and ".join(extras),
            hint="leave out " + " and ".join(extras),
        )


def _unknown_family(state: dict[str, Tensor], path: Path) -> InputError:
    names = ", ".join(list(state)[:4])[:200]
    return InputError(
        "the model's family is not recognised",
        where=path,
        expected="kanspice's own checkpoint, or the KANalogue authors' (net.0.coeffs, net.0.bias, ...)",
        found=f"{len(state)} tensors: {names}",
        hint="save the network with kanspice.models.save",
    )
