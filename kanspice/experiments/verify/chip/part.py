"""What a measured chip is in the JSON of `verify`."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from kanspice.experiments.parts import GapPart
from kanspice.report.codec import Count, Figure, Key, Part, SizeOrNone


class MeasuredPart(Part):
    """Where the outputs of a chip are from."""

    path: str
    """As it was given; empty where they came from Python."""
    sha256: str
    """Of the outputs that were used, as float64 in the order of memory."""


class ChipOutputPart(Part):
    """One output of the chip over the samples that are compared, in model units; null where none of it was measured."""

    index: Count
    """From 0."""
    values: Count
    """How many are compared."""
    from_network: SizeOrNone
    """Root of the mean squared error of the chip from the network."""
    from_circuit: SizeOrNone
    """Root of the mean squared error of the chip from the circuit."""
    offset: Figure
    """Mean of the chip less the circuit."""


class ThreePart(Part):
    """A figure of network, circuit and chip."""

    reference: SizeOrNone
    """The network's."""
    circuit: SizeOrNone
    """The circuit's."""
    chip: SizeOrNone
    """The chip's."""


class NominalPart(Part):
    """The chip against the circuit without random parts, as the batched engine solves it."""

    gap: GapPart
    """The chip's outputs against that circuit's."""
    failed: Count
    """Samples that are compared otherwise, and have no result of it."""


class UnfittedPart(Part):
    """The chip over the samples that the circuit's specimen was not fitted to."""

    network: GapPart
    """The chip's outputs against the network's."""
    circuit: GapPart
    """The chip's outputs against the circuit's."""
    samples: Count
    """How many samples these are."""
    fitted: Count
    """How many of those that are compared it was fitted to."""
    explained: Annotated[float, Field(le=1)] | None
    """As of all samples."""
    explained_error: SizeOrNone = None
    """Its standard error."""


class ThreeGapsPart(Part):
    """A measured chip against network and circuit: three gaps over the same outputs of the same samples.

    These are the outputs that were measured of samples that network and circuit have an answer for. Agreements are
    fractions of those of them of which every output was measured.
    """

    network: GapPart
    """The chip's outputs against the network's: the real gap."""
    circuit: GapPart
    """The chip's outputs against the circuit's: what the simulation misses."""
    simulated: GapPart
    """The circuit's outputs against the network's, over the same."""
    measured: Count
    """Samples of which some output was measured."""
    complete: Count
    """Samples of which every output was measured."""
    failed: Count
    """Samples that were measured and have no result of the circuit: in none of these gaps, nor in their agreements."""
    compared: Count
    """The other measured samples, which the gaps are of."""
    explained: Annotated[float, Field(le=1)] | None
    """1 - |chip - circuit|^2 / |chip - network|^2; below 0 where the chip is farther from the circuit than from the
    network, null where it is the network."""
    explained_error: SizeOrNone = None
    """Its standard error, as samples are drawn at random; null of fewer than two."""
    correlation: Annotated[float, Field(ge=-1, le=1)] | None
    """Cosine of the angle between circuit - network and chip - network, as vectors of all outputs."""
    gain: Figure = None
    """Slope of the chip's outputs over the network's, of all outputs together, each about its mean."""
    accuracy: Annotated[ThreePart | None, Key(sparse=True)] = None
    """Fraction of the complete samples whose largest output is the label, where labels were given."""
    loss: Annotated[ThreePart | None, Key(sparse=True)] = None
    """Mean squared error from the true answers over the outputs that are compared, where those were given."""
    nominal: Annotated[NominalPart | None, Key(sparse=True)] = None
    """Where the circuit's parts are random: without."""
    unfitted: Annotated[UnfittedPart | None, Key(sparse=True)] = None
    """Where the circuit's specimen was fitted to some of what was measured: without that."""
    outputs: list[ChipOutputPart]
    """Each."""

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        """Samples are among the samples."""
        if self.complete > self.measured or self.failed + self.compared != self.measured:
            raise ValueError("complete ones among the measured, which failed or are compared")
        return self
