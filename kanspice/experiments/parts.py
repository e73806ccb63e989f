"""Parts that documents of several experiments have: what was measured, with what, and how far apart outputs are."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from kanspice.engine.solution import Outcome
from kanspice.report.codec import Count, Figure, Fraction, Key, Part, Size, SizeOrNone

Facts = dict[str, Any]
OutcomeName = Annotated[Outcome, Field(strict=False)]


class GapPart(Part):
    """Outputs against other outputs for the same inputs."""

    rmse: SizeOrNone
    """Root of the mean squared error over solved samples and all outputs, in model units."""
    max_abs: SizeOrNone
    """Largest error of any output of any solved sample, in model units."""
    relative_rmse: SizeOrNone
    """`rmse` divided by the standard deviation of the network's outputs over samples."""
    max_relative: SizeOrNone
    """`max_abs` divided by the same."""
    argmax_agreement: Fraction | None
    """Fraction of all samples whose largest output is the same one; null for a single output."""


class ModelPart(Part):
    """The network that was compiled."""

    path: str
    """As it was given."""
    family: str
    """kanalogue or kirchhoffnet."""
    format: str | None = None
    """Whose checkpoint format it is."""
    sha256: str
    """Of the checkpoint's bytes, in hexadecimal."""
    parameters: Count
    """The number of trainable numbers."""
    devices: list[str] | None = None
    """Names of the devices or branches that it is made of."""


class InputsPart(Part):
    """The samples."""

    path: str
    """As it was given; empty where they came from Python."""
    sha256: str
    """Of the samples that were used, as float64 in the order of memory."""


class SpecimenPart(Part):
    """A specimen that was given by its numbers."""

    path: str
    """Its file; empty where it came from Python."""
    sha256: str
    """Of the file's bytes, in hexadecimal."""


class SwingPart(Part):
    """The amplifiers of one crossbar."""

    stage: str
    """Which."""
    feedback_ohm: Figure
    """Their feedback resistors; the median where they differ."""
    feedback_f: Figure = None
    """Their feedback capacitors, likewise; 0 without any."""
    column_amplifier_v: Figure
    """Largest voltage that the columns' amplifiers have to deliver."""
    output_v_per_unit: Figure
    """Volts at the outputs per model unit."""


class DesignPart(Part):
    """The circuit."""

    devices: Count | dict[str, Count]
    """How many devices, or how many of each kind."""
    nodes: Count
    """Nodes of the netlist."""
    elements: Count | None = None
    """Elements of the netlist."""
    netlist_bytes: Count | None = None
    """Size of the netlist."""
    fidelity: str
    """How devices or branches were written."""
    technology: Annotated[Facts, Key(infinite=True)]
    """Every value of the technology by section and key; "inf" for infinity."""
    swing_basis: str | None = None
    """What the amplifiers are sized for."""
    inference_s: Figure = None
    """How long the circuit takes to answer; null where it is only solved for its operating point."""
    swing: list[SwingPart] = Field([])
    """How each crossbar's amplifiers are sized."""


class EnginePart(Part):
    """What solved the circuit."""

    name: str
    """ngspice or batched."""
    version: str
    """Its version."""
    options: Facts
    """What it was told; with the seed of random imperfections and of samples that are solved again."""


class FailedPart(Part):
    """A sample without a result."""

    index: Count
    """From 0, in the order of the inputs."""
    outcome: OutcomeName
    """How its simulation ended."""
    advice: str
    """What was seen and what to try."""

    def attributes(self) -> dict[str, Any]:
        """What was seen is before the advice that every such outcome has."""
        seen = self.advice.removesuffix(self.outcome.advice).removesuffix("; ")
        return super().attributes() | {"detail": seen}


