"""kanspice's own checkpoints: one torch file of plain tensors and text, complete in itself.

    {"schema": "kanspice.checkpoint/1", "family": "kanalogue", "config": <JSON text>, "state": {name: tensor}}

What the JSON text and the state hold is each family's: see `kanalogue_own`, `kirchhoffnet_own` and `phykan_own`.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import torch
from torch import Tensor

from kanspice.errors import InputError
from kanspice.models import kanalogue_own, kirchhoffnet_own, phykan_own
from kanspice.models.kanalogue import KANalogue
from kanspice.models.kirchhoffnet import KirchhoffNet
from kanspice.models.network import Family, Network
from kanspice.models.state import plain_state

FORMAT = "kanspice"
SCHEMA = "kanspice.checkpoint/1"
_READERS: dict[str, Callable[[str, dict[str, Tensor], Path], Network]] = {
    kanalogue_own.FAMILY: kanalogue_own.network,
    kirchhoffnet_own.FAMILY: kirchhoffnet_own.network,
    phykan_own.FAMILY: phykan_own.network,
}


def recognises(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a torch file's content says that it is one of these checkpoints, of whatever version."""
    return isinstance(value, Mapping) and "schema" in value


def load_own(content: Mapping[str, Any], path: Path) -> Network:
    """The network of a checkpoint's content read from `path`. Raises InputError if anything in it is unusable."""
    _check_text(content, "schema", [SCHEMA], "use the version of kanspice that wrote it, or a newer one", path)
    _check_text(content, "family", list(_READERS), "use a newer version of kanspice", path)
    text = content.get("config")
    if not isinstance(text, str):
        raise InputError("'config' is not text", where=path, expected="JSON text", found=type(text).__name__)
    return _READERS[content["family"]](text, plain_state(content.get("state"), path), path)


def _check_text(content: Mapping[str, Any], key: str, known: Sequence[str], hint: str, path: Path) -> None:
    found = content.get(key)
    if not isinstance(found, str) or found not in known:
        raise InputError(
            f"the checkpoint's {key} is not one that this version of kanspice reads",
            where=path,
            expected=" or ".join(repr(value) for value in known),
            found=repr(found)[:80],
            hint=hint,
        )


def save(model: Network, path: str | os.PathLike[str]) -> None:
    """Write the model, complete in itself; atomically, and with equal bytes for equal models.

    What belongs to an experiment and not to the network (coefficient noise, how an ODE is solved) is not written.
    Raises InputError if a weight is not finite or the file cannot be written.
    """
    target = Path(path)
    state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    text = json.dumps(_described(model, state, target), sort_keys=True, allow_nan=False)
    buffer = io.BytesIO()
    torch.save({"schema": SCHEMA, "family": family_of(model), "config": text, "state": state}, buffer)
    _write_atomically(buffer.getvalue(), target)


def family_of(model: Network) -> Family:
    """The family by the name that checkpoints and reports have for it."""
    if isinstance(model, KANalogue):
        return kanalogue_own.FAMILY
    return kirchhoffnet_own.FAMILY if isinstance(model, KirchhoffNet) else phykan_own.FAMILY


def _described(model: Network, state: dict[str, Tensor], target: Path) -> dict[str, object]:
    """The model's JSON object, once its state has been found worth keeping."""
    if isinstance(model, KANalogue):
        kanalogue_own.check_state(model, state, target)
        return kanalogue_own.config_of(model)
    if isinstance(model, KirchhoffNet):
        kirchhoffnet_own.check_state(model, state, target)
        return kirchhoffnet_own.config_of(model)
    phykan_own.check_state(model, state, target)
    return phykan_own.config_of(model)


def _write_atomically(content: bytes, target: Path) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(
            "the checkpoint cannot be written",
            where=target,
            expected="a file in an existing folder",
            found=error.strerror or str(error),
            hint="check the folder and its permissions",
        ) from error
