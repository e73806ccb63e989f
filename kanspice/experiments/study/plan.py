"""What a study is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kanspice.experiments.ensemble.requests import Counted, EngineName, Fraction, Limits, NotNegative, SampleRequest
from kanspice.experiments.ensemble.variations import Corner, Point, Sweep

CHECKED_SAMPLES = 4
"""Of every draw that the other engine solves too."""


@dataclass(frozen=True)
class StudyRequest(SampleRequest):
    """Everything that was asked for, as plain values. Files are named as they were given, from `folder`.

    limit: the first so many samples. sized_for: samples that circuits are sized for, if those are others than the
    inputs. set_, corners, sweeps: `SECTION.KEY=VALUE` texts. trials: draws at every point. cross_check: so many draws
    by another engine too: `judge`, or the usual one. limits: (metric, bound) that a good draw keeps. yield_min:
    fraction of good draws wanted at every point, if any.
    """

    experiment = "study"
    optional: ClassVar[tuple[str, ...]] = ("targets", "judge", "sized_for")

    folder: str
    model: str
    inputs: str
    config: str | None = None
    curves: str | None = None
    labels: str | None = None
    targets: str | None = None
    limit: Counted | None = None
    tech: str | None = None
    set_: tuple[str, ...] = ()
    corners: tuple[Corner, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    trials: Counted = 100
    seed: NotNegative = 0
    engine: EngineName = "batched"
    device: str = "cpu"
    cross_check: NotNegative = 0
    no_cross_check: str = ""
    """Why there is none, where there should be one."""
    cross_check_needed: bool = False
    """Without it nothing counts as measured: it was asked for."""
    limits: Limits = ()
    yield_min: Fraction | None = None
    judge: EngineName | None = None
    sized_for: str | None = None

    def command(self, point: Point, seed: int) -> str:
        """The command line that measures one draw by itself."""
        options = ("config", "curves", "labels", "targets", "limit", "sized_for", "tech")
        return self.command_line("verify", options, point, seed)
