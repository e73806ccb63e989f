"""kanspice's own checkpoints: one torch file of plain tensors and text, complete in itself.

    {"schema": "kanspice.checkpoint/1", "family": "kanalogue", "config": <JSON text>, "state": {name: tensor}}

What the JSON text and the state hold is each family's: see `checkpoint` in its folder.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import torch

from kanspice.base.errors import InputError
from kanspice.base.files import write_bytes
from kanspice.families.common.network import Network
from kanspice.families.common.state import plain_state
from kanspice.families.table import families, family_of

FORMAT = "kanspice"
SCHEMA = "kanspice.checkpoint/1"


def recognises(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a torch file's content says that it is one of these checkpoints, of whatever version."""
    return isinstance(value, Mapping) and "schema" in value


def load_own(content: Mapping[str, Any], path: Path) -> Network:
    """The network of a checkpoint's content read from `path`. Raises InputError if anything in it is unusable."""
    _check_text(content, "schema", [SCHEMA], "use the version of kanspice that wrote it, or a newer one", path)
    readers = {family.name: family.own.network for family in families()}
    _check_text(content, "family", list(readers), "use a newer kanspice, or install the family's package", path)
    text = content.get("config")
    if not isinstance(text, str):
        raise InputError("'config' is not text", where=path, expected="JSON text", found=type(text).__name__)
    network: Network = readers[content["family"]](text, plain_state(content.get("state"), path), path)
    return network


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
    """Write the model, complete in itself; whole or not at all, and with equal bytes for equal models.

    What belongs to an experiment and not to the network (coefficient noise, how an ODE is solved) is not written.
    Raises InputError if a weight is not finite or the file cannot be written.
    """
    target = Path(path)
    write_bytes(target, checkpoint_bytes(model, target))


def checkpoint_bytes(model: Network, place: Path) -> bytes:
    """What `save` writes. place: what an error is said to be about. Raises InputError if a weight is not finite."""
    family = family_of(model)
    state = {name: tensor.detach().clone() for name, tensor in family.own.state_of(model).items()}
    family.own.check_state(model, state, place)
    text = json.dumps(family.own.config_of(model), sort_keys=True, allow_nan=False)
    buffer = io.BytesIO()
    torch.save({"schema": SCHEMA, "family": family.name, "config": text, "state": state}, buffer)
    return buffer.getvalue()
