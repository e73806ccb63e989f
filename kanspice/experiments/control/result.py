"""What a closed loop came to: frozen data, and the figures that limits can be put on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kanspice.base.arrays import Array
from kanspice.experiments.control.loop import Ending, Episode
from kanspice.experiments.ensemble.statistics import Yield
from kanspice.experiments.verify.result import GapResult
from kanspice.gap import Gap, Limit, unresolved
from kanspice.gap.metric_table import Metric
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown


@dataclass(frozen=True)
class PlantFacts:
    """What is controlled, and how.

    observations, actions: the network's inputs and outputs. episodes: starts, the same for network and circuit. steps:
    control periods of an episode at most. latency: control periods between an observation and when its action acts.
    seed: of starts and specimen. observation_names, reward_name: what the plant calls them.
    """

    name: str
    observations: int
    actions: int
    episodes: int
    steps: int
    latency: int
    seed: int
    observation_names: tuple[str, ...]
    reward_name: str


@dataclass(frozen=True)
class FailedEpisode:
    """An episode of the circuit, by its place from 0, that ended because it had no answer, or the plant none."""

    place: int
    episode: Episode

    @property
    def advice(self) -> str:
        """What was seen and what to try."""
        failure = self.episode.failure
        return self.episode.detail if failure is None else failure.advice


@dataclass(frozen=True)
class DrawnEpisodes:
    """One specimen of the circuit in the loop, as journals keep it: its fields are their keys.

    lengths, returns, successes, apart: (episodes,). failed: by outcome. apart: largest difference of any observation
    from the network's, while both are in the loop.
    """

    seed: int
    lengths: tuple[int, ...]
    returns: tuple[float, ...]
    successes: tuple[bool, ...]
    apart: tuple[float, ...]
    failed: Mapping[str, int]

    @classmethod
    def of(cls, seed: int, episodes: tuple[Episode, ...], reference: tuple[Episode, ...]) -> DrawnEpisodes:
        """What became of its episodes."""
        outcomes = [episode.failure.outcome.value for episode in episodes if episode.failure is not None]
        return cls(
            seed=seed,
            lengths=tuple(episode.length for episode in episodes),
            returns=tuple(episode.total for episode in episodes),
            successes=tuple(episode.success for episode in episodes),
            apart=tuple(trajectory_distance(*pair) for pair in zip(reference, episodes, strict=True)),
            failed={outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
        )


@dataclass(frozen=True)
class SuccessPoint:
    """Draws at one technology. name: of the swept values; values: by key, as written; random: whether draws differ."""

    name: str
    values: Mapping[str, str]
    draws: tuple[DrawnEpisodes, ...]
    random: bool

    @property
    def rate(self) -> float:
        """Successful episodes of all draws' episodes."""
        return float(np.mean([draw.successes for draw in self.draws]))

    @property
    def yield_(self) -> Yield:
        """Draws whose every episode is a success."""
        return Yield.of(sum(all(draw.successes) for draw in self.draws), len(self.draws), random=self.random)

    @property
    def apart(self) -> float:
        """Largest difference of any observation from the network's, of the draw in the middle."""
        return float(np.median([max(draw.apart) for draw in self.draws]))

    @property
    def mean_return(self) -> float:
        """Over episodes and draws."""
        return float(np.mean([draw.returns for draw in self.draws]))


@dataclass(frozen=True)
class SpotCheck:
    """One of the draws again, by the other engine, from the same starts."""

    point: str
    engine: str
    found: DrawnEpisodes
    expected: DrawnEpisodes

    @property
    def agrees(self) -> bool:
        """The same successes, and the same lengths."""
        return self.found.successes == self.expected.successes and self.found.lengths == self.expected.lengths


