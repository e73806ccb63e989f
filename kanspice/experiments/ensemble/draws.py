"""What was measured of each draw at a point, as figures by name, and what all of them come to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from kanspice.engine.solution import Outcome
from kanspice.experiments.ensemble.requests import SampleRequest
from kanspice.experiments.ensemble.statistics import Summary, Yield
from kanspice.experiments.ensemble.variations import Point
from kanspice.gap.metric_table import Metric
from kanspice.report.frames import Columns

_OF_THE_CIRCUIT = {
    outcome.value
    for outcome in (
        Outcome.MULTISTABLE,
        Outcome.UNSTABLE,
        Outcome.BEYOND_RAIL,
        Outcome.UNSETTLED,
        Outcome.OSCILLATES,
    )
}
"""Outcomes that say something about the circuit, not about the simulation."""


@dataclass(frozen=True)
class DrawResult:
    """What was measured of one draw.

    metrics: by name, over the samples that were solved; None where there is no figure. failed: samples without a
    result, by outcome. unresolved: why the figures cannot be told from numerical error, if so.
    """

    point: int
    trial: int
    seed: int
    samples: int
    metrics: Mapping[str, float | None]
    failed: Mapping[str, int]
    unresolved: tuple[str, ...]

    @property
    def failed_samples(self) -> int:
        """How many samples have no result."""
        return sum(self.failed.values())


@dataclass(frozen=True)
class PointDraws:
    """All draws at one point, in order. is_random: False where all of them would be the same, so that there is one."""

    point: Point
    is_random: bool
    draws: tuple[DrawResult, ...]
    limits: tuple[tuple[str, float], ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """What every draw has, by name."""
        return tuple(self.draws[0].metrics)

    @property
    def good(self) -> tuple[bool, ...]:
        """Of every draw, whether it is."""
        return tuple(map(self.is_good, self.draws))

    def is_good(self, draw: DrawResult) -> bool:
        """Every sample has a result, every limit is kept, and that is more than numerical error."""
        values = [(draw.metrics[metric], largest) for metric, largest in self.limits]
        kept = all(value is not None and value <= largest for value, largest in values)
        return kept and not draw.failed and not draw.unresolved

    @cached_property
    def yield_(self) -> Yield:
        """Good draws, and those of which it is not known whether they are."""
        good, doubtful = sum(self.good), sum(not draw.failed for draw in self.unresolved)
        return Yield.of(good, len(self.draws), doubtful, random=self.is_random)

    def summary(self, metric: str) -> Summary | None:
        """Of a metric over the draws; of draws with failed samples, over the samples that were solved.

        None where no draw has a figure.
        """
        return Summary.of([draw.metrics.get(metric) for draw in self.draws])

    @property
    def summaries(self) -> dict[str, Summary | None]:
        """Of every metric."""
        return {metric: self.summary(metric) for metric in self.metrics}

    @property
    def incomplete(self) -> tuple[DrawResult, ...]:
        """Draws with failed samples."""
        return tuple(draw for draw in self.draws if draw.failed)

    @cached_property
    def unresolved(self) -> tuple[DrawResult, ...]:
        """Draws whose figures cannot be told from numerical error."""
        return tuple(draw for draw in self.draws if draw.unresolved)

    @property
    def is_measured(self) -> bool:
        """False where a sample failed for want of simulation, or a limit's metric has no figure."""
        outcomes = {outcome for draw in self.draws for outcome in draw.failed}
        complete = [draw for draw in self.draws if not draw.failed and not draw.unresolved]
        known = all(draw.metrics[metric] is not None for draw in complete for metric, _ in self.limits)
        return outcomes <= _OF_THE_CIRCUIT and known


