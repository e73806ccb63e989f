"""A closed loop as JSON: the one definition of `kanspice.control/1`.

A contract of its own: a loop has episodes where a gap has samples, and readers of `kanspice.gap/1` demand samples.
What both say of model, circuit, engine and outputs are the same parts.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from kanspice.experiments.control.loop import Ending
from kanspice.experiments.control.result import ControlResult
from kanspice.experiments.parts import (
    CrossCheckPart,
    DesignPart,
    EnginePart,
    FailedPart,
    GapPart,
    InputsPart,
    LimitPart,
    ModelPart,
    NumericalPart,
    OutcomeName,
    StagePart,
)
from kanspice.report.codec import Count, Figure, Fraction, Key, Part

EndingName = Annotated[Ending, Field(strict=False)]


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

    circuit_lengths: Annotated[list[Count], Key("circuit.length")]
    """Control periods of the circuit's episodes."""
    circuit_returns: Annotated[list[Figure], Key("circuit.total")]
    """Sums of the rewards of the circuit's episodes."""
    circuit_mean_reward: Figure
    """Of a control period, over all of the circuit's: a photovoltaic array's tracking efficiency."""
    circuit_successes: Annotated[list[bool], Key("circuit.success")]
    """Whether the circuit's episodes succeeded: as the plant says, or because they lasted."""
    circuit_endings: Annotated[list[EndingName], Key("circuit.ending")]
    """How the circuit's episodes ended."""
    reference_lengths: Annotated[list[Count], Key("reference.length")]
    """The network's."""
    reference_returns: Annotated[list[Figure], Key("reference.total")]
    """The network's."""
    reference_mean_reward: Figure
    """The network's."""
    reference_successes: Annotated[list[bool], Key("reference.success")]
    """The network's."""
    reference_endings: Annotated[list[EndingName], Key("reference.ending")]
    """The network's."""
    circuit_success_rate: Annotated[Fraction, Key("circuit_rate")]
    """Successful episodes of all."""
    reference_success_rate: Annotated[Fraction, Key("reference_rate")]
    """The network's."""
    trajectory_max_abs: Figure
    """Largest difference of any observation between both from the same start, while both were in the loop."""
    own_action_gap: Annotated[GapPart | None, Key("own")]
    """The circuit's actions against the network's for the observations that the circuit came by."""
    step_s: Annotated[Figure, Key("step_s.circuit")]
    """Seconds that the circuit's engine took for a control period of one episode."""
    reference_step_s: Annotated[Figure, Key("step_s.reference")]
    """The same of the network."""
    load_s: Figure
    """Seconds until the circuit was ready."""


class AlongPart(Part):
    """The circuit outside of the loop, where the network went: as `kanspice verify` measures it."""

    samples: Count
    """Observations, spread evenly over the network's episodes."""
    failed_samples: Annotated[list[FailedPart], Key("failed")]
    """Observations that the circuit has no answer for."""
    gap: GapPart
    """Of the actions."""
    numerical_error: Annotated[NumericalPart | None, Key("numerical")]
    """The simulation's own."""
    stages: list[StagePart]
    """In signal order."""
    cross_check: Annotated[CrossCheckPart | None, Key(sparse=True)] = None
    """Another engine's answers, where they were asked for."""


class FailedEpisodePart(Part):
    """An episode of the circuit that did not come to an end of its own."""

    episode: Annotated[Count, Key("place")]
    """From 0."""
    length: Annotated[Count, Key("episode.length")]
    """Control periods until then."""
    ending: Annotated[EndingName, Key("episode.ending")]
    """Whether there was no action, or no observation."""
    outcome: Annotated[OutcomeName | None, Key("episode.failure.outcome")]
    """How the simulation of the circuit ended."""
    advice: str
    """What was seen and what to try."""


