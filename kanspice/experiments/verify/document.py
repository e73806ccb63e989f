"""What is in the JSON of `verify`, key by key: the one definition of `kanspice.gap/1`, a contract with scripts and CI.

It is written from a result, a report is read by it, and the shipped JSON schema is made of it. Keys that are not known
here are ignored when a report is read: a later kanspice may have written it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

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
    SpecimenPart,
    StagePart,
    VariationPart,
)
from kanspice.experiments.verify.chip.part import MeasuredPart, ThreeGapsPart
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.answers import MOST_CLASSES
from kanspice.gap.metric_table import metric_named
from kanspice.report.codec import Count, Figure, Fraction, Key, Part, Size, SizeOrNone

_ROUNDED = 1 + 1e-9
_DATE = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"


def _in_the_calendar(date: str | None) -> str | None:
    """The date. Raises ValueError for a 31st of February, and for the year 0."""
    if date is not None:
        datetime.fromisoformat(date)
    return date


MOST_PIXELS = 64
"""Of a raster's side."""


class StageShapePart(Part):
    """What a stage is made of, as much as a drawing needs."""

    name: str
    """As in `stages`."""
    symbol: str
    """The kind of its drawing."""
    made_of: str
    """In a few words."""
    inputs: Count
    """How many voltages arrive."""
    outputs: Count
    """How many leave."""
    adds: Annotated[str, Key(sparse=True)] = ""
    """The stage whose voltages, held since, it adds."""


class RasterPart(Part):
    """Numbers in 256 steps from `low` to `high`."""

    rows: Annotated[int, Field(ge=1, le=MOST_PIXELS)]
    """How many rows of numbers."""
    columns: Annotated[int, Field(ge=1, le=MOST_PIXELS)]
    """How many numbers in each."""
    low: float
    """What 00 stands for."""
    high: float
    """What ff stands for."""
    hex: Annotated[str, Field(pattern="^([0-9a-f]{2})*$", max_length=2 * MOST_PIXELS**2)]
    """Two hexadecimal digits for each number, row by row."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if len(self.hex) != 2 * self.rows * self.columns:
            raise ValueError(f"{2 * self.rows * self.columns} hexadecimal digits for {self.rows} x {self.columns}")
        return self


class CrosspointPart(Part):
    """A place in a crossbar."""

    row: Count
    """From 0."""
    pair: Count
    """Of columns, from 0."""
    error: SizeOrNone
    """RMSE that its devices make at the pair's output, model units."""


class CrossbarMapPart(Part):
    """A crossbar's areas and errors; of a large one the root mean squares of neighbours."""

    name: str
    """As in `stages`."""
    rows: Annotated[int, Field(ge=1, le=2**53)]
    """Of the crossbar."""
    pairs: Annotated[int, Field(ge=1, le=2**53)]
    """Of columns."""
    points: Count
    """Operating points that errors are of: samples, or samples at positions."""
    area: RasterPart
    """Of each crosspoint's devices, in units of the reference device."""
    error: Annotated[RasterPart | None, Key(sparse=True)] = None
    """RMSE that each crosspoint makes at its pair's output, model units; left out where there is none."""
    row_errors: Annotated[list[SizeOrNone], Field(max_length=MOST_PIXELS)]
    """What the crosspoints of each of the map's rows make, added as squares."""
    pair_errors: Annotated[list[SizeOrNone], Field(max_length=MOST_PIXELS)]
    """What each of the map's outputs is off by itself, amplifiers included."""
    worst: list[CrosspointPart]
    """Those with the largest errors."""
    open: Count
    """Devices that do not conduct though they should."""
    shorted: Count
    """Devices that are shorts."""
    stuck: list[Annotated[list[Count], Field(min_length=2, max_length=2)]]
    """Row and pair of the first of both."""
    wanted: Annotated[RasterPart | None, Key(sparse=True)] = None
    """The areas that were compiled; left out where the specimen's are the same."""


class DevicePointPart(Part):
    """A device at one operating point."""

    stage: str
    """Of its crossbar."""
    row: Count
    """From 0."""
    pair: Count
    """Of columns, from 0."""
    negative: bool
    """Whether it is on the pair's negative column."""
    sample: Count
    """From 0, in the order of the inputs."""
    volts: float
    """Across it."""


