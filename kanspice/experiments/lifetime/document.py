"""Lifetimes as JSON, `kanspice.lifetime/1`: the same bytes whoever measured them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from kanspice.experiments.draw_parts import EveryDraw, Summaries, YieldPart, viewed
from kanspice.experiments.ensemble.draws import PointDraws
from kanspice.experiments.lifetime.result import LifetimeResult
from kanspice.experiments.study.document import GapsDocument
from kanspice.report.codec import Count, Figure, Fraction, Key, Part


class LastingPart(Part):
    """How long a fraction of all chips is good: at every age that they were looked at, up to one."""

    fraction: Fraction
    """Of all chips."""
    at_least_s: Figure
    """The oldest age, seconds, at which so many of the chips were; null where too few were at the first."""
    below_s: Figure
    """The age after it; null where they last longer than they were looked at."""
    low_s: Figure
    """The oldest age at which so many of all chips ever made are, with 95 % confidence; null where there is none."""
    high_s: Figure
    """The first age at which fewer of them are, with 95 % confidence; null where there is none."""


class LastingChipsPart(Part):
    """How long chips last."""

    lifetimes: list[LastingPart]
    """Of half of them, and of as many as are wanted; none without limits that say what a good one is."""
    survival: list[YieldPart]
    """Of every age, the chips that were good at it and at all before."""


class RecalibratedAgePart(Part):
    """One age of chips that are set anew."""

    age_s: Figure
    """Seconds."""
    yield_: Annotated[YieldPart, Field(alias="yield"), Key("found.yield_")]
    """Good chips."""
    failed_draws: Annotated[Count, Key("failed_draws")]
    """Chips with samples that have no result."""
    unresolved_draws: Annotated[Count, Key("unresolved_draws")]
    """Chips that cannot be told from numerical error."""
    metrics: Summaries
    """What all chips come to, by metric; null where none has a figure."""
    draws: EveryDraw
    """Every chip."""


class RecalibrationPart(Part):
    """Chips set anew: from what they gave for samples that they are not judged by."""

    age_s: Figure
    """When, seconds."""
    trims: str
    """What was set: `outputs`, gain and offset of each once it is read; `columns`, those of every column pair."""
    samples: Count
    """For how many samples: those after the ones that chips are judged by."""
    ages: list[RecalibratedAgePart]
    """What they are like from then on."""


class LifetimeDocument(GapsDocument):
    """Chips followed through their lives: a study whose points are ages of the same chips."""

    schema_: Annotated[Literal["kanspice.lifetime/1"], Field(alias="schema")]
    """The contract."""
    ages_s: Annotated[list[float], Key("found.request.ages_s")]
    """Of the points, seconds."""
    recalibration: RecalibrationPart | None
    """Chips set anew, if they were; null where they were not. `points` is about chips as they are without."""
    as_used: LastingChipsPart
    """How long chips last, set anew if they are."""
    untouched: LastingChipsPart
    """How long they last without."""


def lifetime_json(result: LifetimeResult) -> str:
    """JSON text with a fixed order of keys and a final newline. A figure that does not exist is null."""
    noun = {
        **viewed(result),
        "recalibration": _recalibration(result),
        "as_used": {"lifetimes": result.lifetimes, "survival": result.survival},
        "untouched": {"lifetimes": result.lifetimes_untouched, "survival": result.survival_untouched},
    }
    return LifetimeDocument.text(noun)


def _recalibration(result: LifetimeResult) -> dict[str, Any] | None:
    request = result.request
    if request.recalibrate_s is None:
        return None
    return {
        "age_s": request.recalibrate_s,
        "trims": request.trims,
        "samples": request.calibration,
        "ages": [_age(request.ages_s[point.point.index], point) for point in result.recalibrated],
    }


def _age(age_s: float, point: PointDraws) -> dict[str, Any]:
    return {
        "age_s": age_s,
        "found": point,
        "failed_draws": len(point.incomplete),
        "unresolved_draws": len(point.unresolved),
    }