class Studied(ABC):
    """What a study of samples came to, whatever was measured of its draws; the base of frozen dataclasses.

    known: every metric by its name. solved: what happens to a sample that has a result. quantities: what draws have.
    """

    known: ClassVar[Mapping[str, Metric[Any]]]
    solved: ClassVar[str] = "solved"
    quantities: ClassVar[str] = "gaps"
    request: SampleRequest
    points: tuple[PointDraws, ...]
    samples: int

    @property
    @abstractmethod
    def metric(self) -> str:
        """What the study is about."""

    @property
    @abstractmethod
    def beside(self) -> list[str]:
        """The metrics that are shown beside it."""

    @property
    def drawn_beside(self) -> list[str]:
        """The metrics that are drawn along a sweep beside it."""
        return self.beside

    @property
    def of_network(self) -> Mapping[str, float]:
        """What metrics are of the network itself, where they are."""
        return {}

    @property
    def engines_disagree(self) -> bool:
        """True when another engine was asked and says something else."""
        return False

    @property
    def is_unchecked(self) -> bool:
        """True when another engine was asked and could not try every sample."""
        return False

    def columns(self) -> Columns:
        """A row for each draw: its point, what was swept there, its seed, and every metric."""
        drawn = [(found.point, draw, found.is_good(draw)) for found in self.points for draw in found.draws]
        keys = [sweep.key for sweep in self.request.sweeps]
        metrics = {name: None for _, draw, _ in drawn for name in draw.metrics}
        return {
            "point": [point.index for point, _, _ in drawn],
            "corner": [point.corner for point, _, _ in drawn],
            **{key: [point.values[place] for point, _, _ in drawn] for place, key in enumerate(keys)},
            "trial": [draw.trial for _, draw, _ in drawn],
            "seed": [draw.seed for _, draw, _ in drawn],
            "good": [good for _, _, good in drawn],
            "failed_samples": [draw.failed_samples for _, draw, _ in drawn],
            **{name: [draw.metrics.get(name) for _, draw, _ in drawn] for name in metrics},
        }

    @property
    def largest(self) -> float | None:
        """The limit of that metric."""
        return self.request.limits[0][1] if self.request.limits else None

    @property
    def worst(self) -> tuple[PointDraws, DrawResult]:
        """The draw with most failed samples, and of those the one with the largest gap."""
        metric = self.metric
        pairs = [(point, draw) for point in self.points for draw in point.draws]
        return max(pairs, key=lambda pair: (pair[1].failed_samples, pair[1].metrics[metric] or 0.0))

    @property
    def undecided(self) -> tuple[PointDraws, ...]:
        """The points whose verdict rests on draws that are not resolved: with them the yield would do, without not.

        Without a wanted yield the draws themselves are the answer, and one that is not resolved is none.
        """
        wanted = self.request.wanted_yield
        if wanted is None:
            return tuple(point for point in self.points if point.unresolved)
        return tuple(point for point in self.points if point.yield_.fraction < wanted <= point.yield_.at_most)

    @property
    def unresolved_fraction(self) -> float:
        """Of all draws at all points, that cannot be told from numerical error."""
        return sum(len(point.unresolved) for point in self.points) / sum(len(point.draws) for point in self.points)

    @property
    def is_measured(self) -> bool:
        """Whether the numbers answer what was asked: without a wanted yield, a failed sample is no answer."""
        complete = self.request.wanted_yield is not None or not any(point.incomplete for point in self.points)
        checked = not self.engines_disagree and not (self.is_unchecked and self.request.cross_check_needed)
        return complete and checked and not self.undecided and all(point.is_measured for point in self.points)

    @property
    def short(self) -> tuple[PointDraws, ...]:
        """The points whose yield is below what is wanted, whatever is true of draws that are not resolved."""
        wanted = self.request.wanted_yield
        return tuple(point for point in self.points if wanted is not None and point.yield_.at_most < wanted)

    @property
    def exit_code(self) -> int:
        """0 measured and every yield as wanted, 1 a yield too low, 3 not measured."""
        if not self.is_measured:
            return 3
        return 1 if self.short else 0

    @property
    def passed(self) -> bool:
        """Measured, and every yield as wanted."""
        return self.exit_code == 0
