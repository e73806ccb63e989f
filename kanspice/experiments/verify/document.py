"""What is in the JSON of `verify`, key by key: the one definition of `kanspice.gap/1`.

Reading a report validates it against this, and the shipped JSON schema is made of it. Keys that are not known here are
ignored when a report is read: a later kanspice may have written it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import GenerateJsonSchema

from kanspice.engine.solution import Outcome

SCHEMA = "kanspice.gap/1"
_ROUNDED = 1 + 1e-9

Figure = float | None
"""null where there is none: a relative figure of a single sample, or nothing was measured."""
Size = Annotated[float, Field(ge=0)]
SizeOrNone = Size | None
"""A size, null where there is none."""
Fraction = Annotated[float, Field(ge=0, le=1)] | None
"""A part of a whole, null where there is none."""
Count = Annotated[int, Field(ge=0, le=2**53)]
"""What more than counts exactly in a JSON number is no count."""
Facts = dict[str, Any]
Ending = Annotated[Outcome, Field(strict=False)]
"""An outcome by its name."""


class Part(BaseModel):
    """Base of every part: types are strict, numbers finite."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


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
    argmax_agreement: Fraction
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
    technology: Facts
    """Every value of the technology by section and key; "inf" for infinity."""
    swing_basis: str | None = None
    """What the amplifiers are sized for."""
    inference_s: Figure = None
    """How long the circuit takes to answer; null where it is only solved for its operating point."""
    swing: list[SwingPart] = []
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
    outcome: Ending
    """How its simulation ended."""
    advice: str
    """What was seen and what to try."""


class WorstPart(Part):
    """A solved sample with a large error."""

    index: Count
    """From 0, in the order of the inputs."""
    output: Count
    """The output, from 0, that is off the most."""
    network: Figure
    """What the network says there, in model units."""
    circuit: Figure
    """What the circuit says there, in model units."""
    max_abs: SizeOrNone
    """How far they are apart there, in model units."""
    max_relative: SizeOrNone
    """The same in standard deviations of the network's outputs over samples."""
    decisions: Annotated[list[Count], Field(min_length=2, max_length=2)] | None
    """The largest output of the network and of the circuit; null for a single output."""


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
    rmse: SizeOrNone
    """What arrived and what was added, in model units."""
    relative_rmse: SizeOrNone
    """The same, divided by the standard deviation of the network's values there."""
    max_abs: SizeOrNone
    """Largest error there, in model units."""
    max_relative: SizeOrNone
    """The same, divided by that standard deviation."""
    added_rmse: SizeOrNone
    """What this stage did itself: against an ideal stage fed with the circuit's own inputs to it."""
    added_relative_rmse: SizeOrNone
    """The same, divided by the standard deviation of that ideal stage's outputs."""
    added_max_abs: SizeOrNone
    """Largest error that it added, in model units."""
    largest_v: SizeOrNone
    """Largest voltage at its outputs, either sign."""
    largest_column_v: SizeOrNone
    """Largest voltage of a crossbar's columns; null for other stages."""
    behavioural: bool
    """True for a block that no circuit is known for."""


class CausePart(Part):
    """One imperfection, by itself and left out."""

    name: str
    """`section.key` of the technology, `section.*` for all of a section, "no imperfection" or "numerical error"."""
    value: float | str | None
    """Its value; null for what is no key of the technology."""
    rmse: SizeOrNone
    """The gap with this imperfection and no other, in model units."""
    relative_rmse: SizeOrNone
    """The same, in standard deviations."""
    failed_samples: Count
    """How many samples have no result then."""
    without_rmse: SizeOrNone
    """The gap with all the others, in model units."""
    without_relative_rmse: SizeOrNone
    """The same, in standard deviations."""
    without_failed_samples: Count | None
    """How many samples have no result then."""
    share: Figure = None
    """Its part of the whole mean squared error, 1 being all of it; null where its section has one instead."""
    share_standard_error: SizeOrNone = None
    """Of the share; 0 where nothing was sampled."""


