"""Loading a trained model from any checkpoint that kanspice reads. The family is recognised, never guessed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.base.files import is_folder, read_file
from kanspice.families import saving
from kanspice.families.common.formats import Reading
from kanspice.families.common.network import Network
from kanspice.families.common.run_folder import checkpoint_in, config_near, found_by_place
from kanspice.families.common.stand_ins import StandIn
from kanspice.families.common.state import plain_state, unwrapped
from kanspice.families.common.torch_file import read_torch_file
from kanspice.families.table import families, family_of, plugged_families

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
    family: str
    path: Path
    sha256: str
    format: str
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
    circuits what `kirchhoffnet.bare` says; None for the one that lies near the checkpoint, by its name and alone.
    A .csv file is a KAN of measured tables, as `edgekan.tables` says.
    curves: for the KANalogue authors' checkpoints, a folder of their I-V files; the shipped device cards if None. For
    kanspice's own, which hold their curves, a folder with the points that these were fitted to.
    Nothing in the file is ever executed. Raises InputError if the file, the config or the curves cannot be used.
    """
    given = Path(path)
    source, chosen = checkpoint_in(given) if is_folder(given) else (given, None)
    config_path = None if config is None else Path(config)
    curves_path = None if curves is None else Path(curves)
    text = _of_text(source, config_path, curves_path)
    if text is not None:
        return text
    content, sha256 = read_torch_file(source)
    loaded = _recognised(content, sha256, source, config_path, curves_path)
    return loaded if chosen is None else replace(loaded, notes=(chosen, *loaded.notes))


def loaded_from(network: Network) -> LoadedModel:
    """A network that is in no file, as `load` would give it from kanspice's own checkpoint.

    Raises InputError if a weight is not finite.
    """
    path = Path(f"{type(network).__name__} in memory")
    content = saving.checkpoint_bytes(network, path)
    return _loaded(Reading(network.eval()), path, hashlib.sha256(content).hexdigest(), saving.FORMAT)


def _recognised(content: object, sha256: str, path: Path, config: Path | None, curves: Path | None) -> LoadedModel:
    if saving.recognises(content):
        return _loaded(Reading(_own(content, path, config, curves)), path, sha256, saving.FORMAT)
    if isinstance(content, StandIn):
        found = _of_module(content, sha256, path, config, curves)
        if found is not None:
            return found
    inner, wrapping = unwrapped(content, path)
    loaded = _of_state(plain_state(inner, path), sha256, path, config, curves)
    return loaded if wrapping is None else replace(loaded, notes=(wrapping, *loaded.notes))


def _of_text(path: Path, config: Path | None, curves: Path | None) -> LoadedModel | None:
    """None for a file whose name ends as no such file's."""
    for family in families():
        for files in family.texts:
            if path.suffix.lower() == files.ending:
                if config is not None:
                    problem, found = "this file has no configuration", f"--config {config}"
                    raise InputError(problem, where=path, expected="no --config", found=found)
                _refuse_curves(path, family.network, curves)
                sha256 = hashlib.sha256(read_file(path, "the network")).hexdigest()
                return _loaded(files.read(path), path, sha256, files.format)
    return None


def _of_module(
    module: StandIn, sha256: str, path: Path, config: Path | None, curves: Path | None
) -> LoadedModel | None:
    """None for a module of no family."""
    for family in families():
        for files in family.modules:
            if files.recognises(module):
                _refuse_curves(path, family.network, curves)
                return _loaded(files.read(module, path, config), path, sha256, files.format)
    return None


def _of_state(
    state: dict[str, Tensor], sha256: str, path: Path, config: Path | None, curves: Path | None
) -> LoadedModel:
    for family in families():
        for files in family.states:
            if files.recognises(state):
                used = config or config_near(path, files.config_endings)
                reading = files.read(state, path, used, curves)
                if family.take_points is None:
                    _refuse_curves(path, family.network, curves)
                found = () if used is None or config else (found_by_place(used),)
                return _loaded(replace(reading, notes=(*found, *reading.notes)), path, sha256, files.format)
    raise _unknown_family(state, path)


def _own(content: Mapping[str, Any], path: Path, config: Path | None, curves: Path | None) -> Network:
    _refuse_config(path, config)
    own = saving.load_own(content, path)
    take_points = family_of(own).take_points
    if take_points is None:
        _refuse_curves(path, type(own), curves)
    elif curves is not None:
        take_points(own, curves)
    return own


def _loaded(reading: Reading[Any], path: Path, sha256: str, format_: str) -> LoadedModel:
    model: Network = reading.model
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return LoadedModel(
        model,
        family_of(model).name,
        path,
        sha256,
        format_,
        parameters,
        model.input_width,
        model.output_width,
        task=reading.task,
        notes=(*reading.notes, *model.notes),
        config=reading.config,
    )


def _refuse_config(path: Path, config: Path | None) -> None:
    if config is not None:
        raise InputError(
            "a kanspice checkpoint holds its own configuration",
            where=path,
            expected="no --config",
            found=f"--config {config}",
            hint="leave out --config",
        )


def _refuse_curves(path: Path, network: type[Network], curves: Path | None) -> None:
    if curves is not None:
        raise InputError(
            f"a {network.__name__} has no device curves",
            where=path,
            expected="no --curves",
            found=f"--curves {curves}",
            hint="leave out --curves",
        )


def _unknown_family(state: dict[str, Tensor], path: Path) -> InputError:
    names = ", ".join(list(state)[:4])[:200]
    broken = "".join(f"; {each.plugin} cannot be used: {each.why}" for each in plugged_families().broken)
    return InputError(
        "the model's family is not recognised",
        where=path,
        expected="kanspice's own checkpoint, the KANalogue authors' (net.0.coeffs, net.0.bias, ..., or "
        "of a CNN-KAN model.backbone.0.conv.weight, ...), "
        "the KirchhoffNet authors' (circuit.layer_list.0.model.param, ..., or model.param alone), "
        "the PhyKAN authors' as a module, or as tensors (filter_params.0, edge_mask.0, thresholds.0, ...), "
        "or a KAN of splines or polynomials: pykan (act_fun.0.coef, ...), efficient-kan (layers.0.spline_weight, ...), "
        "inkan (layers.0.grid_starts, ...), "
        "the KANalogue authors' (network.0.spline_weight or network.0.gottlieb_coeffs, ...), "
        "or an nn.Sequential's (0.weight, 0.bias, ...) with a config.json",
        found=f"{len(state)} tensors: {names}",
        hint=f"save the network with kanspice.save{broken}",
    )
