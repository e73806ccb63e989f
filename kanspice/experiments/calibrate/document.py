"""A calibration as JSON: the one definition of `kanspice.calibration/1`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kanspice.experiments.calibrate.result import CalibrationResult
from kanspice.experiments.parts import InputsPart
from kanspice.report.codec import Count, Fraction, Key, Part, Size, SizeOrNone


class ChipPart(Part):
    """A chip against its network, on samples that no calibration was told of."""

    gap: SizeOrNone
    """Relative root mean square of its outputs, of the samples that have a result; null if none has."""
    accuracy: Fraction | None
    """Fraction of all samples whose largest output is the label's, one without a result being wrong; null without
    labels."""
    samples: Count
    """How many."""
    failed: Count
    """Of these without a result."""


class CandidatePart(Part):
    """One set of trims for one number of measured samples."""

    measurements: Count
    """Measured samples."""
    trims: str
    """What is set, joined by `+`."""
    fitted: Count
    """Of the samples, those that it was fitted to."""
    judged: Count
    """And those that said whether it helps."""
    untouched: Size
    """Gap of the latter as they were measured."""
    judged_gap: SizeOrNone
    """The same with the trims, as the twin says what they change; of those that rails leave an answer, null where they
    leave none."""
    judged_failed: Count
    """How many of these samples would ask more of amplifiers than their rails: it is the gap of the others."""
    expected_gap: SizeOrNone
    """Of samples that were not measured, as the twin has it and by what it is off; null likewise."""
    expected_failed: Count
    """Of these, samples that would ask more of amplifiers than their rails, as the twin has it."""
    is_used: bool
    """Whether it helps beyond chance."""
    set_count: Count
    """Trims that are not left as they are."""
    chip: ChipPart | None
    """A simulated chip with these set; null for one that was measured."""


class TwinPart(Part):
    """A chip's twin: the specimen that explains what was measured."""

    measurements: Count
    """Measured samples."""
    error: Size
    """Of its outputs for measured samples that it was not fitted to, of the network's spread."""
    untouched_error: Size
    """The same of the circuit as it was meant to be."""
    chi_squared: Size
    """Of what is left, per measured number."""
    noise: Size
    """That it was fitted with, of the network's spread."""
    unknowns: Count
    """Of the specimen."""


class CalibrationDocument(Part):
    """What to set on one chip."""

    schema_: Annotated[Literal["kanspice.calibration/1"], Field(alias="schema")]
    """The contract."""
    model: str
    """The network's file."""
    family: str
    """Of the network."""
    technology: str
    """Its name, with what was overridden."""
    chip: str
    """Which one."""
    samples: Count
    """All of them."""
    sized_for: Annotated[InputsPart | None, Key(sparse=True)] = None
    """Samples that the circuit is sized for, where they were given apart from those."""
    measured: Count
    """Those whose outputs were measured and known here."""
    bits: Count
    """That trims are set with."""
    area_fraction: Fraction
    """Of the devices that may be programmed again."""
    keys: list[str]
    """Of the technology, that are not known."""
    left_out: list[str]
    """Random parts that the twin has none of."""
    untouched: ChipPart | None
    """A simulated chip as it is; null for one that was measured."""
    network_accuracy: Fraction | None
    """On the same samples, with labels."""
    candidates: list[CandidatePart]
    """By measurements and trims."""
    best: Count | None
    """The place among them of what is to be set; null for nothing."""
    twins: list[TwinPart]
    """By measurements."""
    output: str | None
    """The file with what to set."""
    command: str | None
    """What was called, if a command was."""


def calibration_json(result: CalibrationResult) -> str:
    """JSON text; a figure that does not exist is null."""
    return CalibrationDocument.text(result)