class DeviceUsePart(Part):
    """All devices of one type in crossbars, at some operating points."""

    name: str
    """Of the device's card."""
    devices: Count
    """How many there are."""
    points: Count
    """At how many operating points of each crossbar they were looked at, at most."""
    low_v: float
    """Where what is shown begins."""
    high_v: float
    """Where it ends."""
    shares: Annotated[list[Fraction], Field(min_length=1, max_length=1000)]
    """The part of all device voltages in each of equal bins."""
    currents_a: Annotated[list[float], Field(min_length=2, max_length=1000)]
    """Of a device of area 1 at equally spaced voltages."""
    falling: Fraction
    """The part of all device voltages where the current falls as the voltage rises."""
    beyond: Fraction
    """The part outside of the range of the device's card."""
    examples: Annotated[list[DevicePointPart], Field(max_length=1000), Key(sparse=True)] = Field([])
    """Some of them, from the lowest voltage to the highest."""


class LawPointPart(Part):
    """A part of the circuit at one operating point."""

    stage: str
    """Where it is."""
    part: dict[str, Count]
    """Its numbers, by what they count."""
    sample: Count
    """From 0, in the order of the inputs."""
    moment_s: Figure
    """Since the inference began; null where the answer is an operating point, or only a period's ends are known."""
    at: float
    """Where it is on the law."""
    gives: float
    """What it makes of that."""
    of: dict[str, float]
    """Quantities there, by name and unit."""


class LawUsePart(Part):
    """All parts that have one law, at some operating points."""

    name: str
    """Of the law."""
    kind: Annotated[str, Field(pattern="^(branch|memdiode|high-pass|low-pass|detector)$")]
    """What has it: branches (of their drive, in units), memdiodes (of their drive above the threshold, in 1/alpha),
    filters (of the decades that a tone is above their corner) or detectors (of an amplitude, in volts)."""
    parts: Count
    """How many there are."""
    points: Count
    """At how many operating points of each stage they were looked at, at most."""
    low: float
    """Where what is shown begins."""
    high: float
    """Where it ends."""
    shares: Annotated[list[Fraction], Field(min_length=1, max_length=1000)]
    """The part of all that is used in each of equal bins."""
    values: Annotated[list[float], Field(min_length=2, max_length=1000)]
    """Of the law at equally spaced places."""
    falling: Fraction
    """The part of all where less comes out for a larger voltage that goes in."""
    flat: Fraction
    """The part of all where the law's slope is less than a tenth of the steepest that is shown."""
    examples: Annotated[list[LawPointPart], Field(max_length=1000), Key(sparse=True)] = Field([])
    """Some of them, from the lowest place to the highest."""


class ConfusionPart(Part):
    """How often samples of one class got the largest output of another."""

    of_labels: bool
    """Whether rows are the labels; else they are what the network decided."""
    circuit: Annotated[list[list[Count]], Field(max_length=MOST_CLASSES)]
    """Samples by row and by the circuit's decision."""
    network: Annotated[list[list[Count]], Field(max_length=MOST_CLASSES)]
    """The same of the network; empty where rows are its decisions."""
    failed: list[Count]
    """Of every row the samples without a result."""

    @model_validator(mode="after")
    def _is_square(self) -> Self:
        classes = len(self.failed)
        for matrix in filter(None, (self.circuit, self.network)):
            if len(matrix) != classes or any(len(row) != classes for row in matrix):
                raise ValueError(f"{classes} rows and columns, as there are classes in `failed`")
        return self


class OutputErrorPart(Part):
    """How far one output is off, over the solved samples."""

    output: Count
    """Which, from 0."""
    rmse: SizeOrNone
    """In model units."""
    mean: Figure
    """Of circuit less network, in model units."""
    max_abs: SizeOrNone
    """Of any sample, in model units."""
    relative_rmse: SizeOrNone
    """In standard deviations of this output over samples."""


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
    image: Annotated[RasterPart | None, Key(sparse=True)] = None
    """The inputs, where they are as many as a square image has pixels."""