class NumericalPart(Part):
    """How far the outputs move when some samples are solved again, tighter if possible: the simulation's own error."""

    samples: Count
    """How many were solved again."""
    rmse: SizeOrNone
    """Root of their mean squared change, in model units."""
    max_abs: SizeOrNone
    """Their largest change, in model units."""
    relative_rmse: SizeOrNone
    """`rmse` divided by the standard deviation of the network's outputs over samples."""


class VariationPart(Part):
    """How the network's outputs vary over the samples, in model units."""

    standard_deviation: Size
    """What relative figures are divided by."""
    largest: Size
    """Magnitude of the largest output."""


class StagePart(Part):
    """One stage of the circuit: against the network's values there, and against an ideal stage with the same inputs."""

    name: str
    """Layer and kind: `l1.crossbar`."""
    rmse: Annotated[SizeOrNone, Key("gap.rmse")]
    """What arrived and what was added, in model units."""
    relative_rmse: Annotated[SizeOrNone, Key("gap.relative_rmse")]
    """The same, divided by the standard deviation of the network's values there."""
    max_abs: Annotated[SizeOrNone, Key("gap.max_abs")]
    """Largest error there, in model units."""
    max_relative: Annotated[SizeOrNone, Key("gap.max_relative")]
    """The same, divided by that standard deviation."""
    added_rmse: Annotated[SizeOrNone, Key("added.rmse")]
    """What this stage did itself: against an ideal stage fed with the circuit's own inputs to it."""
    added_relative_rmse: Annotated[SizeOrNone, Key("added.relative_rmse")]
    """The same, divided by the standard deviation of that ideal stage's outputs."""
    added_max_abs: Annotated[SizeOrNone, Key("added.max_abs")]
    """Largest error that it added, in model units."""
    largest_v: SizeOrNone
    """Largest voltage at its outputs, either sign."""
    largest_column_v: SizeOrNone
    """Largest voltage of a crossbar's columns; null for other stages."""
    behavioural: bool
    """True for a block that no circuit is known for."""


class OtherEnginePart(Part):
    """The engine that was asked too."""

    name: Annotated[str, Key("engine")]
    """ngspice or batched."""
    version: Annotated[str, Key("engine_version")]
    """Its version."""


class OtherOutcomePart(Part):
    """A sample that ended differently."""

    index: Count
    """From 0, in the order of the inputs."""
    outcome: str
    """How it ended."""
    other_outcome: str
    """How it ended in the other engine."""


class NotCheckedPart(Part):
    """A sample that an engine could not try."""

    index: Count
    """From 0, in the order of the inputs."""
    why: str
    """Which engine, and what it said."""


class CrossCheckPart(Part):
    """Some samples solved by another engine too."""

    engine: Annotated[OtherEnginePart, Key(".")]
    """Which."""
    samples: list[Count]
    """Their places among the inputs, from 0."""
    worst_relative: Annotated[SizeOrNone, Key("worst")]
    """Largest difference of any output, in standard deviations of the outputs."""
    worst_sample: Count | None
    """The sample that has it."""
    allowed: Size
    """What it may be."""
    different_outcomes: Annotated[list[OtherOutcomePart], Key("outcomes")]
    """Samples that one engine solved and the other did not."""
    not_checked: list[NotCheckedPart] = Field(default_factory=list)
    """Samples that one of them could not try: it crashed, or ran out of time or memory."""
    passed: bool
    """Whether they agree on every sample, and both tried it."""


class LimitPart(Part):
    """One limit of the run and what was measured."""

    metric: str
    """What it is on."""
    value: Figure
    """What was measured; null where nothing was."""
    max: Annotated[Figure, Key(sparse=True)] = None
    """What it may be at most, where it is better the smaller it is."""
    min: Annotated[Figure, Key(sparse=True)] = None
    """What it has to be at least, where it is better the larger it is."""
    passed: bool
    """False also where nothing was measured."""

    @model_validator(mode="after")
    def _bounds_once(self) -> Self:
        if (self.max is None) == (self.min is None):
            raise ValueError("either max or min")
        return self
