"""The measured gap of one model, circuit and engine: everything a report can say, as frozen data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.base.errors import InputError
from kanspice.engine.solution import FailedSample, unstable_fraction
from kanspice.experiments.facts import ChipFacts, CircuitFacts, EngineRun, InputsFacts, ModelFacts, SpecimenFacts
from kanspice.gap.anatomy import StageShape
from kanspice.gap.answers import Confusion, OutputError
from kanspice.gap.causes import Attribution, Cause
from kanspice.gap.chip import ChipGaps
from kanspice.gap.costs import PhysicalCost
from kanspice.gap.cross_check import CrossCheck
from kanspice.gap.crossbar_maps import CrossbarMap
from kanspice.gap.distribution import Distribution, Generated
from kanspice.gap.judging import unresolved
from kanspice.gap.law_uses import LawUse
from kanspice.gap.metric_table import found_again
from kanspice.gap.metrics import Gap
from kanspice.gap.operating import DeviceUse
from kanspice.gap.projection import ProjectionGap
from kanspice.gap.resolution import Doubt, Limit, NumericalGap, Variation
from kanspice.gap.stage_gap import StageGap
from kanspice.gap.waveform_pairs import SampleWaveforms
from kanspice.gap.worst import WorstSample
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns, numbered
from kanspice.report.shown import Shown


@dataclass(frozen=True, repr=False)
class GapResult(Shown):
    """One `verify`.

    reference, outputs: (samples, outputs) in model units; rows of failed samples in `outputs` are NaN. A result that
    was read from its JSON has no rows of either.
    memory: peaks, bytes, by whose they are; None where the system does not say.
    external: outputs computed elsewhere, if given; external_gap: the torch reference against them;
    loss: mean squared error of the network and of the circuit from true answers, where those are known.
    external_circuit_gap: the circuit against them. projection: network and circuit against the learnt network that the
    network was made of, where it was. causes: what each imperfection does, where that was asked for, and
    attribution: how that was found.
    waveforms: of a few samples, where they were asked for and the circuit answers after a time.
    physical: what an inference costs, as far as it was measured.
    numerical: the run's own numerical error at the outputs; reference_error: the network's, where it is integrated.
    variation: how the network's outputs vary, None in old reports. metrics: by name, those that nothing else here
    amounts to.
    cross_check: some samples solved by another engine, where that was asked for, and further_checks: by others besides.
    distribution: how far the circuit's samples are from the network's distribution, for one that generates; generated:
    the samples for its pictures.
    worst: the solved samples with the largest errors, worst first. command: the command line, where there was one.
    specimen: which one, where it was given by its numbers and not drawn by the seed.
    sized_for: samples that the circuit is sized for, where they were given apart from those that are measured.
    anatomy: what each stage is made of, for a drawing of the circuit; none in old reports. crossbar_maps:
    areas and errors of the first crossbars; device_uses: where on their curves the devices of crossbars work,
    and law_uses: where on their laws branches, synapses and filters do.
    confusion: which classes are taken for which, of a network that decides; output_errors: how far each output is off.
    measured: where the outputs of a chip are from, where one was measured; chip: how far it is from network and
    circuit; chip_outputs: (samples, outputs) in model units, NaN where nothing was measured, without rows where no chip
    was. labels: (samples,) the classes that are true, where they are known.
    answers_sha256: of the true classes or answers, where they are known; None in old reports.
    date: when it was measured, UTC, as `facts.DATE` writes it; None in old reports.
    """

    model: ModelFacts
    design: CircuitFacts
    engine: EngineRun
    inputs: InputsFacts
    samples: int
    failed: tuple[FailedSample, ...]
    gap: Gap
    stages: tuple[StageGap, ...]
    numerical: NumericalGap | None
    external_gap: Gap | None
    external_circuit_gap: Gap | None
    accuracy: Mapping[str, float] | None
    limits: tuple[Limit, ...]
    timing: Mapping[str, float]
    notes: tuple[str, ...]
    versions: Mapping[str, str]
    reference: Array
    outputs: Array
    causes: tuple[Cause, ...] = ()
    attribution: Attribution | None = None
    loss: Mapping[str, float] | None = None
    waveforms: tuple[SampleWaveforms, ...] = ()
    memory: Mapping[str, int | None] = field(default_factory=dict)
    cross_check: CrossCheck | None = None
    further_checks: tuple[CrossCheck, ...] = ()
    worst: tuple[WorstSample, ...] = ()
    command: str | None = None
    physical: PhysicalCost | None = None
    distribution: Distribution | None = None
    generated: Generated | None = None
    reference_error: NumericalGap | None = None
    variation: Variation | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    projection: ProjectionGap | None = None
    specimen: SpecimenFacts | None = None
    sized_for: InputsFacts | None = None
    measured: ChipFacts | None = None
    chip: ChipGaps | None = None
    anatomy: tuple[StageShape, ...] = ()
    crossbar_maps: tuple[CrossbarMap, ...] = ()
    device_uses: tuple[DeviceUse, ...] = ()
    law_uses: tuple[LawUse, ...] = ()
    confusion: Confusion | None = None
    output_errors: tuple[OutputError, ...] = ()
    chip_outputs: Array = field(default_factory=lambda: np.empty((0, 0)))
    labels: Indices = field(default_factory=lambda: np.empty(0, dtype=int))
    answers_sha256: str | None = None
    date: str | None = None

    def page(self) -> Page:
        from kanspice.experiments.verify.page import gap_page  # noqa: PLC0415 - which shows this

        return gap_page(self)

    def columns(self) -> Columns:
        """A row for each sample: how it ended, and the outputs of network, circuit and chip, in model units.

        Raises InputError for a result that was read from its JSON, which has no outputs.
        """
        if len(self.outputs) < self.samples:
            raise InputError("a report that was read back has no outputs", where="to_frame", hint="verify here")
        outcomes = {failure.index: failure.outcome.value for failure in self.failed}
        return {
            "sample": np.arange(self.samples),
            "outcome": np.array([outcomes.get(sample, "converged") for sample in range(self.samples)]),
            **numbered("network", self.reference),
            **numbered("circuit", self.outputs),
            **(numbered("chip", self.chip_outputs) if self.chip is not None else {}),
        }

    @property
    def width(self) -> int:
        """How many outputs the network has."""
        return int(self.reference.shape[1])

    @property
    def unstable_fraction(self) -> float:
        """Of the samples, that the circuit does not stay at the operating point of."""
        return unstable_fraction(self.failed, self.samples)

    @property
    def values(self) -> dict[str, float | None]:
        """Every metric by the name that limits know it by, those of stages too; None where there is no figure."""
        of_stages = {f"{stage.name}.relative_rmse": stage.gap.relative_rmse for stage in self.stages}
        return {**found_again(self), **self.metrics, **of_stages}

    @property
    def passed(self) -> bool:
        """Measured, and every limit kept."""
        return self.is_measured and all(limit.passed for limit in self.limits)

    @property
    def is_measured(self) -> bool:
        """Every sample has a result that engines agree about, and that is the circuit's rather than numerical error."""
        return not self.failed and all(check.passed for check in self.cross_checks) and not self.unresolved

    @property
    def cross_checks(self) -> tuple[CrossCheck, ...]:
        """Those of all engines that were asked."""
        return () if self.cross_check is None else (self.cross_check, *self.further_checks)

    @property
    def engines_disagree(self) -> bool:
        """True when another engine was asked and says something else."""
        return any(check.disagrees for check in self.cross_checks)

    @property
    def is_unchecked(self) -> bool:
        """True when another engine was asked and could not try every sample."""
        return any(check.not_checked for check in self.cross_checks)

    @property
    def doubt(self) -> Doubt:
        """The numerical errors of both sides, together."""
        return Doubt(self.gap, self.numerical, self.reference_error, self.variation, self.loss)

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Why the gap is no figure, or cannot be told from numerical error, if so."""
        return unresolved(self.doubt, self.limits, solved=len(self.failed) < self.samples)

    @property
    def is_finite(self) -> bool:
        """Whether the gap is a figure. Without a solved sample there is none that could be anything else."""
        return len(self.failed) == self.samples or self.gap.is_finite

    @property
    def exit_code(self) -> int:
        """0 measured and within limits, 1 a limit not kept, 3 not measured.

        That is: some sample, or some limit's metric, is without a result, two engines disagree about the results, one
        could not check them, or the results are not resolved.
        """
        if not self.is_measured or any(math.isnan(limit.value) for limit in self.limits):
            return 3
        return 0 if self.passed else 1

    @property
    def whole_gap(self) -> Gap:
        """What causes share: the circuit's gap from the learnt network, where its network was made of one."""
        return self.gap if self.projection is None else self.projection.whole

    @property
    def weakest_stage(self) -> StageGap | None:
        """The stage that adds most to the gap; None when nothing adds more than rounding."""
        ranked = [s for s in self.stages if s.added.relative_rmse is not None and s.added.relative_rmse > 1e-9]
        return max(ranked, key=lambda stage: stage.added.relative_rmse or 0.0, default=None)