class CausePart(Part):
    """One imperfection, by itself and left out."""

    name: str
    """`section.key` of the technology, `section.*` for all of a section, "projection", "no imperfection" or "numerical
    error"."""
    value: float | str | None
    """Its value; null for what is no key of the technology."""
    rmse: Annotated[SizeOrNone, Key("alone.gap.rmse")]
    """The gap with this imperfection and no other, in model units."""
    relative_rmse: Annotated[SizeOrNone, Key("alone.gap.relative_rmse")]
    """The same, in standard deviations."""
    failed_samples: Annotated[Count, Key("alone.failed")]
    """How many samples have no result then."""
    without_rmse: Annotated[SizeOrNone, Key("without.gap.rmse")]
    """The gap with all the others, in model units."""
    without_relative_rmse: Annotated[SizeOrNone, Key("without.gap.relative_rmse")]
    """The same, in standard deviations."""
    without_failed_samples: Annotated[Count | None, Key("without.failed")]
    """How many samples have no result then."""
    share: Annotated[Figure, Key("share.fraction")] = None
    """Its part of the whole mean squared error, 1 being all of it; null where its section has one instead. Where the
    network was made of another one, the whole is the error from that."""
    share_standard_error: Annotated[SizeOrNone, Key("share.standard_error")] = None
    """Of the share; 0 where nothing was sampled."""
    own_share: Annotated[Figure, Key("own", sparse=True)] = None
    """Where its section has the share: its own part, the mean of what it adds first of all causes and last of all."""

    def attributes(self) -> dict[str, Any]:
        """Without a trial that was not made, or a share that there is not."""
        found = super().attributes()
        if self.without_failed_samples is None:
            found["without"] = None
        if self.share is None:
            found["share"] = None
        return found


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
    """The whole gap on them: from the learnt network, where the network was made of one."""


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


class OperationsPart(Part):
    """What a computer does for one sample."""

    multiplications: Size
    """With those of functions."""
    additions: Size
    """The same; a comparison is one."""
    functions: Size
    """Of one number, looked up in a table."""
    parameters: Size
    """Numbers that are kept."""
    reads: Size
    """Of parameters."""
    moves: Size
    """Of activations, read or written."""


class DigitalEnergyPart(Part):
    """One inference with numbers of one kind."""

    arithmetic: str
    """Which numbers."""
    memory: str
    """What holds the parameters."""
    energy_j: Size
    """All together."""
    parts_j: dict[str, float]
    """What it is the sum of."""


class ChipEnergyPart(Part):
    """As many multiplications and additions at what a published analogue chip takes for one."""

    chip: str
    """Which, and how it was used."""
    reference: str
    """Who published it where."""
    operations_per_j: Size
    """What they measured."""
    energy_j: Size
    """For this network's."""


class DigitalPart(Part):
    """What a digital circuit takes for the same network, one sample at a time."""

    operations: OperationsPart
    """Counted from the circuit without imperfections."""
    energies: list[DigitalEnergyPart]
    """From published energies of each operation."""
    chips: list[ChipEnergyPart]
    """Of analogue chips that were made."""
    assumptions: list[str]
    """What the figures rest on, and what is left out."""
    evaluations: Annotated[dict[str, Size], Key(sparse=True)] = Field({})
    """Of a KirchhoffNet's periods: how often currents are evaluated."""


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
    modelled_w: Annotated[Figure, Key(sparse=True)] = None
    """Where `power_w` was measured at the supplies of transistors: what macro-models of the amplifiers say."""
    parts_w: Annotated[dict[str, float], Key(sparse=True)] = Field({})
    """What stages take, part by part, mean over the samples."""
    parts_j: Annotated[dict[str, float], Key(sparse=True)] = Field({})
    """What `energy_j` is the sum of; where that is not known, what of it is."""
    digital: Annotated[DigitalPart | None, Key(sparse=True)] = None
    """What a digital circuit takes for the same network."""


class LogDensityPart(Part):
    """Mean log p, in nats, that the network gives to samples of its own and of the circuit, from the same inputs."""

    samples: Count
    """How many."""
    reference: Figure
    """Of the network's samples."""
    circuit: Figure
    """Of the circuit's, followed backwards through the network."""
    error: Figure
    """Root mean square of what following the network's own samples backwards is off by."""
    unknown: Count
    """How many of the circuit's samples could not be followed backwards, and are left out."""
    difference: Figure
    """The circuit's less the network's: below 0 where the circuit's samples are less likely."""


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


