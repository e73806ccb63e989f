"""An identified chip as JSON: the one definition of `kanspice.identification/1`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kanspice.experiments.identify.result import IdentificationResult
from kanspice.experiments.parts import InputsPart
from kanspice.report.codec import Count, Figure, Fraction, Key, Part, Size, SizeOrNone


class FoundKeyPart(Part):
    """A key of the technology."""

    name: str
    """`section.key`."""
    said: float
    """What the technology says."""
    value: float
    """What explains the outputs best."""
    low: float
    """90 % lie above this."""
    high: float
    """And below this."""


class FoundPartPart(Part):
    """The random numbers of one part of the circuit."""

    name: str
    """As in specimens: `l1.crossbar.area`."""
    numbers: Count
    """Of parts that there are."""
    told: Count
    """Of these, those that are known to half a standard deviation."""
    left: Size
    """Root mean square of what of their standard deviations is still unknown."""
    size: Size
    """Root mean square of what was found, in standard deviations."""
    alone: SizeOrNone
    """Gap of the circuit with what was found of this part alone; null where it has no answer."""


class FoundOutputPart(Part):
    """One output of the samples kept apart."""

    output: Count
    """From 0."""
    ratio: Size
    """Squared errors over what they are expected to be."""


class TellingPart(Part):
    """A sample that was not measured."""

    sample: Count
    """From 0."""
    nats: Size
    """What its outputs would tell."""


class SuspectPart(Part):
    """A cause that the twin has none of."""

    name: str
    """`section.key` of the technology, or a column of a crossbar whose devices are missing, a part of them."""
    said: Figure
    """What the technology says; null for what is infinite."""
    value: Figure
    """What would explain most, to first order; it may be what cannot be, where nothing speaks for the cause."""
    seen: Figure
    """From here on these samples find it out, in nine of ten chips."""
    score: float
    """What speaks for it, in standard deviations."""
    chance: Fraction
    """Of chips of the technology, as many have a cause that speaks as loudly."""


class MeasuredCausePart(Part):
    """A part of the measured gap, for the samples kept apart."""

    name: str
    """`section.key`, `section.*`, `not explained by the twin`, or `no imperfection`."""
    value: float | str | None
    """Of the key, as found."""
    alone: SizeOrNone
    """Gap that it makes by itself, of the network's spread."""
    share: Figure
    """Of the mean squared gap that was measured; null where its section has one instead."""
    standard_error: SizeOrNone
    """Of the share; 0 where nothing was drawn."""


class DrawnFitsPart(Part):
    """Chips that were drawn from the technology and fitted, until one said that fits are not to be believed."""

    chips: Count
    """How many were drawn."""
    missed: Count
    """How many of them are not explained either."""
    bends: Size
    """Squares of what outputs do that is not linear in what is left unknown, over those of what is: the most of any."""
    are_linear: bool
    """Whether that is little enough for tests that take outputs for linear in what is left unknown."""


class IdentificationDocument(Part):
    """Which chip was measured."""

    schema_: Annotated[Literal["kanspice.identification/1"], Field(alias="schema")]
    """The contract."""
    model: str
    """The network's file."""
    family: str
    """Of the network."""
    technology: str
    """Its name, with what was overridden."""
    source: str
    """Of the measured outputs."""
    samples: Count
    """All of them."""
    sized_for: Annotated[InputsPart | None, Key(sparse=True)] = None
    """Samples that the circuit is sized for, where they were given apart from those."""
    fitted: Count
    """Measured samples that the twin was fitted to."""
    judged: Count
    """Measured samples that were kept apart."""
    numbers: Count
    """Measured numbers that it was fitted to."""
    noise: Size
    """Of these, of the network's spread."""
    unknowns: Count
    """Of the circuit."""
    informed: Size
    """How many unknowns' worth the numbers told."""
    chi_squared: Size
    """Of what is left of the numbers that it was fitted to, per number."""
    gap: Size
    """Of the measured outputs against the network, relative."""
    nominal_error: Size
    """Of the circuit as it was meant to be, for the samples kept apart, of the network's spread."""
    error: Size
    """Of the twin, for the same."""
    ratio: Size
    """Of the twin's squared errors there over what they are expected to be; 1 is right."""
    effort: Size
    """Squares of what is left and of the unknowns that it took, per fitted number; 1 is right."""
    chance: Fraction
    """Of chips of the technology, as many are that unlikely, or more."""
    covered: Fraction
    """Of the outputs of samples kept apart, those within their 90 % intervals."""
    is_explained: bool
    """Whether the chip may be one of the technology."""
    came_near: bool
    """Whether fits of drawn chips find these, and tests that take outputs for linear are to be believed: a chip that is
    not explained is rejected where this is so, else not known; true where that was not asked."""
    drawn: DrawnFitsPart | None
    """Why: what the same fits make of drawn chips; null where that was not asked."""
    keys: list[FoundKeyPart]
    """Of the technology, that were not known."""
    parts: list[FoundPartPart]
    """Those that make most of the gap first."""
    outputs: list[FoundOutputPart]
    """Every output of the samples kept apart."""
    telling: list[TellingPart]
    """Samples to measure next, each beside those before it."""
    suspects: list[SuspectPart]
    """Causes that the twin has none of, the one that most speaks for first."""
    causes: list[MeasuredCausePart]
    """Of the measured gap of the samples kept apart, the largest share first."""
    gap_apart: SizeOrNone
    """That gap, of the network's spread."""
    left_out: list[str]
    """Random parts that the twin has none of."""
    specimen: str | None
    """The file with the specimen's numbers."""
    command: str | None
    """What was called, if a command was."""


def identification_json(result: IdentificationResult) -> str:
    """JSON text; a figure that does not exist is null."""
    return IdentificationDocument.text(result)
