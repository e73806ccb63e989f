"""What a study of settling times is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from kanspice.experiments.ensemble.requests import (
    Counted,
    EngineName,
    Fraction,
    Limits,
    NotNegative,
    Positive,
    SampleRequest,
)
from kanspice.experiments.ensemble.variations import Corner, Point, Sweep
from kanspice.experiments.settle.transients import SettleOptions


@dataclass(frozen=True)
class SettlingRequest(SampleRequest):
    """Everything that was asked for, as plain values. Files are named as they were given, from `folder`.

    limit: the first so many samples. sized_for: samples that circuits are sized for, if those are others.
    period, rise, within, timeout: as in SettleOptions, the smallest tolerance last.
    trials: draws at every point. cross_check: so many draws by another engine too: `judge`, or the usual one.
    limits: (metric, bound) that a good draw keeps. yield_min: fraction of good draws wanted at every point, if any.
    """

    experiment = "settle"
    optional: ClassVar[tuple[str, ...]] = ("sized_for",)

    folder: str
    model: str
    inputs: str
    config: str | None = None
    curves: str | None = None
    limit: Counted | None = None
    tech: str | None = None
    set_: tuple[str, ...] = ()
    corners: tuple[Corner, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    trials: Counted = 100
    seed: NotNegative = 0
    engine: EngineName = "batched"
    period: Positive | None = None
    rise: Positive | None = None
    within: tuple[Positive, ...] = (1e-2, 1e-3)
    timeout: Positive | None = None
    cross_check: NotNegative = 0
    judge: EngineName | None = None
    cross_check_needed: bool = False
    limits: Limits = ()
    yield_min: Fraction | None = None
    sized_for: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.options(0)

    def options(self, seed: int) -> SettleOptions:
        """For one draw. Raises InputError for times that contradict each other."""
        return SettleOptions(self.period, self.rise, self.within, self.timeout, seed, self.engine, judge=self.judge)

    def command(self, point: Point, seed: int) -> str:
        """The command line that measures one draw by itself."""
        options = ("config", "curves", "limit", "sized_for", "tech", "period", "rise", "timeout")
        line = replace(self, cross_check=0).command_line("settle", options, point, seed)
        return " ".join([line, *(f"--within {tolerance:g}" for tolerance in self.within)])