class ProjectedLayerPart(Part):
    """A layer made of devices against the learnt one: sums before any norm, in units of the learnt network."""

    name: str
    """`l1` is the first of the learnt network."""
    rmse: Annotated[SizeOrNone, Key("gap.rmse")]
    """What arrived and what was added."""
    relative_rmse: Annotated[SizeOrNone, Key("gap.relative_rmse")]
    """The same, divided by the standard deviation of the learnt network's sums there."""
    max_abs: Annotated[SizeOrNone, Key("gap.max_abs")]
    """Largest error there."""
    added_rmse: Annotated[SizeOrNone, Key("added.rmse")]
    """Against the learnt layer, fed with the values that this one was given."""
    added_relative_rmse: Annotated[SizeOrNone, Key("added.relative_rmse")]
    """The same, divided by the standard deviation of what the learnt layer makes of them."""
    added_max_abs: Annotated[SizeOrNone, Key("added.max_abs")]
    """Largest error that it added."""


class ProjectionGapPart(Part):
    """Against the learnt network that the network was made of; relative to what the network's own outputs vary by."""

    made: GapPart
    """The network of devices: the projection's error alone."""
    whole: GapPart
    """The circuit: the projection's error and the circuit's."""
    samples: Count
    """How many the latter is of: those with a result, and an answer of the learnt network."""
    layers: list[ProjectedLayerPart]
    """Where the projection's error arises."""