class AttributionPart(Part):
    """How the causes' shares came about."""

    engine: str
    """What solved the circuits."""
    trials: Count
    """How many circuits were compared."""
    orders: Count
    """How many orders in which causes are added were drawn; 0 where the shares are exact."""
    samples: Count
    """How many samples were solved in every trial: the shares are about these."""
    relative_rmse: SizeOrNone
    """The whole gap on them."""


class OtherEnginePart(Part):
    """The engine that was asked too."""

    name: str
    """ngspice or batched."""
    version: str
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

    engine: OtherEnginePart
    """Which."""
    samples: list[Count]
    """Their places among the inputs, from 0."""
    worst_relative: SizeOrNone
    """Largest difference of any output, in standard deviations of the outputs."""
    worst_sample: Count | None
    """The sample that has it."""
    allowed: Size
    """What it may be."""
    different_outcomes: list[OtherOutcomePart]
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
    max: float
    """What it may be."""
    passed: bool
    """False also where nothing was measured."""


class AreasPart(Part):
    """The devices of a crossbar that exist, in units of the reference device."""

    total: float
    """Their sum."""
    largest: float
    """The largest."""
    smallest: float
    """The smallest."""


class StageCostPart(Part):
    """One crossbar with the drivers of its rows, or one period of a KirchhoffNet."""

    name: str
    """Layer and kind."""
    devices: Count
    """Devices, or branches."""
    amplifiers: Count
    """Of columns, of pairs of columns, and row drivers."""
    areas: AreasPart | None
    """Of a crossbar's devices."""
    power_w: Figure
    """Mean over the samples."""
    largest_power_w: Figure
    """Of the sample that takes most."""
    parts_w: dict[str, float]
    """What the mean is the sum of."""
    energy_j: Figure
    """Per inference, mean over the samples."""
    charge_c: Figure
    """Carried per inference, mean over the samples."""


class PhysicalPart(Part):
    """What an inference costs, from simulated currents and voltages; null is not known."""

    samples: Count
    """How many samples it was measured on."""
    latency_s: Figure
    """From the inputs to the outputs."""
    power_w: Figure
    """Mean over the samples."""
    largest_power_w: Figure
    """Of the sample that takes most."""
    energy_j: Figure
    """Per inference, mean over the samples."""
    charge_c: Figure
    """Carried by branches per inference, mean over the samples."""
    stages: list[StageCostPart]
    """In signal order."""
    assumptions: list[str]
    """What the figures rest on, and why some are not known."""
    devices: Count
    """Of all stages."""
    amplifiers: Count
    """Of all stages."""


class LogDensityPart(Part):
    """Mean log p, in nats, that the network gives to samples of its own and of the circuit, from the same inputs."""

    samples: Count
    """How many."""
    reference: Figure
    """Of the network's samples."""
    circuit: Figure
    """Of the circuit's, followed backwards through the network."""
    difference: Figure
    """The circuit's less the network's: below 0 where the circuit's samples are less likely."""
    error: Figure
    """Root mean square of what following the network's own samples backwards is off by."""
    unknown: Count
    """How many of the circuit's samples could not be followed backwards, and are left out."""


class DistributionPart(Part):
    """The circuit's samples and the network's as two distributions."""

    samples: Count
    """How many of each."""
    energy_distance: Figure
    """sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|); 0 where they are the same."""
    noise: Figure
    """What 95 % of random divisions of all these samples in two stay below."""
    log_density: LogDensityPart | None
    """How likely the network finds them; null where that was not found."""


class ComparedPart(Part):
    """A figure of the network and of the circuit."""

    reference: SizeOrNone
    """The network's."""
    circuit: SizeOrNone
    """The circuit's."""


