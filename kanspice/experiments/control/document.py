"""A closed loop as JSON: the one definition of `kanspice.control/1`.

A contract of its own: a loop has episodes where a gap has samples, and readers of `kanspice.gap/1` demand samples.
What both say of model, circuit, engine and outputs are the same parts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from kanspice.engine.solution import Outcome
from kanspice.experiments.control.loop import Ending, Episode
from kanspice.experiments.control.result import ControlResult, SpotCheck, SuccessPoint, mean_reward
from kanspice.experiments.verify.document import (
    Count,
    CrossCheckPart,
    DesignPart,
    EnginePart,
    FailedPart,
    Figure,
    GapPart,
    LimitPart,
    ModelPart,
    NumericalPart,
    Part,
    StagePart,
    schema_of,
)
from kanspice.experiments.verify.json_report import to_json
from kanspice.report.json_values import finite

SCHEMA = "kanspice.control/1"

Fraction = Annotated[float, Field(ge=0, le=1)]
EndingName = Annotated[Ending, Field(strict=False)]
OutcomeName = Annotated[Outcome, Field(strict=False)]


class PlantPart(Part):
    """What is controlled, and how."""

    name: str
    """Ours, or the name that it is registered with gymnasium under."""
    observations: Count
    """Numbers in an observation: the network's inputs."""
    actions: Count
    """Numbers in an action: the network's outputs."""
    episodes: Count
    """Starts, the same for network and circuit."""
    steps: Count
    """Control periods of an episode at most."""
    latency: Annotated[int, Field(ge=0, le=1)]
    """Control periods between an observation and when its action acts."""
    seed: int
    """Of starts and specimen."""
    observation_names: list[str]
    """What the plant calls the numbers of an observation."""
    reward_name: str
    """What the plant calls the reward."""


class ControlPart(Part):
    """What became of the episodes; lists have an entry for every start."""

    circuit_lengths: list[Count]
    """Control periods of the circuit's episodes."""
    reference_lengths: list[Count]
    """The network's."""
    circuit_returns: list[Figure]
    """Sums of the rewards of the circuit's episodes."""
    reference_returns: list[Figure]
    """The network's."""
    circuit_mean_reward: Figure
    """Of a control period, over all of the circuit's: a photovoltaic array's tracking efficiency."""
    reference_mean_reward: Figure
    """The network's."""
    circuit_successes: list[bool]
    """Whether the circuit's episodes succeeded: as the plant says, or because they lasted."""
    reference_successes: list[bool]
    """The network's."""
    circuit_endings: list[EndingName]
    """How the circuit's episodes ended."""
    reference_endings: list[EndingName]
    """The network's."""
    circuit_success_rate: Fraction
    """Successful episodes of all."""
    reference_success_rate: Fraction
    """The network's."""
    trajectory_max_abs: Figure
    """Largest difference of any observation between both from the same start, while both were in the loop."""
    own_action_gap: GapPart | None
    """The circuit's actions against the network's for the observations that the circuit came by."""
    step_s: Figure
    """Seconds that the circuit's engine took for a control period of one episode."""
    reference_step_s: Figure
    """The same of the network."""
    load_s: Figure
    """Seconds until the circuit was ready."""


class AlongPart(Part):
    """The circuit outside of the loop, where the network went: as `kanspice verify` measures it."""

    samples: Count
    """Observations, spread evenly over the network's episodes."""
    failed_samples: list[FailedPart]
    """Observations that the circuit has no answer for."""
    gap: GapPart
    """Of the actions."""
    numerical_error: NumericalPart | None
    """The simulation's own."""
    stages: list[StagePart]
    """In signal order."""
    cross_check: CrossCheckPart | None = None
    """Another engine's answers, where they were asked for."""


class FailedEpisodePart(Part):
    """An episode of the circuit that did not come to an end of its own."""

    episode: Count
    """From 0."""
    length: Count
    """Control periods until then."""
    ending: EndingName
    """Whether there was no action, or no observation."""
    outcome: OutcomeName | None
    """How the simulation of the circuit ended."""
    advice: str
    """What was seen and what to try."""


class DrawsPart(Part):
    """Specimens in the loop; lists have an entry for every draw, and in it one for every start."""

    seed: list[int]
    """That draws the specimen."""
    lengths: list[list[Count]]
    """Control periods."""
    returns: list[list[Figure]]
    """Sums of the rewards."""
    successes: list[list[bool]]
    """Whether the episode succeeded."""
    trajectory_max_abs: list[list[Figure]]
    """Largest difference of any observation from the network's, while both are in the loop."""
    failed_episodes: list[dict[str, Count]]
    """Episodes that ended because the circuit had no answer, by outcome."""


class SuccessPart(Part):
    """Circuits of one technology."""

    name: str
    """What of the technology is swept."""
    values: dict[str, str]
    """The swept values by key, as written."""
    random: bool
    """Whether draws differ."""
    success_rate: Fraction
    """Successful episodes of all draws' episodes."""
    good_draws: Count
    """Draws whose every episode succeeded."""
    good_low: Figure
    """What the fraction of such specimens is at least, with 95 % confidence; null where nothing is random."""
    good_high: Figure
    """And at most."""
    draws: DrawsPart
    """One by one."""


