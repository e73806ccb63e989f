"""The gap at one stage, and what of it the stage itself adds."""

from __future__ import annotations

from dataclasses import dataclass

from kanspice.gap.metrics import Gap


@dataclass(frozen=True)
class StageGap:
    """The gap at one stage's output, and the part of it that the stage itself adds.

    added: the circuit's stage against the ideal stage fed with the circuit's own input voltages.
    largest_v: largest |voltage| at the stage's outputs; largest_column_v: at a crossbar's columns, else None.
    behavioural: True for a block of which the formula was simulated, and no circuit: LayerNorm, sigmoid, tanh.
    """

    name: str
    gap: Gap
    added: Gap
    largest_v: float
    largest_column_v: float | None
    behavioural: bool
