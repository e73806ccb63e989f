"""Parts that documents of many draws have, whatever is measured of each: points, distributions, the worst draw."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from kanspice.experiments.ensemble.draws import PointDraws
from kanspice.experiments.parts import Facts
from kanspice.experiments.studied import Studied
from kanspice.report.codec import Count, Figure, Fraction, Key, Part, SizeOrNone, finite


class StudiedModelPart(Part):
    """The network whose circuits were drawn."""

    path: Annotated[str, Key("model.path")]
    """As it was given."""
    family: Annotated[str, Key("model.family")]
    """Of networks."""
    format: Annotated[str | None, Key("model.format")]
    """Whose checkpoint format it is."""
    sha256: Annotated[str, Key("model.sha256")]
    """Of the checkpoint's bytes, in hexadecimal."""
    parameters: Annotated[Count, Key("model.parameters")]
    """The number of trainable numbers."""
    notes: Annotated[list[str], Key("model_notes")]
    """How it was read."""


class YieldPart(Part):
    """Good draws of a point: every sample has a result, every limit is kept, and that is more than numerical error."""

    good: Count
    """How many are."""
    draws: Count
    """Of how many."""
    fraction: Fraction
    """Of the draws."""
    low: Fraction | None
    """What the fraction of all specimens ever made is at least, with 95 % confidence; null where nothing is random."""
    high: Fraction | None
    """What it is at most."""


class SummaryPart(Part):
    """One metric over the draws that have a figure."""

    draws: Count
    """How many have one."""
    mean: Figure
    """Over those draws."""
    std: SizeOrNone
    """Standard deviation of single draws (n - 1); null for one draw."""
    quantiles: Annotated[dict[str, Figure], Key("quantiles_by_level")]
    """By the fraction of draws that are at most so large: "0.5" is the median."""


class PointDrawsPart(Part):
    """Every draw of a point: lists in the same order, by metric, too. null where a draw has no such figure."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, list[Figure]] = Field(init=False)

    trial: Annotated[list[Count], Key("draws.trial")]
    """From 0."""
    seed: Annotated[list[Count], Key("draws.seed")]
    """With which `--seed` measures the draw by itself; the same at every point."""
    good: list[bool]
    """Whether every sample has a result and every limit is kept."""
    failed_samples: Annotated[list[dict[str, Count]], Key("draws.failed")]
    """How many samples have no result, by outcome."""
    unresolved: Annotated[list[list[str]], Key("draws.unresolved")]
    """Why the figures cannot be told from numerical error, if so."""

    @classmethod
    def written(cls, noun: object) -> dict[str, Any]:
        """The draws of a point, and their metrics by name."""
        if not isinstance(noun, PointDraws):
            raise TypeError(noun)
        metrics = {metric: [draw.metrics[metric] for draw in noun.draws] for metric in noun.metrics}
        return {**super().written(noun), **finite(metrics)}


class PointPart(Part):
    """One technology of a study: a corner with one value of each sweep."""

    name: str
    """For readers: `cold, tia.gain=1000`."""
    corner: Annotated[str | None, Key("found.point.corner")]
    """Its name; null without corners."""
    values: dict[str, str]
    """What is swept there, by `section.key`."""
    technology: Annotated[Facts, Key(infinite=True)]
    """Every value of the technology by section and key; "inf" for infinity."""
    random: Annotated[bool, Key("found.is_random")]
    """False where all draws would be the same, so that there is one."""
    yield_: Annotated[YieldPart, Field(alias="yield"), Key("found.yield_")]
    """Good draws."""
    failed_draws: Count
    """Draws with samples that have no result."""
    unresolved_draws: Count
    """Draws that cannot be told from numerical error."""
    unresolved_fraction: Fraction
    """Those, of all draws of the point."""


Summaries = Annotated[dict[str, SummaryPart | None], Key("found.summaries")]
EveryDraw = Annotated[PointDrawsPart, Key("found")]


class DrawPart(Part):
    """Which draw something is said of."""

    point: Count
    """From 0, in the order of `points`."""
    trial: Count
    """From 0."""
    seed: Count
    """Of the draw."""


class WorstDrawPart(DrawPart):
    """The draw with most failed samples, and of those the one with the largest gap."""

    metrics: dict[str, Figure]
    """By name; null where there is no figure."""
    failed_samples: dict[str, Count]
    """How many samples have no result, by outcome."""
    unresolved: list[str]
    """Why the figures cannot be told from numerical error, if so."""
    command: str
    """The command line that measures it by itself."""


class StudiedDocument(Part):
    """What the document of a study begins with, after the name of its contract."""

    schema_: Annotated[str, Field(alias="schema")]
    """The contract."""
    model: Annotated[StudiedModelPart, Key("found")]
    """The network."""
    versions: Annotated[dict[str, str], Key("found.versions")]
    """Of everything that the results depend on."""
    request: Facts
    """What was asked for, by the options of the command."""
    samples: Annotated[Count, Key("found.samples")]
    """How many."""
    seeds: Annotated[list[Count], Key("found.request.seeds")]
    """Of every draw, the same at every point."""


def viewed(result: Studied) -> dict[str, Any]:
    """What documents of a study are written of: the result as `found`, and what is made of its points."""
    return {
        "found": result,
        "request": {name: value for name, value in result.request.to_dict().items() if name != "folder"},
        "points": [_point(result, point) for point in result.points],
        "worst": _worst(result),
    }


def _point(result: Studied, found: PointDraws) -> dict[str, Any]:
    sweeps = result.request.sweeps
    return {
        "found": found,
        "name": found.point.named(sweeps),
        "values": dict(zip((sweep.key for sweep in sweeps), found.point.values, strict=True)),
        "technology": found.point.technology.model_dump(),
        "failed_draws": len(found.incomplete),
        "unresolved_draws": len(found.unresolved),
        "unresolved_fraction": len(found.unresolved) / len(found.draws),
    }


def _worst(result: Studied) -> dict[str, Any]:
    point, draw = result.worst
    return {
        "point": point.point.index,
        "trial": draw.trial,
        "seed": draw.seed,
        "metrics": draw.metrics,
        "failed_samples": draw.failed,
        "unresolved": draw.unresolved,
        "command": result.request.command(point.point, draw.seed),
    }
