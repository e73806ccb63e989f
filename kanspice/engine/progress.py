"""What an engine tells while it works, and is told of the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kanspice.base.arrays import Array


@dataclass(frozen=True)
class SideRun:
    """Work beside the results themselves, as choosing time steps: its name, and how many samples it takes."""

    name: str
    samples: int


@dataclass(frozen=True)
class Advance:
    """What was done since the last report.

    samples: parts of one count; below 0 where they have to be solved again. simulator_bytes: the most memory that the
    process at work has held so far, or that an engine will take; 0 where that is not known. side_run: what it was done
    for; None for the results. first_s: how much time of the processor a first sample will take, where that is long.
    """

    samples: float
    simulator_bytes: int = 0
    side_run: SideRun | None = None
    first_s: float = 0.0


Progress = Callable[[Advance], None]
"""Called with what was done since its last call; from several threads, where an engine has some."""
Follow = Callable[[Array], Mapping[str, Array]]
"""What the network's stages are for inputs (samples, inputs) in model units."""
