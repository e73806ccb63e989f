"""What a study found: every draw at every point, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kanspice.experiments.ensemble.draws import DrawResult, PointDraws
from kanspice.experiments.facts import ModelFacts
from kanspice.experiments.study.plan import Request
from kanspice.experiments.study.specimens import NOISE, CheckedDraw
from kanspice.gap import NumericalGap, Variation
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown


@dataclass(frozen=True)
class PointResult(PointDraws):
    """All draws at one point, in order."""

    @property
    def numerical(self) -> float | None:
        """Relative RMSE of the draws' own numerical errors, the largest; None where none was measured."""
        errors = [draw.metrics["numerical_relative_rmse"] for draw in self.draws]
        return max((error for error in errors if error is not None), default=None)

    @property
    def told_apart(self) -> int | None:
        """How many draws' samples are not those of the network's distribution; None where there is none."""
        if NOISE not in self.draws[0].metrics:
            return None
        pairs = [(draw.metrics["energy_distance"], draw.metrics[NOISE]) for draw in self.draws]
        return sum(found is not None and noise is not None and found > noise for found, noise in pairs)


@dataclass(frozen=True, repr=False)
class StudyResult(Shown):
    """One `study`.

    model_notes: how the network was read. reference_accuracy: the network's own, with labels; reference_loss: its
    mean squared error, with targets; reference_error: its numerical error, where it is integrated over time; variation:
    how its outputs vary. timing: how long it took.
    """

    request: Request
    model: ModelFacts
    model_notes: tuple[str, ...]
    versions: Mapping[str, str]
    samples: int
    reference_accuracy: float | None
    reference_error: NumericalGap | None
    variation: Variation
    points: tuple[PointResult, ...]
    checks: tuple[CheckedDraw, ...]
    reference_loss: float | None = None
    timing: Mapping[str, float] = field(default_factory=dict, compare=False)

    def page(self) -> Page:
        from kanspice.experiments.study.page import study_page  # noqa: PLC0415 - which shows this

        return study_page(self)

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
    def of_network(self) -> Mapping[str, float]:
        """What was asked for beside the gap, by metric: what it is of the network itself."""
        found = {"accuracy": self.reference_accuracy, "loss": self.reference_loss}
        return {metric: value for metric, value in found.items() if value is not None}

    @property
    def metric(self) -> str:
        """The gap that the study is about: that of the first limit, or the relative RMSE where there is one."""
        if self.request.limits:
            return self.request.limits[0][0]
        draws = [draw for point in self.points for draw in point.draws]
        known = any(draw.metrics["relative_rmse"] is not None for draw in draws)
        return "relative_rmse" if known else "rmse"

    @property
    def largest(self) -> float | None:
        """The limit of that metric."""
        return self.request.limits[0][1] if self.request.limits else None

    @property
    def worst(self) -> tuple[PointResult, DrawResult]:
        """The draw with most failed samples, and of those the one with the largest gap."""
        metric = self.metric
        pairs = [(point, draw) for point in self.points for draw in point.draws]
        return max(pairs, key=lambda pair: (pair[1].failed_samples, pair[1].metrics[metric] or 0.0))

    @property
    def engines_disagree(self) -> bool:
        """True when another engine was asked and says something else."""
        return any(check.found.disagrees for check in self.checks)

    @property
    def is_unchecked(self) -> bool:
        """True when another engine was asked and could not try every sample."""
        return any(check.found.not_checked for check in self.checks)

    @property
    def undecided(self) -> tuple[PointResult, ...]:
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
    def short(self) -> tuple[PointResult, ...]:
        """The points whose yield is below what is wanted, whatever is true of draws that are not resolved."""
        wanted = self.request.wanted_yield
        return tuple(point for point in self.points if wanted is not None and point.yield_.at_most < wanted)

    @property
    def exit_code(self) -> int:
        """0 measured and every yield as wanted, 1 a yield too low, 3 not measured."""
        if not self.is_measured:
            return 3
        return 1 if self.short else 0
