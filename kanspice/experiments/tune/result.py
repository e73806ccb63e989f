"""What tuning came to: the tuned network beside those of other trainings, on specimens and samples that none saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from kanspice.experiments.ensemble.draws import DrawResult, PointDraws
from kanspice.experiments.ensemble.statistics import Summary, Yield
from kanspice.experiments.facts import InputsFacts, ModelFacts
from kanspice.experiments.study.specimens import CheckedDraw
from kanspice.experiments.tune.samples import Aim
from kanspice.nn.training import Schedule, TrainingCourse
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown

if TYPE_CHECKING:
    from kanspice.families.common.network import Network

LOST = (0.01, 0.02)
"""Of the accuracy of the network as it was given: what specimens may lose that count for a yield."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class ArmKind:
    """How a network was trained. sigma: the relative noise on its weights, if it was with noise."""

    name: Literal["given", "plain", "noise", "circuit"]
    sigma: float = 0.0


@dataclass(frozen=True)
class Arm:
    """A network, and the specimens of its circuit.

    itself: what the network scores without a circuit. points: draws by corner. course: None where nothing was trained.
    scale: what errors are divided by, of a regression; None of a classification.
    """

    kind: ArmKind
    itself: float | None
    points: tuple[PointDraws, ...]
    course: TrainingCourse | None
    scale: float | None = None

    @property
    def draws(self) -> list[DrawResult]:
        """At all corners."""
        return [draw for point in self.points for draw in point.draws]

    def score_of(self, draw: DrawResult) -> float | None:
        """Its accuracy, in which a sample without a result is wrong; or root mean squared error of those that have one,
        in standard deviations of the targets."""
        if self.scale is None:
            return draw.metrics["accuracy"]
        loss = draw.metrics["loss"]
        return None if loss is None else float(np.sqrt(loss)) / self.scale

    @cached_property
    def scores(self) -> list[float]:
        """Of all draws that have one."""
        found = map(self.score_of, self.draws)
        return [score for score in found if score is not None]

    @property
    def summary(self) -> Summary | None:
        """Of those; None where there are none."""
        return Summary.of(self.scores)

    @property
    def failed_samples(self) -> float:
        """A draw, in the mean."""
        return float(np.mean([draw.failed_samples for draw in self.draws]))

    @property
    def unresolved(self) -> int:
        """Draws that cannot be told from numerical error."""
        return sum(bool(draw.unresolved) for draw in self.draws)

    def yield_(self, least: float) -> Yield:
        """Draws with an accuracy of at least so much."""
        good = sum(score >= least - _ROUNDING for score in self.scores)
        return Yield.of(good, len(self.draws), random=any(point.is_random for point in self.points))


@dataclass(frozen=True, repr=False)
class TuningResult(Shown):
    """One `tune`.

    model: the network as it was given. inputs: the samples that are measured; samples: how many; places: which of those
    that were given, None where they are in a file of their own; repeated: how many of them training had, too.
    sized_for: the samples that all circuits are sized for, sizing_samples: how many; None and 0 where none is sized for
    samples. seeds: of the specimens, the same at every corner and of every network. arms: the network as it was given
    first, the tuned one last. network: that one. again: the command that measures its first specimen by itself.
    """

    model: ModelFacts
    model_notes: tuple[str, ...]
    inputs: InputsFacts
    aim: Aim
    training_samples: int
    held_out_samples: int
    samples: int
    places: tuple[int, ...] | None
    repeated: int
    schedule: Schedule
    seeds: tuple[int, ...]
    arms: tuple[Arm, ...]
    checks: tuple[CheckedDraw, ...]
    why_unchecked: str
    versions: Mapping[str, str]
    sized_for: InputsFacts | None = None
    sizing_samples: int = 0
    again: str | None = None
    network: Network | None = field(default=None, repr=False, compare=False)
    written: str | None = None
    command: str | None = None

    @property
    def given(self) -> Arm:
        """The network as it was given."""
        return self.arms[0]

    @property
    def tuned(self) -> Arm:
        """Through the circuit."""
        return self.arms[-1]

    @property
    def is_classification(self) -> bool:
        """Whether scores are accuracies; else errors."""
        return self.aim is Aim.LABELS

    @property
    def loses_samples(self) -> bool:
        """Whether errors are of fewer samples than before: what has no result is in none of them."""
        return not self.is_classification and self.tuned.failed_samples > self.given.failed_samples

    @property
    def is_better(self) -> bool:
        """Whether the tuned network's specimens are, in the mean; none are whose errors leave more samples out."""
        before, after = self.given.summary, self.tuned.summary
        if before is None or after is None:
            return before is None and after is not None
        if self.loses_samples:
            return False
        return after.mean > before.mean if self.is_classification else after.mean < before.mean

    def yields(self, arm: Arm) -> list[Yield]:
        """For each of LOST; nothing of a regression."""
        if not self.is_classification or self.given.itself is None:
            return []
        return [arm.yield_(self.given.itself - lost) for lost in LOST]

    @property
    def engines_disagree(self) -> bool:
        """True when another engine says something else."""
        return any(check.found.disagrees for check in self.checks)

    @property
    def is_unchecked(self) -> bool:
        """True when another engine was asked and could not try every sample."""
        return any(check.found.not_checked for check in self.checks)

    @property
    def is_measured(self) -> bool:
        """Whether every sample failed, if it did, for what its circuit does."""
        return all(point.is_measured for arm in self.arms for point in arm.points)

    @property
    def exit_code(self) -> int:
        """0 tuned and measured, 3 not measured."""
        return 3 if self.engines_disagree or not self.is_measured else 0

    def save(self, path: str | Path) -> None:
        """Writes the tuned network as kanspice's own checkpoint. Raises InputError as `save`."""
        from kanspice.families import save  # noqa: PLC0415 - reading results does without torch

        if self.network is not None:
            save(self.network, path)

    def page(self) -> Page:
        from kanspice.experiments.tune.page import tuning_page  # noqa: PLC0415 - which shows this

        return tuning_page(self)

    def columns(self) -> Columns:
        """A row for each draw of each network."""
        from kanspice.experiments.tune.wording import arm_name  # noqa: PLC0415 - which words this

        rows = [
            (arm, point, draw, arm.score_of(draw)) for arm in self.arms for point in arm.points for draw in point.draws
        ]
        score = "accuracy" if self.is_classification else "error"
        return {
            "network": [arm_name(arm.kind) for arm, *_ in rows],
            "corner": [point.point.corner for _, point, *_ in rows],
            "seed": [draw.seed for _, _, draw, _ in rows],
            score: [found for *_, found in rows],
            "failed_samples": [draw.failed_samples for _, _, draw, _ in rows],
        }
