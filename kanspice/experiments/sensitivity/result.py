"""What a sensitivity analysis found: predicted and drawn spreads, the parts behind them, the worst specimen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kanspice.base.arrays import Array
from kanspice.experiments.facts import InputsFacts, ModelFacts
from kanspice.gap.cross_check import CrossCheck
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown


@dataclass(frozen=True)
class Spread:
    """How a figure is distributed over specimens. low, high: what 5 % and 95 % of them are below."""

    mean: float
    std: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Array) -> Spread:
        """Of what specimens have; NaN where none has anything."""
        if values.size == 0:
            return cls(*[float("nan")] * 4)
        low, high = np.quantile(values, (0.05, 0.95)).tolist()
        return cls(float(values.mean()), float(values.std(ddof=1)) if np.ptp(values) > 0 else 0.0, low, high)


@dataclass(frozen=True)
class Prediction:
    """By derivatives, without a draw. method: "columns" where all derivatives are known column by column, "probes"
    where random backward passes stand for them.

    nominal: the gap of the circuit whose random numbers are all 0. gap: relative RMSE over specimens. spread_rmse: of
    outputs around that circuit's, model units. accuracy: None without labels. seconds: of processor, without accuracy.
    """

    method: str
    nominal: float
    gap: Spread
    spread_rmse: float
    accuracy: Spread | None
    seconds: float


@dataclass(frozen=True)
class Drawn:
    """The same of specimens that were drawn and solved. gap, accuracy: of those whose samples all have a result.

    std_error: of the standard deviation of the gap; std_low, std_high: its 90 % interval; NaN of one draw. largest:
    gap. failed: specimens with samples without a result.
    """

    draws: int
    failed: int
    gap: Spread
    std_error: float
    std_low: float
    std_high: float
    largest: float
    spread_rmse: float
    accuracy: Spread | None
    seconds: float


@dataclass(frozen=True)
class PartShare:
    """An array of random numbers. share: of the mean squared error that all of them make, to first order.

    alone: the relative RMSE that they make by themselves. largest: what the number that does most makes by itself, and
    place: which it is.
    """

    name: str
    numbers: int
    share: float
    alone: float
    largest: float
    place: tuple[int, ...]


@dataclass(frozen=True)
class KeyEffect:
    """A number of the technology. effect: by how many percent the gap changes for 1 % more of it.

    std_error: of that, over specimens.
    """

    name: str
    value: float
    effect: float
    std_error: float


@dataclass(frozen=True)
class WorstSpecimen:
    """The worst that a search found, with all random numbers within `sigmas` of 0.

    path: its file, "" where none was wanted; sha256: of that. gap: relative RMSE. steps: backward passes. blocked:
    samples that have no result in specimens farther along, where the search had to turn back.
    """

    sigmas: float
    gap: float
    accuracy: float | None
    path: str
    sha256: str
    steps: int
    blocked: int
    seconds: float
    cross_check: CrossCheck | None = None


@dataclass(frozen=True)
class Rare:
    """How many of all specimens are beyond a limit, by importance sampling.

    probability, standard_error: of a specimen beyond it, or with samples without a result. draws: how many were solved;
    beyond: how many of them; effective: so many draws of equal weight would know as much. plain: of the specimens that
    were drawn as they come.
    """

    metric: str
    limit: float
    probability: float
    standard_error: float
    draws: int
    beyond: int
    effective: float
    plain: int
    plain_draws: int
    seconds: float


@dataclass(frozen=True)
class HeatMap:
    """Of a crossbar's devices of one kind of random number: relative RMSE that each makes by itself, (rows, outputs).

    Devices at the same crosspoint are added up.
    """

    name: str
    relative_rmse: Array


@dataclass(frozen=True, repr=False)
class Sensitivity(Shown):
    """One analysis. parts: that with the largest share first; keys: that with the largest effect first.

    fixed: what differs between drawn specimens besides, and has no gradient: the prediction, and the worst specimen,
    have that of the seed. sized_for: samples that circuits are sized for, where they were given apart.
    """

    model: ModelFacts
    inputs: InputsFacts
    samples: int
    seed: int
    technology: Mapping[str, object]
    prediction: Prediction
    drawn: Drawn | None
    parts: tuple[PartShare, ...]
    keys: tuple[KeyEffect, ...]
    worst: WorstSpecimen | None
    rare: tuple[Rare, ...]
    fixed: tuple[str, ...]
    notes: tuple[str, ...]
    versions: Mapping[str, str]
    heat: tuple[HeatMap, ...] = field(default=(), repr=False)
    sized_for: InputsFacts | None = None
    command: str | None = None

    @property
    def exit_code(self) -> int:
        """3 where another engine says something else of the worst specimen, 0 else."""
        check = None if self.worst is None else self.worst.cross_check
        return 0 if check is None or check.passed else 3

    def page(self) -> Page:
        from kanspice.experiments.sensitivity.page import sensitivity_page  # noqa: PLC0415 - which shows this

        return sensitivity_page(self)

    def columns(self) -> Columns:
        """A row for each array of random numbers."""
        return {
            "name": [part.name for part in self.parts],
            "numbers": [part.numbers for part in self.parts],
            "share": [part.share for part in self.parts],
            "relative_rmse": [part.alone for part in self.parts],
        }
