"""The cost of a stage, and of a whole inference, as far as it is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from kanspice.base.arrays import Array

UNPUBLISHED = ("the power of amplifiers, detectors and oscillators is not known: none is published",)
"""What is said of stages whose power is not known."""


@dataclass(frozen=True)
class Areas:
    """Of a crossbar's devices that exist, in units of the reference device."""

    total: float
    largest: float
    smallest: float


@dataclass(frozen=True)
class StageCost:
    """One crossbar with the drivers of its rows, one period of a KirchhoffNet, or one bank of connections.

    devices: of a crossbar, or branches, or connections. amplifiers: of columns, subtractors and row drivers.
    power_w, largest_power_w: mean over the samples, and of the sample that takes most; None where not measured.
    parts_w: what the mean is the sum of. energy_j, charge_c: per inference, mean over the samples; None likewise.
    """

    name: str
    devices: int
    amplifiers: int
    areas: Areas | None
    power_w: float | None = None
    largest_power_w: float | None = None
    parts_w: Mapping[str, float] = field(default_factory=dict)
    energy_j: float | None = None
    charge_c: float | None = None


@dataclass(frozen=True)
class PhysicalCost:
    """Of a whole inference. What is None is not known, and the last of `assumptions` says why.

    samples: how many it was measured on. latency_s: from the inputs to the outputs. power_w, largest_power_w,
    energy_j, charge_c: as of a stage, all together. modelled_w: where the power was measured at the supplies, the sum
    of the stages' figures, which are those of macro-models.
    """

    samples: int
    latency_s: float | None
    power_w: float | None
    largest_power_w: float | None
    energy_j: float | None
    charge_c: float | None
    stages: tuple[StageCost, ...]
    assumptions: tuple[str, ...]
    modelled_w: float | None = None

    @property
    def devices(self) -> int:
        """Devices of all crossbars, branches of all periods, connections of all banks."""
        return sum(stage.devices for stage in self.stages)

    @property
    def amplifiers(self) -> int:
        """Of all stages."""
        return sum(stage.amplifiers for stage in self.stages)


@dataclass(frozen=True)
class MeasuredCost:
    """What one stage costs, and what of it goes into the cost of the whole inference.

    samples: how many it was measured on. power_w, energy_j, charge_c: (samples,); None where not known.
    lasts: whether the stage was seen over time. assumptions: what its figures rest on.
    """

    cost: StageCost
    samples: int
    lasts: bool
    assumptions: tuple[str, ...]
    power_w: Array | None = None
    energy_j: Array | None = None
    charge_c: Array | None = None


def mean_of(values: Array | None) -> float | None:
    """None where there are no values, or where they are no numbers."""
    return None if values is None or not values.size or not math.isfinite(values.mean()) else float(values.mean())


def largest_of(values: Array | None) -> float | None:
    """None where there are no values, or where they are no numbers."""
    return None if values is None or not values.size or not math.isfinite(values.max()) else float(values.max())
