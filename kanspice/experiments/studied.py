"""What a study of samples came to, whatever was measured of its draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kanspice.experiments.ensemble.draws import DrawResult, PointDraws
from kanspice.experiments.ensemble.requests import SampleRequest
from kanspice.experiments.facts import ModelFacts
from kanspice.gap.metric_table import Metric
from kanspice.report.frames import Columns


class Studied(ABC):
    """What a study of samples came to, whatever was measured of its draws; the base of frozen dataclasses.

    known: every metric by its name. solved: what happens to a sample that has a result. quantities: what draws have.
    model_notes: how the network was read.
    """

    known: ClassVar[Mapping[str, Metric[Any]]]
    solved: ClassVar[str] = "solved"
    quantities: ClassVar[str] = "gaps"
    request: SampleRequest
    points: tuple[PointDraws, ...]
    samples: int
    model: ModelFacts
    model_notes: tuple[str, ...]
    versions: Mapping[str, str]

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

    @property
    def everything(self) -> tuple[PointDraws, ...]:
        """All that was measured: what failed there is said."""
        return self.points

    @property
    def judged(self) -> tuple[PointDraws, ...]:
        """The points that yields are wanted of."""
        return self.points

    def name_of(self, point: PointDraws) -> str:
        """A point's name for readers."""
        return point.point.named(self.request.sweeps)

    def columns(self) -> Columns:
        """A row for each draw: its point, what was swept there, its seed, and every metric."""
        return self._columns_of(self.points)

    def _columns_of(self, points: Sequence[PointDraws]) -> Columns:
        """The same of some points."""
        drawn = [(found.point, draw, found.is_good(draw)) for found in points for draw in found.draws]
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

    def bound(self, metric: str) -> float | None:
        """The limit on a metric: what it may be at most, or has to be at least; None without."""
        return dict(self.request.limits).get(metric)

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
            return tuple(point for point in self.judged if point.unresolved)
        return tuple(point for point in self.judged if point.yield_.fraction < wanted <= point.yield_.at_most)

    @property
    def unresolved_fraction(self) -> float:
        """Of all draws at all points, that cannot be told from numerical error."""
        draws = sum(len(point.draws) for point in self.everything)
        return sum(len(point.unresolved) for point in self.everything) / draws

    @property
    def is_measured(self) -> bool:
        """Whether the numbers answer what was asked: without a wanted yield, a failed sample is no answer."""
        complete = self.request.wanted_yield is not None or not any(point.incomplete for point in self.judged)
        checked = not self.engines_disagree and not (self.is_unchecked and self.request.cross_check_needed)
        return complete and checked and not self.undecided and all(point.is_measured for point in self.judged)

    @property
    def short(self) -> tuple[PointDraws, ...]:
        """The points whose yield is below what is wanted, whatever is true of draws that are not resolved."""
        wanted = self.request.wanted_yield
        return tuple(point for point in self.judged if wanted is not None and point.yield_.at_most < wanted)

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
