"""How fast one specimen answers: made, at rest, and followed, by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.base.errors import SimulatorError
from kanspice.base.threads import one_thread
from kanspice.circuit import Design
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.progress import Progress
from kanspice.engine.solution import FailedSample
from kanspice.experiments.ensemble.draws import DrawResult, finite_or_none
from kanspice.experiments.ensemble.randomness import can_differ
from kanspice.experiments.settle.settling import EngineCheck, Settling, StageSettling
from kanspice.experiments.settle.transients import MEASURED, SettleOptions, Transients, at_rest
from kanspice.gap.metric_table import Metric
from kanspice.technology import Technology

CHECKED_SAMPLES = 4
"""Of every draw that another engine follows too."""
_FEW_MEASURED = 2
"""On so many samples the numerical error of all draws but a point's first is measured."""


def metrics_within(tolerances: Sequence[float]) -> tuple[Metric[Settling], ...]:
    """What draws are judged by. tolerances: what counts as settled, the smallest last."""
    times = [metric for tolerance in tolerances for metric in _times(tolerance)]
    return (
        Metric("latency_s", "latency", "s", "less", lambda found: found.latency_s),
        *times,
        Metric("energy_j", "energy until settled", "J", "less", lambda found: found.energy_j),
        Metric("power_w", "power at rest", "W", "less", lambda found: found.power_w),
        Metric(
            "unsettled_fraction",
            "samples not settled",
            "fraction",
            "less",
            lambda found: len(found.failed) / found.samples,
        ),
        Metric(
            "unstable_fraction",
            "operating points that grow",
            "fraction",
            "less",
            lambda found: len(found.unstable) / found.samples,
        ),
        Metric("numerical", "numerical error of the transient", "", "less", lambda found: found.numerical),
    )


def _times(tolerance: float) -> tuple[Metric[Settling], Metric[Settling]]:
    """Of the outputs, to within the tolerance: the longest of a draw's samples that settle, and their mean."""

    def outputs(found: Settling) -> StageSettling:
        return next(stage for stage in reversed(found.stages) if stage.tolerance == tolerance)

    name, title = f"settled_{tolerance:g}", f"time to within {tolerance:g}"
    return (
        Metric(f"{name}_s", f"longest {title}", "s", "less", lambda found: outputs(found).largest_s),
        Metric(f"{name}_mean_s", f"mean {title}", "s", "less", lambda found: outputs(found).mean_s),
    )


@dataclass(frozen=True)
class CheckedSettling:
    """The first samples of one draw by another engine too."""

    point: int
    trial: int
    seed: int
    found: EngineCheck


@dataclass(frozen=True)
class SettlingSetup:
    """Everything that specimens of one point's circuit are followed with.

    inputs: (samples, inputs) in model units; expected: (samples, outputs), the network's.
    """

    point: int
    design: Design
    technology: Technology
    inputs: Array
    expected: Array
    options: SettleOptions

    @cached_property
    def is_random(self) -> bool:
        """Whether two draws can differ."""
        return can_differ(self.design, self.technology)

    def measure(self, trial: int, seed: int) -> DrawResult:
        """One draw. Where some sample has no operating point, none can be followed: each begins where another rests."""
        transients = self._transients(self.inputs, seed, MEASURED if trial == 0 else _FEW_MEASURED)
        names = metrics_within(self.options.tolerances)
        lost = transients.rest.failed
        if lost:
            values: dict[str, float | None] = {metric.name: None for metric in names}
            return DrawResult(self.point, trial, seed, len(self.inputs), values, _counted(lost), ())
        found = transients.settling()
        values = {metric.name: finite_or_none(metric.of(found)) for metric in names}
        failed = _counted(found.failed)
        return DrawResult(self.point, trial, seed, len(self.inputs), values, failed, found.unresolved)

    def check(self, trial: int, seed: int, progress: Progress) -> CheckedSettling:
        """The first samples of one draw by both engines.

        Raises SimulatorError where they have no operating points, or do not come to an end.
        """
        del progress
        with one_thread():
            few = self._transients(self.inputs[:CHECKED_SAMPLES], seed, _FEW_MEASURED)
            both = replace(few, options=replace(few.options, cross_check=len(few.inputs)))
            found = None if few.rest.failed else both.settling().cross_check
        if found is None:
            hint = "another --seed, or no --cross-check"
            problem = "a draw that is to be checked does not come to an end"
            raise SimulatorError(problem, found=f"draw {trial}", hint=hint)
        return CheckedSettling(self.point, trial, seed, found)

    def _transients(self, inputs: Array, seed: int, measured: int) -> Transients:
        design = draw_specimen(self.design, self.technology, Draw(seed))
        options = replace(self.options, seed=seed, measured=measured)
        expected, quiescent_a = self.expected[: len(inputs)], self.technology.supply.quiescent_a
        return Transients(design, inputs, at_rest(design, inputs, seed, options.engine), expected, options, quiescent_a)


def _counted(failed: Iterable[FailedSample]) -> dict[str, int]:
    return dict(sorted(Counter(failure.outcome.value for failure in failed).items()))
