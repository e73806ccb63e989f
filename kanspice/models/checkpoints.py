"""Loading a trained model from any checkpoint that kanspice reads. The family is recognised, never guessed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from kanspice.devices import with_points_from
from kanspice.errors import InputError
from kanspice.files import is_folder
from kanspice.models import (
    kanalogue_authors,
    kanspice_format,
    kirchhoffnet_authors,
    kirchhoffnet_bare,
    memkan_modules,
    phykan_authors,
    phykan_modules,
)
from kanspice.models.kanalogue import KANalogue
from kanspice.models.network import Family, Network
from kanspice.models.run_folder import checkpoint_in, config_near, found_by_place
from kanspice.models.state import plain_state, unwrapped
from kanspice.models.torch_file import read_torch_file

CheckpointFormat = Literal[
    "kanspice", "kanalogue-authors", "kirchhoffnet-authors", "kirchhoffnet-bare", "memkan-authors", "phykan-authors"
]
PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class LoadedModel:
    """A reference network in eval mode, and where it came from.

    sha256: of the checkpoint file, in hexadecimal. parameters: the number of trainable numbers. task: what its
    configuration says that it was trained for, in a stranger's words; "" where it says nothing. notes: how it was
    read, and what was chosen or assumed, for a reader of the report. config: the configuration that was read, None
    where there is none.
    """

    model: Network
    family: Family
    path: Path
    sha256: str
    format: CheckpointFormat
    parameters: int
    input_width: int
    output_width: int
    task: str = ""
    notes: tuple[str, ...] = ()
    config: Path | None = None


def load(path: PathLike, config: PathLike | None = None, curves: PathLike | None = None) -> LoadedModel:
    """Load a checkpoint: kanspice's own (complete in itself), or the authors' of a family with its config.

    path: a file, also one that wraps the state dict in what a training resumes from, or the folder of a training run.
    config: the KANalogue or PhyKAN authors' config.json, or the KirchhoffNet authors' config.yaml; for their bare
    circuits what `kirchhoffnet_bare` says; None for the one that lies near the checkpoint, by its name and alone.
    curves: for the KANalogue authors' checkpoints, a folder of their I-V files; the shipped device cards if None. For
    kanspice's own, which hold their curves, a folder with the points that these were fitted to.
    Nothing in the file is ever executed. Raises InputError if the file, the config or the curves cannot be used.
    """
    given = Path(path)
    source, chosen = checkpoint_in(given) if is_folder(given) else (given, None)
    content, sha256 = read_torch_file(source)
    config_path = None if config is None else Path(config)
    curves_path = None if curves is None else Path(curves)
    loaded = _recognised(content, sha256, source, config_path, curves_path)
    return loaded if chosen is None else replace(loaded, notes=(chosen, *loaded.notes))


def _recognised(content: object, sha256: str, path: Path, config: Path | None, curves: Path | None) -> LoadedModel:
    if kanspice_format.recognises(content):
        return _loaded(_own(content, path, config, curves), path, sha256, "kanspice")
    if phykan_modules.recognises(content):
        phykan, task, notes = phykan_modules.load_module(content, path, config)
        _refuse_curves(path, phykan, curves)
        return replace(_loaded(phykan, path, sha256, phykan_authors.FORMAT), task=task, notes=notes, config=config)
    if memkan_modules.recognises(content):
        memkan, notes = memkan_modules.load_module(content, path, config)
        _refuse_curves(path, memkan, curves)
        return replace(_loaded(memkan, path, sha256, memkan_modules.FORMAT), notes=notes)
    inner, wrapping = unwrapped(content, path)
    state = plain_state(inner, path)
    loaded = _of_state(state, sha256, path, config, curves)
    return loaded if wrapping is None else replace(loaded, notes=(wrapping, *loaded.notes))


def _of_state(
    state: dict[str, Tensor], sha256: str, path: Path, config: Path | None, curves: Path | None
) -> LoadedModel:
    if kanalogue_authors.recognises(state):
        found = kanalogue_authors.load_authors(state, path, config, curves)
        loaded = _loaded(found.model, path, sha256, kanalogue_authors.FORMAT)
        return replace(loaded, notes=found.notes, config=found.config)
    for format_, (recognises, load_authors, suffixes) in _WITHOUT_CURVES.items():
        if recognises(state):
            used = config or config_near(path, suffixes)
            model = load_authors(state, path, used)
            _refuse_curves(path, model, curves)
            read = replace(_loaded(model, path, sha256, format_), config=used, **_stated(format_, used))
            return read if used is None or config else replace(read, notes=(found_by_place(used), *read.notes))
    raise _unknown_family(state, path)


def _stated(format_: CheckpointFormat, config: Path | None) -> dict[str, Any]:
    """What its configuration says of a model beside the network itself."""
    if format_ == phykan_authors.FORMAT:
        return {"task": phykan_authors.stated_task(config)}
    if format_ == kirchhoffnet_authors.FORMAT and config is not None:
        return {"notes": kirchhoffnet_authors.reading_notes(config)}
    return {}


_Recognises = Callable[[Iterable[str]], bool]
_LoadAuthors = Callable[[Mapping[str, Tensor], Path, Path | None], Network]
_YAML, _JSON = (".yaml", ".yml"), (".json",)
_WITHOUT_CURVES: dict[CheckpointFormat, tuple[_Recognises, _LoadAuthors, tuple[str, ...]]] = {
    kirchhoffnet_authors.FORMAT: (kirchhoffnet_authors.recognises, kirchhoffnet_authors.load_authors, _YAML),
    kirchhoffnet_bare.FORMAT: (kirchhoffnet_bare.recognises, kirchhoffnet_bare.load_bare, (*_YAML, *_JSON)),
    phykan_authors.FORMAT: (phykan_authors.recognises, phykan_authors.load_authors, _JSON),
}
"""With the endings of what a configuration of theirs is called."""


def _own(content: Mapping[str, Any], path: Path, config: Path | None, curves: Path | None) -> Network:
    _refuse_config(path, config)
    own = kanspice_format.load_own(content, path)
    if isinstance(own, KANalogue):
        own.devices = own.devices if curves is None else with_points_from(curves, own.devices)
    else:
        _refuse_curves(path, own, curves)
    return own


def _loaded(model: Network, path: Path, sha256: str, format_: CheckpointFormat) -> LoadedModel:
    parameters = sum(parameter.numel() for parameter in model.parameters())
    family = kanspice_format.family_of(model)
    return LoadedModel(model, family, path, sha256, format_, parameters, model.input_width, model.output_width)


def _refuse_config(path: Path, config: Path | None) -> None:
    if config is not None:
        raise InputError(
            "a kanspice checkpoint holds its own configuration",
            where=path,
            expected="no --config",
            found=f"--config {config}",
            hint="leave out --config",
        )


def _refuse_curves(path: Path, model: Network, curves: Path | None) -> None:
    if curves is not None:
        raise InputError(
            f"a {type(model).__name__} has no device curves",
            where=path,
            expected="no --curves",
            found=f"--curves {curves}",
            hint="leave out --curves",
        )


def _unknown_family(state: dict[str, Tensor], path: Path) -> InputError:
    names = ", ".join(list(state)[:4])[:200]
    return InputError(
        "the model's family is not recognised",
        where=path,
        expected="kanspice's own checkpoint, the KANalogue authors' (net.0.coeffs, net.0.bias, ...), "
        "the KirchhoffNet authors' (circuit.layer_list.0.model.param, ..., or model.param alone), "
        "or the PhyKAN authors' as a module, or as tensors (filter_params.0, edge_mask.0, thresholds.0, ...)",
        found=f"{len(state)} tensors: {names}",
        hint="save the network with kanspice.models.save",
    )
