"""What is asked of a sensitivity analysis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kanspice.gap.limits import LimitPair

DRAWS = 100
RARE_DRAWS = 200
SIGMAS = 3.0


@dataclass(frozen=True)
class SensitivityPlan:
    """What is asked for.

    draws: specimens that are drawn and solved beside the prediction. sigmas: how far the worst specimen's numbers may
    be from 0; worst: its file. limits: what specimens are rarely beyond; rare_draws: how many are solved for each.
    cross_check: how many samples of the worst specimen another engine solves too: `judge`, or the usual one.
    """

    seed: int = 0
    draws: int = DRAWS
    sigmas: float = SIGMAS
    worst: str | Path | None = None
    limits: Sequence[LimitPair] = ()
    rare_draws: int = RARE_DRAWS
    cross_check: int = 0
    judge: str | None = None
    timeout_s: float | None = None
