"""What a study found: every draw at every point, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from kanspice.experiments.ensemble.draws import PointDraws
from kanspice.experiments.facts import ModelFacts
from kanspice.experiments.studied import Studied
from kanspice.experiments.study.plan import StudyRequest
from kanspice.experiments.study.specimens import NOISE, CheckedDraw
from kanspice.gap import NumericalGap, Variation
from kanspice.gap.metric_table import BY_NAME, Metric, has_minimum
from kanspice.report.blocks import Page
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
class StudyResult(Studied, Shown):
    """One `study`.

    model_notes: how the network was read. reference_accuracy: the network's own, with labels; reference_loss: its
    mean squared error, with targets; reference_error: its numerical error, where it is integrated over time; variation:
    how its outputs vary. timing: how long it took.
    """

    request: StudyRequest
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
    known: ClassVar[Mapping[str, Metric[Any]]] = BY_NAME

    @property
    def everything(self) -> tuple[PointResult, ...]:
        return self.points

    def page(self) -> Page:
        from kanspice.experiments.study.page import study_page  # noqa: PLC0415 - which shows this

        return study_page(self)

    @property
    def of_network(self) -> Mapping[str, float]:
        """What was asked for beside the gap, by metric: what it is of the network itself."""
        found = {"accuracy": self.reference_accuracy, "loss": self.reference_loss}
        return {metric: value for metric, value in found.items() if value is not None}

    @property
    def beside(self) -> list[str]:
        """What is shown beside the gap that it is about."""
        return [metric for metric in self.of_network if metric != self.metric]

    @property
    def drawn_beside(self) -> list[str]:
        """The same, or how far a network that generates is from its distribution."""
        return self.beside or (["energy_distance"] if self.points[0].told_apart is not None else [])

    @property
    def metric(self) -> str:
        """The gap that the study is about: that of the first maximum, or the relative RMSE where there is one."""
        gaps = [metric for metric, _ in self.request.limits if not has_minimum(metric)]
        if gaps:
            return gaps[0]
        draws = [draw for point in self.points for draw in point.draws]
        known = any(draw.metrics["relative_rmse"] is not None for draw in draws)
        return "relative_rmse" if known else "rmse"

    @property
    def engines_disagree(self) -> bool:
        """True when another engine was asked and says something else."""
        return any(check.found.disagrees for check in self.checks)

    @property
    def checks_passed(self) -> bool | None:
        """Whether another engine says the same of every draw that it was asked about; None where that is not known."""
        return None if self.is_unchecked or not self.checks else not self.engines_disagree

    @property
    def why_unchecked(self) -> str | None:
        """Why no draw was checked, where some should have been."""
        return self.request.no_cross_check or None

    @property
    def is_unchecked(self) -> bool:
        """True when another engine was asked and could not try every sample."""
        return any(check.found.not_checked for check in self.checks)
