"""What a network family is to everyone else: one record, whose fields are what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from kanspice.circuit import Design
from kanspice.circuit.compile import Sizing
from kanspice.families.common.formats import AuthorsModules, AuthorsStates, OwnFiles, TextFiles
from kanspice.families.common.network import Network
from kanspice.technology import Technology

N = TypeVar("N", bound=Network)


@dataclass(frozen=True)
class Family(Generic[N]):
    """A kind of network: what it is in torch, in files, and as a circuit."""

    name: str
    """As checkpoints and reports have it."""
    network: type[N]
    own: OwnFiles[N]
    modules: tuple[AuthorsModules[N], ...]
    states: tuple[AuthorsStates[N], ...]
    technology: Callable[[N, Technology], Technology]
    """What of a general technology its circuit can have. Raises InputError for another that has more."""
    circuit: Callable[[N, Technology, Sizing | None], Design]
    """The nominal circuit. Raises InputError for what it cannot have."""
    sized_by_stages: bool = False
    """Whether its circuit is sized for what the network makes of samples."""
    take_points: Callable[[N, Path], None] | None = None
    """Gives a network's devices the points, in a folder, that their curves were fitted to; None without curves."""
    texts: tuple[TextFiles[N], ...] = ()
    """Files of other kinds than torch's that hold such a network."""


AnyFamily = Family[Any]
