"""A study as JSON: the one definition of `kanspice.study/1`. The same bytes whoever measured it, and however."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kanspice.experiments.draw_parts import (
    DrawPart,
    EveryDraw,
    PointPart,
    StudiedDocument,
    Summaries,
    WorstDrawPart,
    viewed,
)
from kanspice.experiments.parts import (
    NotCheckedPart,
    NumericalPart,
    OtherEnginePart,
    OtherOutcomePart,
    VariationPart,
)
from kanspice.experiments.study.result import StudyResult
from kanspice.report.codec import Count, Fraction, Key, Part, Size, SizeOrNone


class StudyPointPart(PointPart):
    """One technology of a study of gaps."""

    told_apart_draws: Annotated[Count | None, Key("found.told_apart")]
    """Draws whose samples are not those of the network's distribution; null where a network generates none."""
    numerical_relative_rmse: Annotated[SizeOrNone, Key("found.numerical")]
    """Relative RMSE of the draws' own numerical errors, the largest; null where none was measured."""
    metrics: Summaries
    """What all draws come to, by metric; null where no draw has a figure."""
    draws: EveryDraw
    """Every draw."""


class CheckedDrawPart(DrawPart):
    """Some samples of one draw solved by another engine too."""

    engine: Annotated[OtherEnginePart, Key("found")]
    """Which."""
    samples: Annotated[list[Count], Key("found.samples")]
    """Their places among the inputs, from 0."""
    worst_relative: Annotated[SizeOrNone, Key("found.worst")]
    """Largest difference of any output, in standard deviations of the outputs."""
    allowed: Annotated[Size, Key("found.allowed")]
    """What it may be."""
    different_outcomes: Annotated[list[OtherOutcomePart], Key("found.outcomes")]
    """Samples that one engine solved and the other did not."""
    not_checked: Annotated[list[NotCheckedPart], Key("found.not_checked")]
    """Samples that one of them could not try."""
    passed: Annotated[bool, Key("found.passed")]
    """Whether they agree on every sample, and both tried it."""


class StudyCheckPart(Part):
    """Draws that another engine looked at too."""

    draws: Annotated[list[CheckedDrawPart], Key("checks")]
    """Which, and what it found."""
    why_none: Annotated[str | None, Key("why_unchecked")]
    """Why there are none, where some should be."""
    passed: Annotated[bool | None, Key("checks_passed")]
    """Whether the engines agree; null where that is not known."""


class GapsDocument(StudiedDocument):
    """What documents have of the gaps of many draws of a circuit."""

    reference_accuracy: Annotated[Fraction | None, Key("found.reference_accuracy")]
    """The network's own, with labels."""
    reference_loss: Annotated[SizeOrNone, Key("found.reference_loss", sparse=True)] = None
    """The network's own mean squared error, with targets."""
    reference_error: Annotated[NumericalPart | None, Key("found.reference_error")]
    """The network's own numerical error, where it is integrated over time."""
    variation: Annotated[VariationPart, Key("found.variation")]
    """How the network's outputs vary over the samples."""
    metric: Annotated[str, Key("found.metric")]
    """What the study is about."""
    points: list[StudyPointPart]
    """Corners times swept values, the last sweep's changing fastest."""
    worst: WorstDrawPart
    """The worst draw of all points."""
    cross_check: Annotated[StudyCheckPart, Key("found")]
    """What another engine found."""
    unresolved_fraction: Annotated[Fraction, Key("found.unresolved_fraction")]
    """Of all draws, that cannot be told from numerical error."""
    undecided_points: Annotated[list[Count], Key("found.undecided.point.index")]
    """Points whose verdict rests on such draws."""
    yield_min: Annotated[Fraction | None, Key("found.request.wanted_yield")]
    """The fraction of good draws that every point needs, if any."""
    measured: Annotated[bool, Key("found.is_measured")]
    """Whether the numbers answer what was asked."""
    passed: Annotated[bool, Key("found.passed")]
    """Whether the exit code is 0."""


class StudyDocument(GapsDocument):
    """Gaps of many draws of a circuit, at corners and along sweeps."""

    schema_: Annotated[Literal["kanspice.study/1"], Field(alias="schema")]
    """The contract."""


def to_json(result: StudyResult) -> str:
    """JSON text with a fixed order of keys and a final newline. A figure that does not exist is null."""
    return StudyDocument.text(viewed(result))
