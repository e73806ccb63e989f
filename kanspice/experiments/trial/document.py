"""A trial of a device as JSON: the one definition of `kanspice.trial/1`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kanspice.experiments.parts import Facts, FailedPart
from kanspice.experiments.trial.result import DeviceTrial
from kanspice.report.codec import Count, Fraction, Key, Part, Size, SizeOrNone


class TaskTrialPart(Part):
    """One device on one task."""

    task: str
    """Which: `digits` or `two moons`."""
    network: Fraction
    """Accuracy of the network."""
    ideal: SizeOrNone
    """Of its ideal circuit; null where there is none."""
    typical: list[Fraction]
    """Of specimens of its circuit in the technology."""
    mean: SizeOrNone
    """Of these; null without any."""
    range_v: Size
    """Volts that the network has, from 0."""
    input_v: Size
    """The largest of its inputs, volts."""
    failed: list[FailedPart]
    """Samples without a result, of the specimen that has most of them."""
    unstable: Fraction
    """The part of the samples that swing."""
    why_none: Annotated[str, Key(sparse=True)] = ""
    """Why there is no circuit in the technology."""


class PeakPart(Part):
    """Where a current is largest before it falls, and where it is smallest after that."""

    peak_v: float
    """Volts."""
    peak_i: float
    """Units of the card."""
    valley_v: float
    """Volts."""
    valley_i: float
    """Units of the card."""
    peak_to_valley: SizeOrNone
    """Of the currents; null where the valley's is not above 0."""


class TriedDevicePart(Part):
    """A device and what networks of it do."""

    name: Annotated[str, Key("device.name")]
    """Of its card."""
    sha256: Annotated[str, Key("device.sha256")]
    """Of what its card says."""
    own: bool
    """Whether it is the one that was asked about."""
    largest_a: SizeOrNone
    """Its largest current above 0 V, amps; null where its card does not say what a unit is."""
    peak: PeakPart | None
    """null where its current never falls."""
    trials: list[TaskTrialPart]
    """By task."""


class DeviceTrialDocument(Part):
    """What small networks of a device do, and those of others."""

    schema_: Annotated[Literal["kanspice.trial/1"], Field(alias="schema")]
    """The contract."""
    source: str
    """The file, card or name that the device is from; empty for one from Python."""
    devices: list[TriedDevicePart]
    """The one that was asked about first."""
    technology: Annotated[Facts, Key("technology_values", infinite=True)]
    """Of circuits that are not ideal, every value by section and key, but for the mismatch on devices' own cards; "inf"
    for infinity."""
    specimens: Count
    """Of each of these."""
    reading: list[str]
    """How the file was read."""
    left_out: list[str]
    """Why a task is not there."""
    seconds: Size
    """That it took."""
    command: str | None
    """What was called, if a command was."""


def trial_json(result: DeviceTrial) -> str:
    """JSON text; a figure that does not exist is null."""
    return DeviceTrialDocument.text(result)
