"""Rows of a design of periods: the voltages of all periods' nodes at the end of each, and after sums."""

from __future__ import annotations

from typing import assert_never

from kanspice.base.arrays import Array
from kanspice.circuit import Design, DigitalLayer, HeldSum, OdePeriod, ReadOut
from kanspice.engine.acceptance import Volts


def period_row_width(design: Design) -> int:
    """Of a row."""
    return sum(stage.width for stage in design.stages if isinstance(stage, OdePeriod | HeldSum))


def split_period_rows(design: Design, rows: Array) -> Volts:
    """(samples, width) -> voltages by name."""
    stages, position = {}, 0
    for stage in design.over_time:
        match stage:
            case OdePeriod() | HeldSum():
                stages[stage.name] = last = rows[:, position : position + stage.width]
                position += stage.width
            case ReadOut():
                stages[stage.name] = last = last[:, stage.start : stage.start + stage.width]
            case DigitalLayer():
                stages[stage.name] = stage.computed_v(last)
            case _:
                assert_never(stage)
    return Volts(stages)
