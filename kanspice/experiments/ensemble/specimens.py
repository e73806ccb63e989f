"""One specimen, measured by itself: the same numbers whoever does it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from kanspice.base.threads import one_thread

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Specimen(NamedTuple):
    """Which: every point has the same seeds."""

    point: int
    trial: int
    seed: int

    @property
    def place(self) -> tuple[int, int]:
        """Point, trial."""
        return self.point, self.trial


class Setup(Protocol):
    """What specimens of one point's circuit are measured with. It can be pickled, and goes to every worker once."""

    def measure(self, trial: int, seed: int) -> DataclassInstance:
        """What is found of the specimen, whatever was measured before."""


Setups = Mapping[int, Setup]
"""By point."""


@dataclass(frozen=True)
class Done:
    """What was found of a specimen, and how long that took."""

    specimen: Specimen
    record: DataclassInstance
    seconds: float


def measured(setup: Setup, specimen: Specimen) -> Done:
    """The same numbers whoever measures it: linear algebra runs in one thread."""
    started = time.monotonic()
    with one_thread():
        record = setup.measure(specimen.trial, specimen.seed)
    return Done(specimen, record, time.monotonic() - started)
