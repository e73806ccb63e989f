"""What comes back from a period: how a loss changes with each of its numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.batched.period_numbers import PeriodNumbers


@dataclass
class PeriodSums:
    """Derivatives of a loss by the numbers of `PeriodNumbers` and, where there are some, `SwitchNumbers`, added up.

    rate: by 1 / lag.
    """

    per_current: Array
    points: Array
    others: Array
    peak: Array
    unit_v: float = 0.0
    unit_s: float = 0.0
    leak: float = 0.0
    supply: float = 0.0
    clamp: float = 0.0
    rate: float = 0.0
    sampling: float = 0.0
    ohm: float = 0.0
    off_leak: float = 0.0
    rise: float = 0.0
    transfer: float = 0.0
    on: float = 0.0
    off: float = 0.0

    @classmethod
    def of(cls, numbers: PeriodNumbers) -> PeriodSums:
        """Nothing so far."""
        nodes = len(numbers.per_current)
        return cls(np.zeros(nodes), np.zeros(len(numbers.points)), np.zeros(nodes), np.zeros(nodes))
