"""Samples that follow each other: how fast they come, and what a circuit does with each of them."""

from __future__ import annotations

from dataclasses import dataclass

from kanspice.base.arrays import Array
from kanspice.circuit import (
    Design,
    Drivers,
    InputStage,
)
from kanspice.engine.solution import FailedSample


@dataclass(frozen=True)
class Pace:
    """Every sample has its inputs for period_s; they come there along straight lines that take rise_s."""

    period_s: float
    rise_s: float


@dataclass(frozen=True)
class Course:
    """One sample, from the moment that the inputs leave the one before it.

    time_s: (points,) since then. stage_v: crossbars and LayerNorms -> (points, width), and what else an engine knows.
    rows_v: what drives the rows, crossbar -> (points, rows); row_a: crossbar -> (points, rows) what the drivers give;
    amplifier_a: crossbar -> (points, columns). failure: why it is not complete; there are no points then. supply_w:
    (points,) what the supplies of amplifiers deliver, where these are subcircuits and were simulated.
    """

    time_s: Array
    stage_v: dict[str, Array]
    rows_v: dict[str, Array]
    row_a: dict[str, Array]
    amplifier_a: dict[str, Array]
    failure: FailedSample | None = None
    supply_w: Array | None = None


def settling_stages(design: Design) -> tuple[str, ...]:
    """The stages of a chain of crossbars that are looked at over time: all but what is in front of rows."""
    return tuple(stage.name for stage in design.chain if not isinstance(stage, InputStage | Drivers))
