"""The cost of a stage, and of a whole inference, as far as it is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from kanspice.base.arrays import Array
from kanspice.gap.costs.digital import DigitalCost


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
    of the stages' figures, which are those of macro-models. parts_j: what the energy is the sum of, mean over the
    samples; where it is not known, what of it is. digital: what a digital circuit takes for the same network.
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
    parts_j: Mapping[str, float] = field(default_factory=dict)
    digital: DigitalCost | None = None

    @property
    def parts_w(self) -> dict[str, float]:
        """What the stages take, part by part, mean over the samples."""
        return parts_of(self.stages)

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


def of_powers(
    name: str,
    parts: Mapping[str, Array],
    *,
    devices: int = 0,
    amplifiers: int = 0,
    areas: Areas | None = None,
    lasts_s: float = 0.0,
    assumptions: tuple[str, ...] = (),
) -> MeasuredCost:
    """Of a stage that takes these powers, part by part, (solved samples,) watts each.

    lasts_s: for how long it takes them in an inference; 0: not known.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        power_w = np.sum(list(parts.values()), axis=0)
        energy_j = power_w * lasts_s if lasts_s > 0 else None
    cost = StageCost(
        name=name,
        devices=devices,
        amplifiers=amplifiers,
        areas=areas,
        power_w=mean_of(power_w),
        largest_power_w=largest_of(power_w),
        parts_w={part: mean_w for part, values in parts.items() if (mean_w := mean_of(values)) is not None},
        energy_j=mean_of(energy_j),
    )
    return MeasuredCost(cost, len(power_w), lasts_s > 0, assumptions, power_w=power_w, energy_j=energy_j)


def quiescent_said(quiescent_a: float) -> str:
    """What amplifiers are taken to draw when they give nothing."""
    said = f"{quiescent_a:g} A each besides (supply.quiescent_a)"
    return said if quiescent_a > 0 else f"{said}: only the power of signals is counted"


def parts_of(stages: Iterable[StageCost]) -> dict[str, float]:
    """What stages take together, part by part, watts."""
    found: dict[str, float] = {}
    for stage in stages:
        for name, power_w in stage.parts_w.items():
            found[name] = found.get(name, 0.0) + power_w
    return found


def mean_of(values: Array | None) -> float | None:
    """None where there are no values, or where they are no numbers."""
    return None if values is None or not values.size or not math.isfinite(values.mean()) else float(values.mean())


def largest_of(values: Array | None) -> float | None:
    """None where there are no values, or where they are no numbers."""
    return None if values is None or not values.size or not math.isfinite(values.max()) else float(values.max())
