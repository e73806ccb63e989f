"""Two results side by side as JSON: the one definition of `kanspice.comparison/1`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from kanspice.experiments.compare.comparison import Comparison
from kanspice.experiments.compare.wording import headline, remarks
from kanspice.report.codec import Figure, Key, Part, SizeOrNone

Unbounded = Annotated[Figure | Literal["inf", "-inf"], Key(infinite=True)]
"""null where there is none; "inf" where it is too large for a number."""


class PairPart(Part):
    """One figure before and after."""

    name: str
    """Whose it is."""
    before: Unbounded
    """null where the first result has none."""
    after: Unbounded
    """null where the second has none."""
    growth: Unbounded
    """Signed, a fraction of what it was before, without regard to numerical error; null where that was nothing."""


class StagePairPart(Part):
    """One stage before and after."""

    name: str
    """Layer and kind: `l1.crossbar`."""
    relative_rmse: Annotated[PairPart, Key("gap")]
    """Against the network's values there."""
    added_relative_rmse: Annotated[PairPart, Key("added")]
    """What the stage did itself."""


class ChangePart(Part):
    """One fact that is not the same."""

    name: str
    """`section.key`."""
    before: Annotated[Any, Key(infinite=True)]
    """null where it is missing."""
    after: Annotated[Any, Key(infinite=True)]
    """null where it is missing."""


class GrowthLimitPart(Part):
    """What the gap may have grown by, and did."""

    metric: str
    """`relative_rmse_growth`."""
    value: Figure
    """What was found; null where that is not known."""
    max: float
    """What it may be."""


class ComparisonDocument(Part):
    """Two results of `kanspice verify`, before and after a change."""

    schema_: Annotated[Literal["kanspice.comparison/1"], Field(alias="schema")]
    """The contract."""
    before: Annotated[str, Key("found.before.model.path")]
    """The first result's network, as it was given."""
    after: Annotated[str, Key("found.after.model.path")]
    """The second's."""
    comparable: Annotated[bool, Key("found.is_comparable")]
    """Whether the two gaps say something about each other."""
    obstacles: Annotated[list[str], Key("found.obstacles")]
    """Why they do not, if so."""
    remarks: list[str]
    """What a reader has to know of the two."""
    verdict: Annotated[str, Key("verdict.text")]
    """What the comparison amounts to, in a sentence."""
    growth: Annotated[SizeOrNone, Key("found.growth")]
    """By what fraction the gap grew beyond both runs' numerical error; 0 where it did not; null where unknown."""
    limit: Annotated[GrowthLimitPart | None, Key("found.limit")]
    """On that growth; null without."""
    measured: Annotated[bool, Key("found.measured")]
    """Whether both runs solved every sample, and what was asked about them has an answer."""
    passed: Annotated[bool, Key("found.passed")]
    """Whether the exit code is 0."""
    figures: Annotated[list[PairPart], Key("found.pairs")]
    """Of the whole circuit, those that either result has."""
    stages: Annotated[list[StagePairPart], Key("found.stages")]
    """Every stage that either has, by name."""
    causes: Annotated[list[PairPart], Key("found.causes")]
    """What each imperfection does by itself (relative RMSE), where both were asked."""
    technology: Annotated[list[ChangePart], Key("found.technology")]
    """Every value that is not the same; "inf" for infinity."""
    facts: Annotated[list[ChangePart], Key("found.facts")]
    """Everything else that is not the same: network, samples, circuit, engine, versions."""


def comparison_json(found: Comparison) -> str:
    """JSON text; a figure that does not exist is null."""
    return ComparisonDocument.text({"found": found, "remarks": remarks(found), "verdict": headline(found)})
