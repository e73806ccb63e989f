"""A projection as JSON: the one definition of `kanspice.projection/1`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kanspice.experiments.parts import GapPart, InputsPart, ModelPart
from kanspice.experiments.project.result import Projection
from kanspice.report.codec import Count, Fraction, Part, Size, SizeOrNone


class LayerErrorPart(Part):
    """A layer made of devices against the learnt one: its sums, before any norm."""

    name: str
    """`l1` is the first of the learnt network."""
    edges: Count
    """Learnt functions."""
    exact: SizeOrNone
    """Relative RMSE, with the learnt network's own values as inputs."""
    arrived: SizeOrNone
    """The same, with the values of the network of devices."""
    largest_area: Size
    """Of its devices, in units of a card."""
    total_area: Size
    """Of all of them together."""


class EdgeErrorPart(Part):
    """An edge made of devices."""

    layer: Count
    """From 1."""
    source: Count
    """The layer's input, from 0."""
    target: Count
    """The layer's output, from 0."""
    rmse: Size
    """Over the samples, in standard deviations of the layer's sums."""
    relative: SizeOrNone
    """The same in standard deviations of the edge's own function; null where that does not vary."""


class SubsetPart(Part):
    """What some of the cards would do, without fine-tuning."""

    devices: list[str]
    """Which."""
    relative_rmse: SizeOrNone
    """Of the outputs."""
    argmax_agreement: Fraction | None
    """Fraction of samples whose largest output is the learnt network's."""
    accuracy: Fraction | None
    """With labels."""
    largest_area: Size
    """Of the devices before scales are folded in, in units of a card."""


class AccuracyPart(Part):
    """Fractions of the samples whose largest output is the label's."""

    network: Fraction
    """Of the learnt network."""
    projected: Fraction
    """Of the network of devices."""
    tuned: Fraction | None
    """After fine-tuning; null without."""


class TuningPart(Part):
    """Fine-tuning on the learnt network's outputs, and what it did on samples that it did not see."""

    epochs: Count
    """Over the samples that it saw."""
    trained: Count
    """How many."""
    held_out: Count
    """How many it did not see: every fifth."""
    before: GapPart
    """Of the projection, on the samples held out."""
    unseen: GapPart
    """Of the tuned network, on the same."""
    seen: GapPart
    """Of the tuned network, on the samples that it saw."""
    kept: bool
    """Whether it is better on what it did not see: only then it is written."""


class ProjectionDocument(Part):
    """A KAN whose edges are made of devices."""

    schema_: Annotated[Literal["kanspice.projection/1"], Field(alias="schema")]
    """The contract."""
    model: ModelPart
    """The learnt network."""
    inputs: InputsPart
    """The samples."""
    samples: Count
    """How many."""
    devices: list[str]
    """Cards of every crosspoint."""
    constant: bool
    """Whether every edge may have a constant; they are added up into biases."""
    ridge: Size
    """What holds areas back."""
    top_v: Size
    """Hidden values reach devices as 0 to this."""
    inputs_mapped: bool
    """Whether a first layer of resistors maps the network's inputs."""
    gap: GapPart
    """The network of devices against the learnt one."""
    tuning: TuningPart | None
    """Fine-tuning; null without."""
    is_tuned: bool
    """Whether the network that was written is fine-tuned."""
    accuracy: AccuracyPart | None
    """With labels."""
    layers: list[LayerErrorPart]
    """Layer by layer."""
    worst: list[EdgeErrorPart]
    """The edges that are fitted worst."""
    max_edge: SizeOrNone
    """What an edge's `rmse` may be; null without a limit."""
    beyond: list[EdgeErrorPart]
    """The edges above that."""
    subset_samples: Count
    """On so many samples subsets were tried."""
    subsets: list[SubsetPart]
    """Every subset of the cards, the best of each size first."""
    notes: list[str]
    """How the network was read."""
    command: str | None
    """What was called, if a command was."""


def projection_json(result: Projection) -> str:
    """JSON text; a figure that does not exist is null."""
    return ProjectionDocument.text(result)
