"""A sensitivity analysis as JSON: the one definition of `kanspice.sensitivity/1`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kanspice.experiments.parts import CrossCheckPart, Facts, InputsPart, ModelPart
from kanspice.experiments.sensitivity.result import Sensitivity
from kanspice.report.codec import Count, Figure, Key, Part, Size, SizeOrNone


class SpreadPart(Part):
    """How a figure is distributed over specimens."""

    mean: Figure
    """Of them."""
    std: SizeOrNone
    """Standard deviation."""
    low: Figure
    """What 5 % of them are below."""
    high: Figure
    """What 95 % of them are below."""


class PredictionPart(Part):
    """By derivatives, without a draw."""

    method: str
    """columns: by exact derivatives, column by column. probes: by random backward passes, known to ten or twenty
    percent."""
    nominal: SizeOrNone
    """The gap (relative RMSE) of the circuit whose random numbers are all 0."""
    gap: SpreadPart
    """Relative RMSE."""
    spread_rmse: SizeOrNone
    """Of outputs around the circuit whose random numbers are all 0, in model units."""
    accuracy: SpreadPart | None
    """Of the linear circuit; null without labels, or with probes."""
    seconds: Size
    """Of processor, without those for the accuracy."""


class DrawnPart(Part):
    """Specimens that were drawn and solved."""

    draws: Count
    """How many."""
    failed: Count
    """How many have samples without a result; they are in no figure here."""
    gap: SpreadPart
    """Relative RMSE."""
    std_error: SizeOrNone
    """Of the standard deviation of the gap; null of one draw, as those that follow."""
    std_low: SizeOrNone
    """What the standard deviation of the gap is above, were there any number of draws, with 95 %."""
    std_high: SizeOrNone
    """And below, with 95 %: few draws say less than `std_error` alone."""
    largest: SizeOrNone
    """The largest gap."""
    spread_rmse: SizeOrNone
    """Of outputs around their means, in model units."""
    accuracy: SpreadPart | None
    """null without labels."""
    seconds: Size
    """Of processor."""


class PartSharePart(Part):
    """An array of random numbers."""

    name: str
    """As draws name it: `l1.crossbar.area`."""
    numbers: Count
    """How many."""
    share: Size
    """Of the mean squared error that all random numbers make, to first order: these add up to 1."""
    relative_rmse: Annotated[SizeOrNone, Key("alone")]
    """What they make by themselves."""
    largest: SizeOrNone
    """What the number that does most makes by itself, relative RMSE."""
    place: list[Count]
    """Which number that is, by its place in the array from 0."""


class KeyEffectPart(Part):
    """A number of the technology that is above 0."""

    name: str
    """Its key: `tia.gain`."""
    value: Size
    """What it is."""
    effect: Figure
    """By how many percent the gap changes for 1 % more of it."""
    std_error: SizeOrNone
    """Of the effect, over specimens."""


class WorstSpecimenPart(Part):
    """The worst specimen that a search found."""

    sigmas: Size
    """All its random numbers are within so much of 0."""
    relative_rmse: Annotated[SizeOrNone, Key("gap")]
    """Its gap."""
    accuracy: Figure
    """null without labels."""
    path: str
    """Its file; empty where none was wanted."""
    sha256: str
    """Of that."""
    steps: Count
    """Backward passes of the search."""
    blocked: Count
    """Samples without a result in specimens farther along."""
    seconds: Size
    """Of processor."""
    cross_check: CrossCheckPart | None
    """Some of its samples by another engine."""


class RarePart(Part):
    """How many of all specimens are beyond a limit, by importance sampling."""

    metric: str
    """What the limit is on."""
    limit: float
    """What it may be at most; of accuracy and agreement, at least."""
    probability: SizeOrNone
    """Of a specimen beyond it, or with samples without a result."""
    standard_error: SizeOrNone
    """Of the probability."""
    draws: Count
    """Specimens that were solved."""
    beyond: Count
    """How many of them are beyond the limit."""
    effective: SizeOrNone
    """So many draws of equal weight would know as much."""
    plain: Count
    """How many are beyond it of those that were drawn as they come."""
    plain_draws: Count
    """Of how many."""
    seconds: Size
    """Of processor."""


class SensitivityDocument(Part):
    """Which random parts of a circuit matter, how far specimens are off, and which is worst."""

    schema_: Annotated[Literal["kanspice.sensitivity/1"], Field(alias="schema")]
    """The contract."""
    model: ModelPart
    """The network."""
    inputs: InputsPart
    """The samples."""
    sized_for: Annotated[InputsPart | None, Key(sparse=True)] = None
    """Samples that circuits are sized for, where they were given apart from those."""
    samples: Count
    """How many of them the network has an answer for."""
    seed: Count
    """Of everything that was drawn."""
    technology: Annotated[Facts, Key(infinite=True)]
    """Every value of the technology by section and key; "inf" for infinity."""
    prediction: PredictionPart
    """By derivatives."""
    drawn: DrawnPart | None
    """Beside it; null without draws."""
    parts: list[PartSharePart]
    """Every array of random numbers, that with the largest share first."""
    keys: list[KeyEffectPart]
    """Every number of the technology that the gap depends on, that with the largest effect first."""
    worst: WorstSpecimenPart | None
    """The worst specimen."""
    rare: list[RarePart]
    """For each limit."""
    fixed: list[str]
    """What differs between drawn specimens besides, and has no gradient: prediction and worst have that of the seed."""
    notes: list[str]
    """What a reader has to know."""
    versions: dict[str, str]
    """Of kanspice and of what it computes with."""
    command: str | None
    """What was called, if a command was."""


def sensitivity_json(result: Sensitivity) -> str:
    """JSON text; a figure that does not exist is null."""
    return SensitivityDocument.text(result)
