"""Settling times of many draws as JSON, `kanspice.settling-study/1`: the same bytes whoever measured them."""

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
from kanspice.experiments.settle.study import SettlingStudy
from kanspice.report.codec import Count, Figure, Fraction, Key


class SettlingPointPart(PointPart):
    """One technology of a study of settling times."""

    metrics: Summaries
    """What all draws come to, by metric; null where no draw has a figure."""
    draws: EveryDraw
    """Every draw."""


class CheckedSettlingPart(DrawPart):
    """The first samples of one draw by another engine too."""

    engine: Annotated[str, Key("found.engine")]
    """Which."""
    samples: Annotated[Count, Key("found.samples")]
    """How many."""
    max_relative: Annotated[Figure, Key("found.max_relative")]
    """Largest difference of the outputs at the read-out times, in their standard deviations."""
    relative_rmse: Annotated[Figure, Key("found.relative_rmse")]
    """Root of the mean squared difference, in the same."""


class SettlingStudyDocument(StudiedDocument):
    """How fast many draws of a circuit answer, at corners and along sweeps."""

    schema_: Annotated[Literal["kanspice.settling-study/1"], Field(alias="schema")]
    """The contract."""
    metric: Annotated[str, Key("found.metric")]
    """What the study is about."""
    points: list[SettlingPointPart]
    """Corners times swept values, the last sweep's changing fastest."""
    worst: WorstDrawPart
    """The worst draw of all points."""
    cross_check: Annotated[list[CheckedSettlingPart], Key("found.checks")]
    """Draws that another engine followed too."""
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


def settling_study_json(result: SettlingStudy) -> str:
    """JSON text with a fixed order of keys and a final newline. A figure that does not exist is null."""
    return SettlingStudyDocument.text(viewed(result))
