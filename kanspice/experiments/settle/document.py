"""How a circuit settles, as JSON: the one definition of `kanspice.settling/1`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kanspice.experiments.parts import Facts, FailedPart, InputsPart, VariationPart
from kanspice.experiments.settle.settling import Settling
from kanspice.report.codec import Count, Figure, Fraction, Key, Part, Size, SizeOrNone


class StageSettlingPart(Part):
    """When a stage is within a tolerance of where it goes to, for good: seconds after the inputs began to step."""

    name: str
    """Layer and kind: `l1.crossbar`."""
    tolerance: Size
    """In standard deviations of the stage's outputs over the samples."""
    mean_s: SizeOrNone
    """Over the samples that settle; null where none does."""
    largest_s: SizeOrNone
    """The longest of them."""
    worst: Count | None
    """The sample that takes longest."""
    unsettled: Count
    """How many samples do not settle."""


class ReadOutPart(Part):
    """Outputs read so long after the inputs stepped."""

    time_s: Size
    """After the step."""
    relative_rmse: SizeOrNone
    """Against the network, in standard deviations of its outputs."""
    from_rest: SizeOrNone
    """Against where the outputs go to, in standard deviations."""
    argmax_agreement: Fraction | None
    """Fraction of samples whose largest output is the network's; null for a single output."""
    energy_j: Figure
    """What an inference has taken until then, mean over the samples."""


class NoisePart(Part):
    """Noise that a crossbar adds at its outputs, without what arrives from earlier stages."""

    name: str
    """The stage."""
    rms_v: SizeOrNone
    """Root mean square over samples and outputs."""
    largest_v: SizeOrNone
    """Of the noisiest."""
    bits: Figure
    """Effective number of bits: the range of the outputs over the samples against `rms_v`."""
    thermal: Figure
    """Its part of the mean square."""
    shot: Figure
    """Its part of the mean square."""
    amplifier: Figure
    """The amplifiers' part of the mean square."""


class CapacitorsPart(Part):
    """The feedback capacitors of a crossbar's amplifiers; medians where they differ."""

    stage: str
    """Which."""
    feedback_f: Figure
    """Farads."""
    constant_s: Figure
    """What they take with their resistors, seconds."""


class SwingingPart(Part):
    """Outputs of a stage that swing on while all stages before it are at rest."""

    stage: str
    """Which."""
    outputs: dict[str, Count]
    """By output, from 0: in how many samples."""


class EngineCheckPart(Part):
    """The same samples by another engine."""

    engine: str
    """Which."""
    samples: Count
    """How many."""
    max_relative: Figure
    """Largest difference of the outputs at the read-out times, in their standard deviations."""
    relative_rmse: Figure
    """Root of the mean squared difference, in the same."""


class SettlingDocument(Part):
    """How a crossbar circuit answers inputs that step from sample to sample."""

    schema_: Annotated[Literal["kanspice.settling/1"], Field(alias="schema")]
    """The contract."""
    samples: Count
    """How many."""
    period_s: Size
    """Of each sample."""
    rise_s: Size
    """Of the inputs."""
    stages: list[StageSettlingPart]
    """Every stage, for every tolerance."""
    read_outs: list[ReadOutPart]
    """What reading early costs."""
    failed: list[FailedPart]
    """Samples that do not settle, or have no result."""
    numerical: SizeOrNone
    """How far outputs at the read-out times move with more exact steps, in standard deviations; null if unknown."""
    power_w: Figure
    """At rest, mean over the samples."""
    latency_s: SizeOrNone
    """When every sample's outputs are within the smallest tolerance for good; null where some are not."""
    energy_j: Figure
    """What an inference takes until then, mean over the samples."""
    noise: list[NoisePart]
    """Of stages whose amplifiers have a bandwidth."""
    capacitors: list[CapacitorsPart]
    """Of the same stages."""
    unstable: list[Count]
    """Samples whose operating points grow, by the poles."""
    notes: list[str]
    """How the network was read, and what was seen."""
    engine: str
    """What followed the circuit."""
    model: str
    """The network, as it was given."""
    technology: str
    """Its name."""
    swinging: list[SwingingPart]
    """By stage, what oscillates."""
    worst: Annotated[Count | None, Key("worst.index")]
    """The sample that takes longest, or does not settle."""
    cross_check: EngineCheckPart | None
    """What another engine found."""
    variation: VariationPart | None
    """How the network's outputs vary over the samples."""
    sized_for: Annotated[InputsPart | None, Key(sparse=True)] = None
    """Samples that the circuit is sized for, where they were given apart from those."""
    model_sha256: Annotated[str | None, Key(sparse=True)] = None
    """Of the checkpoint's bytes."""
    inputs: Annotated[InputsPart | None, Key(sparse=True)] = None
    """The samples."""
    technology_values: Annotated[Facts | None, Key(sparse=True, infinite=True)] = None
    """Every value of the technology by section and key; "inf" for infinity."""
    versions: Annotated[dict[str, str] | None, Key(sparse=True)] = None
    """Of kanspice and of what it computes with."""
    command: Annotated[str | None, Key(sparse=True)] = None
    """What was called, if a command was."""
    settled: bool
    """Whether every sample settles."""
    unresolved: list[str]
    """Why it is not known when samples settle, or what reading early costs, if so."""


def settling_json(result: Settling) -> str:
    """JSON text; a figure that does not exist is null."""
    return SettlingDocument.text(result)