class SpotCheckPart(Part):
    """A draw in the loop by the other engine too."""

    point: str
    """Of which technology."""
    seed: int
    """Which draw."""
    engine: str
    """That solved it again."""
    lengths: list[Count]
    """Control periods there."""
    successes: list[bool]
    """Whether the episodes succeeded there."""
    passed: bool
    """Whether lengths and successes are the same."""


class ControlDocument(Part):
    """What `kanspice control` measured."""

    model_config = ConfigDict(title="A network and its circuit in the same closed loop")

    schema_: Annotated[Literal["kanspice.control/1"], Field(alias="schema")]
    """Which contract this is."""
    model: ModelPart
    """The network."""
    plant: PlantPart
    """What is controlled."""
    design: DesignPart
    """The circuit."""
    engine: EnginePart
    """What solved it."""
    control: ControlPart
    """What became of the episodes."""
    along_reference: AlongPart
    """The circuit's actions where the network went."""
    failed_episodes: list[FailedEpisodePart]
    """Episodes of the circuit that ended for want of an action or an observation."""
    success: list[SuccessPart]
    """Success over draws, where that was asked for."""
    spot_checks: list[SpotCheckPart]
    """Draws by the other engine too."""
    limits: list[LimitPart]
    """The limits that were given."""
    unresolved: Annotated[list[str], Field(default_factory=list)]
    """Why actions, or limits on them, cannot be told from numerical error; empty where they can."""
    passed: bool
    """Every episode with an end of its own, every limit kept, engines agree."""
    notes: list[str]
    """What a reader has to know."""
    versions: dict[str, str]
    """Of kanspice and of what it computes with."""
    command: str | None = None
    """The command line that made this."""


def json_schema() -> dict[str, Any]:
    """The contract as a JSON schema (2020-12)."""
    return schema_of(ControlDocument, SCHEMA)


def control_json(result: ControlResult) -> str:
    """JSON text with a fixed order of keys and a final newline. A figure that does not exist is null."""
    return json.dumps(finite(_document(result)), indent=2, allow_nan=False) + "\n"


def _document(result: ControlResult) -> dict[str, Any]:
    along = json.loads(to_json(result.along))
    return {
        "schema": SCHEMA,
        "model": along["model"],
        "plant": dict(result.plant),
        "design": along["design"],
        "engine": along["engine"],
        "control": _control(result),
        "along_reference": {key: along[key] for key in AlongPart.model_fields if key in along},
        "failed_episodes": [_failed(place, episode) for place, episode in result.failed],
        "success": [_success(point) for point in result.points],
        "spot_checks": [_check(check) for check in result.checks],
        "limits": [
            {"metric": limit.metric, "value": limit.value, "max": limit.max, "passed": limit.passed}
            for limit in result.limits
        ],
        "unresolved": list(result.unresolved),
        "passed": result.exit_code == 0,
        "notes": [*result.notes, *along["notes"]],
        "versions": along["versions"],
        "command": result.command or None,
    }


def _control(result: ControlResult) -> dict[str, Any]:
    own = None if result.own is None else asdict(result.own)
    return {
        **_episodes("circuit", result.circuit),
        **_episodes("reference", result.reference),
        "circuit_success_rate": result.circuit_rate,
        "reference_success_rate": result.reference_rate,
        "trajectory_max_abs": result.trajectory_max_abs,
        "own_action_gap": own,
        "step_s": result.step_s["circuit"],
        "reference_step_s": result.step_s["reference"],
        "load_s": result.load_s,
    }


def _episodes(whose: str, episodes: Sequence[Episode]) -> dict[str, Any]:
    return {
        f"{whose}_lengths": [episode.length for episode in episodes],
        f"{whose}_returns": [episode.total for episode in episodes],
        f"{whose}_mean_reward": mean_reward(episodes),
        f"{whose}_successes": [episode.success for episode in episodes],
        f"{whose}_endings": [episode.ending.value for episode in episodes],
    }


def _failed(place: int, episode: Episode) -> dict[str, Any]:
    failure = episode.failure
    return {
        "episode": place,
        "length": episode.length,
        "ending": episode.ending.value,
        "outcome": None if failure is None else failure.outcome.value,
        "advice": episode.detail if failure is None else failure.advice,
    }


def _success(point: SuccessPoint) -> dict[str, Any]:
    found = point.yield_
    return {
        "name": point.name,
        "values": dict(point.values),
        "random": point.random,
        "success_rate": point.rate,
        "good_draws": found.good,
        "good_low": found.low,
        "good_high": found.high,
        "draws": {
            "seed": [draw.seed for draw in point.draws],
            "lengths": [draw.lengths for draw in point.draws],
            "returns": [draw.returns for draw in point.draws],
            "successes": [draw.successes for draw in point.draws],
            "trajectory_max_abs": [draw.apart for draw in point.draws],
            "failed_episodes": [dict(draw.failed) for draw in point.draws],
        },
    }


def _check(check: SpotCheck) -> dict[str, Any]:
    return {
        "point": check.point,
        "seed": check.found.seed,
        "engine": check.engine,
        "lengths": check.found.lengths,
        "successes": check.found.successes,
        "passed": check.agrees,
    }