class Document(Part):
    """What `kanspice verify` measured."""

    model_config = ConfigDict(title="The sim-to-real gap of one network, circuit and engine")

    schema_: Annotated[Literal["kanspice.gap/1"], Field(alias="schema")]
    """Which contract this is."""
    model: ModelPart
    """The network."""
    inputs: InputsPart
    """The samples."""
    sized_for: Annotated[InputsPart | None, Key(sparse=True)] = None
    """Samples that the circuit is sized for, where they were given apart from those that are measured."""
    specimen: Annotated[SpecimenPart | None, Key(sparse=True)] = None
    """Which specimen of the circuit, where it was not the seed that drew it."""
    measured: Annotated[MeasuredPart | None, Key(sparse=True)] = None
    """Where the outputs of a chip are from, where one was measured."""
    design: DesignPart
    """The circuit."""
    engine: EnginePart
    """What solved it."""
    samples: Annotated[int, Field(gt=0, le=2**53)]
    """How many samples there are, with and without a result."""
    outputs: Annotated[Count | None, Key("width")] = None
    """How many outputs the network has."""
    failed_samples: Annotated[list[FailedPart], Key("failed")]
    """Samples without a result: in no average, but counted as wrong and as disagreement."""
    unstable_fraction: Figure = None
    """Of the samples, that failed because amplifiers do not hold the circuit at its operating point."""
    gap: GapPart
    """The circuit's outputs against the network's."""
    chip: Annotated[ThreeGapsPart | None, Key(sparse=True)] = None
    """The measured chip against both, where there is one."""
    external_gap: Annotated[GapPart | None, Key(sparse=True)] = None
    """The network's outputs against those computed elsewhere, where such were given."""
    external_circuit_gap: Annotated[GapPart | None, Key(sparse=True)] = None
    """The circuit's outputs against those computed elsewhere, where such were given."""
    projection: Annotated[ProjectionGapPart | None, Key(sparse=True)] = None
    """Against the learnt network, where the network was made of one by `kanspice project`."""
    accuracy: Annotated[ComparedPart | None, Key(sparse=True)] = None
    """Fraction of all samples whose largest output is the label, where labels were given."""
    cross_check: Annotated[CrossCheckPart | None, Key(sparse=True)] = None
    """Another engine's answers, where they were asked for."""
    further_checks: Annotated[list[CrossCheckPart], Key(sparse=True)] = Field([])
    """Those of other engines besides."""
    loss: Annotated[ComparedPart | None, Key(sparse=True)] = None
    """Mean squared error from the true answers, where those were given."""
    distribution: Annotated[DistributionPart | None, Key(sparse=True)] = None
    """The samples as distributions, of a network that generates."""
    physical: Annotated[PhysicalPart | None, Key(sparse=True)] = None
    """What an inference costs."""
    numerical_error: Annotated[NumericalPart | None, Key("numerical")]
    """The simulation's own error; null where it was not measured."""
    reference_error: Annotated[NumericalPart | None, Key(sparse=True)] = None
    """The network's own, where it is integrated over time."""
    variation: Annotated[VariationPart | None, Key(sparse=True)] = None
    """How the network's outputs vary."""
    metrics: Annotated[dict[str, Figure], Key(sparse=True)] = Field({})
    """Metrics that no other key here amounts to, by the names that limits know them by."""
    unresolved: list[str] = Field([])
    """Why the gap cannot be told from numerical error; empty where it can, or is too small to matter."""
    stages: list[StagePart]
    """In signal order."""
    causes: Annotated[list[CausePart], Key(sparse=True)] = Field([])
    """What each imperfection does, where that was asked for."""
    attribution: Annotated[AttributionPart | None, Key(sparse=True)] = None
    """How the causes' shares came about."""
    worst_samples: Annotated[list[WorstPart], Key("worst")] = Field([])
    """The solved samples with the largest errors, worst first."""
    anatomy: Annotated[list[StageShapePart], Key(sparse=True)] = Field([])
    """What each stage is made of, in signal order."""
    crossbar_maps: Annotated[list[CrossbarMapPart], Key(sparse=True)] = Field([])
    """Areas and errors of crossbars, of the first of them."""
    device_uses: Annotated[list[DeviceUsePart], Key(sparse=True)] = Field([])
    """Where on their curves the devices of crossbars work."""
    law_uses: Annotated[list[LawUsePart], Key(sparse=True)] = Field([])
    """Where on their laws branches, synapses and filters work."""
    confusion: Annotated[ConfusionPart | None, Key(sparse=True)] = None
    """Which classes are taken for which, of a network that decides between a few."""
    output_errors: Annotated[list[OutputErrorPart], Key(sparse=True)] = Field([])
    """How far each output is off; of many outputs, those with the largest errors."""
    timing: dict[str, SizeOrNone]
    """Seconds, by what they were spent on."""
    memory: dict[str, Count | None] = Field({})
    """Peaks in bytes, by whose they are."""
    limits: list[LimitPart]
    """The limits that were given."""
    passed: bool
    """Every sample solved, every limit kept, engines agree, the gap is resolved."""
    notes: list[str]
    """What a reader has to know."""
    versions: dict[str, str]
    """Of kanspice and of what it computes with."""
    answers_sha256: Annotated[str | None, Key(sparse=True)] = None
    """Of the true classes, as int64, and answers, as float64, that were used."""
    date: Annotated[str | None, Key(sparse=True), Field(pattern=_DATE), AfterValidator(_in_the_calendar)] = None
    """When it was measured, UTC: `2026-11-29T16:08:12Z`."""
    command: Annotated[str | None, Key(sparse=True)] = None
    """The command line that made this."""

    @model_validator(mode="after")
    def _limits_go_the_way_of_their_metrics(self) -> Self:
        """Those of metrics that are known here: a later kanspice may have others."""
        for limit in self.limits:
            metric = metric_named(limit.metric)
            if metric is not None and (metric.better == "more") != (limit.min is not None):
                raise ValueError(f"{'min' if metric.better == 'more' else 'max'} of {metric.name}")
        return self

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        """Samples are among the samples, and means are no larger than what they are means of."""
        failed = [failure.index for failure in self.failed_samples]
        if len(set(failed)) < len(failed):
            raise ValueError("every failed sample once")
        checks = [*self.further_checks, *([] if self.cross_check is None else [self.cross_check])]
        checked = [sample for check in checks for sample in check.samples]
        if max([*failed, *checked, *(sample.index for sample in self.worst_samples)], default=0) >= self.samples:
            raise ValueError(f"numbers of samples below {self.samples}")
        if self.chip is not None and self.chip.measured > self.samples:
            raise ValueError(f"at most {self.samples} samples measured")
        errors = [error for error in (self.numerical_error, self.reference_error) if error is not None]
        if any(error.samples > self.samples for error in errors):
            raise ValueError(f"at most {self.samples} samples solved again")
        parts: list[GapPart | NumericalPart] = [self.gap, *errors]
        for part in parts:
            if part.rmse is not None and part.max_abs is not None and part.rmse > part.max_abs * _ROUNDED:
                raise ValueError("a root of mean squares that is no larger than the largest")
        return self


def to_json(result: GapResult) -> str:
    """JSON text with a fixed order of keys and a final newline. Strict: no NaN, no Infinity.

    A figure that does not exist is null, and so is one that is not finite; a technology's infinite values are the text
    "inf". Keys of what was not asked for are left out.
    """
    return Document.text(result)