@dataclass(frozen=True, repr=False)
class ControlResult(Shown):
    """A network and its circuit in the same loop.

    reference, circuit: episodes from the same starts. along: the
    circuit's gap where the reference went. own: the circuit's commands against the network's where the circuit went;
    None where it went nowhere. step_s: seconds for a control period of one episode, of circuit and reference. points:
    success over draws, where that was asked for.
    """

    plant: PlantFacts
    reference: tuple[Episode, ...]
    circuit: tuple[Episode, ...]
    along: GapResult
    own: Gap | None
    step_s: Mapping[str, float]
    load_s: float
    points: tuple[SuccessPoint, ...] = ()
    checks: tuple[SpotCheck, ...] = ()
    limits: tuple[Limit, ...] = ()
    notes: tuple[str, ...] = ()
    command: str | None = None
    timing: Mapping[str, float] = field(default_factory=dict)

    def page(self) -> Page:
        from kanspice.experiments.control.page import control_page  # noqa: PLC0415 - which shows this

        return control_page(self)

    def columns(self) -> Columns:
        """A row for each start: what became of the network's episode and of the circuit's."""
        sides = {"network": self.reference, "circuit": self.circuit}
        found: dict[str, list[object]] = {"start": list(range(len(self.circuit)))}
        for side, episodes in sides.items():
            found |= {
                f"{side}_ending": [episode.ending.value for episode in episodes],
                f"{side}_success": [episode.success for episode in episodes],
                f"{side}_periods": [episode.length for episode in episodes],
                f"{side}_return": [episode.total for episode in episodes],
            }
        return found | {"apart": [trajectory_distance(*pair) for pair in self.pairs]}

    @property
    def reference_rate(self) -> float:
        """Successful episodes of the network."""
        return success_rate(self.reference)

    @property
    def circuit_rate(self) -> float:
        """Successful episodes of the circuit."""
        return success_rate(self.circuit)

    @property
    def reference_mean_reward(self) -> float | None:
        """Of a control period, over all of the network's; None where there was none."""
        return mean_reward(self.reference)

    @property
    def circuit_mean_reward(self) -> float | None:
        """Of a control period, over all of the circuit's; None where there was none."""
        return mean_reward(self.circuit)

    @property
    def trajectory_max_abs(self) -> float:
        """Largest difference of any observation between reference and circuit, while both were in the loop."""
        return max(trajectory_distance(*pair) for pair in self.pairs)

    @property
    def pairs(self) -> list[tuple[Episode, Episode]]:
        """Reference and circuit from the same start."""
        return list(zip(self.reference, self.circuit, strict=True))

    @property
    def failed(self) -> tuple[FailedEpisode, ...]:
        """The circuit's episodes that did not come to an end of their own."""
        bad = {Ending.NO_ACTION, Ending.NO_OBSERVATION}
        return tuple(FailedEpisode(place, each) for place, each in enumerate(self.circuit) if each.ending in bad)

    @property
    def all_notes(self) -> tuple[str, ...]:
        """What a reader has to know of the loop, and of the circuit outside of it."""
        return *self.notes, *self.along.notes

    @property
    def engines_disagree(self) -> bool:
        """About observations, or about episodes of a draw."""
        return self.along.engines_disagree or not all(check.agrees for check in self.checks)

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Why actions, or limits on them, cannot be told from numerical error, if so."""
        solved = len(self.along.failed) < self.along.samples
        return unresolved(self.along.doubt, self.limits, solved=solved, metrics=METRICS)

    @property
    def is_measured(self) -> bool:
        """Every episode has an end of its own, engines agree, and actions are more than numerical error."""
        return not self.failed and self.along.is_measured and not self.engines_disagree and not self.unresolved

    @property
    def passed(self) -> bool:
        """Measured, and every limit kept."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """0 measured and within limits, 1 a limit not kept, 3 not measured."""
        if not self.is_measured:
            return 3
        return 0 if all(limit.passed for limit in self.limits) else 1


def _return_drop(result: ControlResult) -> float:
    returns = [np.mean([episode.total for episode in episodes]) for episodes in (result.reference, result.circuit)]
    return float(returns[0] - returns[1])


METRICS: tuple[Metric[ControlResult], ...] = (
    Metric(
        "success_drop",
        "drop of the success rate",
        "fraction",
        "less",
        lambda loop: round(loop.reference_rate - loop.circuit_rate, 12),
    ),
    Metric("success_rate", "success rate", "fraction", "more", lambda loop: loop.circuit_rate),
    Metric("return_drop", "drop of the mean return", "", "less", _return_drop),
    Metric(
        "action_rmse",
        "RMSE of actions along the network's trajectory",
        "model units",
        "less",
        lambda loop: loop.along.gap.rmse,
        error=lambda doubt: doubt.rmse,
    ),
    Metric(
        "action_max_abs",
        "largest error of an action along the network's trajectory",
        "model units",
        "less",
        lambda loop: loop.along.gap.max_abs,
        error=lambda doubt: doubt.max_abs,
    ),
    Metric(
        "own_action_rmse",
        "RMSE of actions along the circuit's own trajectory",
        "model units",
        "less",
        lambda loop: None if loop.own is None else loop.own.rmse,
        error=lambda doubt: doubt.rmse,
    ),
    Metric(
        "own_action_max_abs",
        "largest error of an action along the circuit's own trajectory",
        "model units",
        "less",
        lambda loop: None if loop.own is None else loop.own.max_abs,
        error=lambda doubt: doubt.max_abs,
    ),
    Metric(
        "trajectory_max_abs",
        "largest difference of an observation",
        "plant's units",
        "less",
        lambda loop: loop.trajectory_max_abs,
    ),
    Metric(
        "numerical_rmse",
        "numerical error of actions (RMSE)",
        "model units",
        "less",
        lambda loop: None if loop.along.numerical is None else loop.along.numerical.rmse,
    ),
)
"""What closed loops are judged by; a limit can be put on each."""
BY_NAME = {metric.name: metric for metric in METRICS}


def metric_values(result: ControlResult) -> dict[str, float | None]:
    """Every metric by its name."""
    return {metric.name: metric.of(result) for metric in METRICS}


def success_rate(episodes: Sequence[Episode]) -> float:
    """Successes of all episodes."""
    return sum(episode.success for episode in episodes) / len(episodes)


def trajectory_gap(reference: Episode, circuit: Episode) -> Array:
    """(periods + 1, observations): the circuit's observations minus the reference's, while both go on."""
    common = min(len(reference.observations), len(circuit.observations))
    return np.asarray(circuit.observations[:common] - reference.observations[:common])


def trajectory_distance(reference: Episode, circuit: Episode) -> float:
    """The largest of `trajectory_gap`."""
    return float(np.abs(trajectory_gap(reference, circuit)).max())


def mean_reward(episodes: Sequence[Episode]) -> float | None:
    """Of a control period, over all of them; None where there was none."""
    rewards = np.concatenate([episode.rewards for episode in episodes])
    return float(rewards.mean()) if rewards.size else None
