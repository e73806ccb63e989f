"""Many results over time as JSON: the one definition of `kanspice.history/1`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from kanspice.experiments.compare.document import ChangePart, GrowthLimitPart
from kanspice.experiments.history.history import History
from kanspice.experiments.history.wording import headline, remarks
from kanspice.experiments.parts import LimitPart
from kanspice.report.codec import Count, Figure, Key, Part, SizeOrNone


class HistoryEntryPart(Part):
    """One report."""

    name: str
    """Of its file."""
    date: str | None
    """When it was measured, UTC; null where it does not say."""
    model: Annotated[str, Key("result.model.path")]
    """The network, as it was given."""
    model_sha256: Annotated[str, Key("result.model.sha256")]
    """Of the checkpoint's bytes, in hexadecimal."""
    inputs_sha256: Annotated[str, Key("result.inputs.sha256")]
    """Of the samples."""
    samples: Annotated[Count, Key("result.samples")]
    """How many there are."""
    failed_samples: Count
    """How many of them have no result."""
    exit_code: Annotated[Count, Key("result.exit_code")]
    """0 measured and within its limits, 1 a limit not kept, 3 not measured."""
    metrics: dict[str, Figure]
    """Those that are shown, by name; null where there is no figure."""
    limits: Annotated[list[LimitPart], Key("result.limits")]
    """That it was held to."""
    comparable: bool | None
    """Whether its gap and that of the report before it say something about each other; null of the first."""
    obstacles: list[str]
    """Why they do not, if so."""
    growth: SizeOrNone
    """By what fraction its gap is larger than that of the report before it, beyond both numerical errors.

    null of the first, and where the two cannot be compared or one of them was not measured.
    """
    changes: list[ChangePart]
    """What is not the same as in the report before it: network, samples, technology, engine, versions."""


class HistoryDocument(Part):
    """Results of `kanspice verify`, one after the other."""

    schema_: Annotated[Literal["kanspice.history/1"], Field(alias="schema")]
    """The contract."""
    by_date: Annotated[bool, Key("found.by_date")]
    """Whether the order is that in which they were measured; else some do not say when: that of the command line."""
    metrics: Annotated[list[str], Key("found.metrics")]
    """What is shown, by the names that limits know."""
    verdict: Annotated[str, Key("verdict.text")]
    """What the history amounts to, in a sentence."""
    remarks: list[str]
    """What a reader has to know."""
    limit: Annotated[GrowthLimitPart | None, Key("found.limit")]
    """On the growth of the last one since the one before it; null without."""
    passed: Annotated[bool, Key("found.passed")]
    """Whether the exit code is 0."""
    reports: list[HistoryEntryPart]
    """In order, the oldest first."""


def history_json(found: History) -> str:
    """JSON text; a figure that does not exist is null."""
    return HistoryDocument.text(
        {
            "found": found,
            "verdict": headline(found),
            "remarks": [remark.text for remark in remarks(found)],
            "reports": list(_reports(found)),
        }
    )


def _reports(found: History) -> Iterator[dict[str, Any]]:
    for place, entry in enumerate(found.entries):
        step = found.step_to(place)
        yield {
            "name": entry.name,
            "date": entry.result.date,
            "result": entry.result,
            "failed_samples": len(entry.result.failed),
            "metrics": {metric: entry.value(metric) for metric in found.metrics},
            "comparable": None if step is None else step.is_comparable,
            "obstacles": [] if step is None else step.obstacles,
            "growth": None if step is None or not step.measured else step.growth,
            "changes": [] if step is None else [*step.technology, *step.facts],
        }