class Document(Part):
    """What `kanspice verify` measured."""

    model_config = ConfigDict(title="The sim-to-real gap of one network, circuit and engine")

    schema_: Annotated[Literal["kanspice.gap/1"], Field(alias="schema")]
    """Which contract this is."""
    model: ModelPart
    """The network."""
    inputs: InputsPart
    """The samples."""
    design: DesignPart
    """The circuit."""
    engine: EnginePart
    """What solved it."""
    samples: Annotated[int, Field(gt=0, le=2**53)]
    """How many samples there are, with and without a result."""
    outputs: Count | None = None
    """How many outputs the network has."""
    failed_samples: list[FailedPart]
    """Samples without a result: in no average, but counted as wrong and as disagreement."""
    unstable_fraction: Figure = None
    """Of the samples, that failed because amplifiers do not hold the circuit at its operating point."""
    gap: GapPart
    """The circuit's outputs against the network's."""
    external_gap: GapPart | None = None
    """The network's outputs against those computed elsewhere, where such were given."""
    external_circuit_gap: GapPart | None = None
    """The circuit's outputs against those computed elsewhere, where such were given."""
    accuracy: ComparedPart | None = None
    """Fraction of all samples whose largest output is the label, where labels were given."""
    cross_check: CrossCheckPart | None = None
    """Another engine's answers, where they were asked for."""
    loss: ComparedPart | None = None
    """Mean squared error from the true answers, where those were given."""
    distribution: DistributionPart | None = None
    """The samples as distributions, of a network that generates."""
    physical: PhysicalPart | None = None
    """What an inference costs."""
    numerical_error: NumericalPart | None
    """The simulation's own error; null where it was not measured."""
    reference_error: NumericalPart | None = None
    """The network's own, where it is integrated over time."""
    variation: VariationPart | None = None
    """How the network's outputs vary."""
    metrics: dict[str, Figure] = {}
    """Metrics that no other key here amounts to, by the names that limits know them by."""
    unresolved: list[str] = []
    """Why the gap cannot be told from numerical error; empty where it can, or is too small to matter."""
    stages: list[StagePart]
    """In signal order."""
    causes: list[CausePart] = []
    """What each imperfection does, where that was asked for."""
    attribution: AttributionPart | None = None
    """How the causes' shares came about."""
    worst_samples: list[WorstPart] = []
    """The solved samples with the largest errors, worst first."""
    timing: dict[str, SizeOrNone]
    """Seconds, by what they were spent on."""
    memory: dict[str, Count | None] = {}
    """Peaks in bytes, by whose they are."""
    limits: list[LimitPart]
    """The limits that were given."""
    passed: bool
    """Every sample solved, every limit kept, engines agree, the gap is resolved."""
    notes: list[str]
    """What a reader has to know."""
    versions: dict[str, str]
    """Of kanspice and of what it computes with."""
    command: str | None = None
    """The command line that made this."""

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        """Samples are among the samples, and means are no larger than what they are means of."""
        failed = [failure.index for failure in self.failed_samples]
        if len(set(failed)) < len(failed):
            raise ValueError("every failed sample once")
        checked = [] if self.cross_check is None else self.cross_check.samples
        if max([*failed, *checked, *(sample.index for sample in self.worst_samples)], default=0) >= self.samples:
            raise ValueError(f"numbers of samples below {self.samples}")
        errors = [error for error in (self.numerical_error, self.reference_error) if error is not None]
        if any(error.samples > self.samples for error in errors):
            raise ValueError(f"at most {self.samples} samples solved again")
        parts: list[GapPart | NumericalPart] = [self.gap, *errors]
        for part in parts:
            if part.rmse is not None and part.max_abs is not None and part.rmse > part.max_abs * _ROUNDED:
                raise ValueError("a root of mean squares that is no larger than the largest")
        return self


class _Schema(GenerateJsonSchema):
    """Without a title for every key: it would repeat the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema() -> dict[str, Any]:
    """The contract as a JSON schema (2020-12)."""
    return schema_of(Document, SCHEMA)


def schema_of(document: type[Part], name: str) -> dict[str, Any]:
    """The JSON schema (2020-12) of a document whose contract has this name."""
    made = document.model_json_schema(schema_generator=_Schema)
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, "$id": f"urn:{name.replace('/', ':')}", **made}
