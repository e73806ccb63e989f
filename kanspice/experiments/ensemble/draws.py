"""What was measured of each draw at a point, as figures by name, and what those of the point come to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from kanspice.engine.solution import Outcome
from kanspice.experiments.ensemble.statistics import Summary, Yield
from kanspice.experiments.ensemble.variations import Point
from kanspice.gap.judging import judged
from kanspice.gap.limits import LimitPair

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


def finite_or_none(value: float | None) -> float | None:
    """A figure as draws have it."""
    return None if value is None or not math.isfinite(value) else float(value)


@dataclass(frozen=True)
class PointDraws:
    """All draws at one point, in order. is_random: False where all of them would be the same, so that there is one."""

    point: Point
    is_random: bool
    draws: tuple[DrawResult, ...]
    limits: tuple[LimitPair, ...]

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
        kept = all(limit.passed for limit in judged(self.limits, draw.metrics))
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