class DrawsPart(Part):
    """Specimens in the loop; lists have an entry for every draw, and in it one for every start."""

    seed: Annotated[list[int], Key("draws.seed")]
    """That draws the specimen."""
    lengths: Annotated[list[list[Count]], Key("draws.lengths")]
    """Control periods."""
    returns: Annotated[list[list[Figure]], Key("draws.returns")]
    """Sums of the rewards."""
    successes: Annotated[list[list[bool]], Key("draws.successes")]
    """Whether the episode succeeded."""
    trajectory_max_abs: Annotated[list[list[Figure]], Key("draws.apart")]
    """Largest difference of any observation from the network's, while both are in the loop."""
    failed_episodes: Annotated[list[dict[str, Count]], Key("draws.failed")]
    """Episodes that ended because the circuit had no answer, by outcome."""


class SuccessPart(Part):
    """Circuits of one technology."""

    name: str
    """What of the technology is swept."""
    values: dict[str, str]
    """The swept values by key, as written."""
    random: bool
    """Whether draws differ."""
    success_rate: Annotated[Fraction, Key("rate")]
    """Successful episodes of all draws' episodes."""
    good_draws: Annotated[Count, Key("yield_.good")]
    """Draws whose every episode succeeded."""
    good_low: Annotated[Figure, Key("yield_.low")]
    """What the fraction of such specimens is at least, with 95 % confidence; null where nothing is random."""
    good_high: Annotated[Figure, Key("yield_.high")]
    """And at most."""
    draws: Annotated[DrawsPart, Key(".")]
    """One by one."""


class SpotCheckPart(Part):
    """A draw in the loop by the other engine too."""

    point: str
    """Of which technology."""
    seed: Annotated[int, Key("found.seed")]
    """Which draw."""
    engine: str
    """That solved it again."""
    lengths: Annotated[list[Count], Key("found.lengths")]
    """Control periods there."""
    successes: Annotated[list[bool], Key("found.successes")]
    """Whether the episodes succeeded there."""
    passed: Annotated[bool, Key("agrees")]
    """Whether lengths and successes are the same."""


class ControlDocument(Part):
    """What `kanspice control` measured."""

    model_config = ConfigDict(title="A network and its circuit in the same closed loop")

    schema_: Annotated[Literal["kanspice.control/1"], Field(alias="schema")]
    """Which contract this is."""
    model: Annotated[ModelPart, Key("along.model")]
    """The network."""
    plant: PlantPart
    """What is controlled."""
    design: Annotated[DesignPart, Key("along.design")]
    """The circuit."""
    sized_for: Annotated[InputsPart | None, Key("along.sized_for", sparse=True)] = None
    """Samples that circuits are sized for, where those are not what the network came by."""
    engine: Annotated[EnginePart, Key("along.engine")]
    """What solved it."""
    control: Annotated[ControlPart, Key(".")]
    """What became of the episodes."""
    along_reference: Annotated[AlongPart, Key("along")]
    """The circuit's actions where the network went."""
    failed_episodes: Annotated[list[FailedEpisodePart], Key("failed")]
    """Episodes of the circuit that ended for want of an action or an observation."""
    success: Annotated[list[SuccessPart], Key("points")]
    """Success over draws, where that was asked for."""
    spot_checks: Annotated[list[SpotCheckPart], Key("checks")]
    """Draws by the other engine too."""
    limits: list[LimitPart]
    """The limits that were given."""
    unresolved: Annotated[list[str], Field(default_factory=list)]
    """Why actions, or limits on them, cannot be told from numerical error; empty where they can."""
    passed: bool
    """Every episode with an end of its own, every limit kept, engines agree."""
    notes: Annotated[list[str], Key("all_notes")]
    """What a reader has to know."""
    versions: Annotated[dict[str, str], Key("along.versions")]
    """Of kanspice and of what it computes with."""
    command: str | None = None
    """The command line that made this."""


def control_json(result: ControlResult) -> str:
    """JSON text with a fixed order of keys and a final newline. A figure that does not exist is null."""
    return ControlDocument.text(result)
