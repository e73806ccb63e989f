"""The formats of checkpoints as records: kanspice's own of a family, and those that its authors' programs write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from torch import Tensor

from kanspice.families.common.network import Network
from kanspice.families.common.stand_ins import StandIn

N = TypeVar("N", bound=Network)


def _parameters(model: Network) -> dict[str, Tensor]:
    return {**model.state_dict()}


@dataclass(frozen=True)
class OwnFiles(Generic[N]):
    """What kanspice's own checkpoint holds of a network.

    config_of: the JSON object. check_state: raises InputError if weights are not worth keeping. network: of the JSON
    text and the state; raises InputError if anything in them is unusable. state_of: its tensors by name.
    """

    config_of: Callable[[N], dict[str, object]]
    check_state: Callable[[N, dict[str, Tensor], Path], None]
    network: Callable[[str, dict[str, Tensor], Path], N]
    state_of: Callable[[N], dict[str, Tensor]] = _parameters


@dataclass(frozen=True)
class Reading(Generic[N]):
    """A network of somebody else's file. task, notes, config: as in `LoadedModel`."""

    model: N
    notes: tuple[str, ...] = ()
    task: str = ""
    config: Path | None = None


@dataclass(frozen=True)
class TextFiles(Generic[N]):
    """Files that are text, told by how their names end, which hold a whole network."""

    format: str
    ending: str
    read: Callable[[Path], Reading[N]]
    """Of the file. Raises InputError for one that cannot be used."""


@dataclass(frozen=True)
class AuthorsModules(Generic[N]):
    """Whole modules as a family's authors save them. recognises: by a stand-in's class, before anything is read."""

    format: str
    recognises: Callable[[StandIn], bool]
    read: Callable[[StandIn, Path, Path | None], Reading[N]]
    """Of the module, the file, and its configuration if one was given."""


@dataclass(frozen=True)
class AuthorsStates(Generic[N]):
    """State dicts as a family's authors save them. recognises: by the tensors' names."""

    format: str
    recognises: Callable[[Iterable[str]], bool]
    read: Callable[[Mapping[str, Tensor], Path, Path | None, Path | None], Reading[N]]
    """Of the tensors, the file, its configuration if there is one, and the folder of its devices' curves if given."""
    config_endings: tuple[str, ...]
    """Of the names of configurations, one of which may lie beside the file."""
