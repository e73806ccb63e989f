"""What one simulation amounts to: its outputs against the network's, and every figure of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.process_memory import peak_bytes
from kanspice.base.stopwatch import Stopwatch
from kanspice.circuit import Design
from kanspice.circuit.specimens import GivenSpecimen
from kanspice.engine.running import period_ends_v
from kanspice.engine.solution import Solution
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.facts import (
    ChipFacts,
    CircuitFacts,
    EngineRun,
    InputsFacts,
    ModelFacts,
    SpecimenFacts,
    date,
    versions,
)
from kanspice.experiments.followed import Followed
from kanspice.experiments.generator import Generator, generates
from kanspice.experiments.notes import notes
from kanspice.experiments.verify.chip.nominal import nominal_notes
from kanspice.experiments.verify.chip.notes import chip_notes
from kanspice.experiments.verify.projected import Projected
from kanspice.experiments.verify.result import GapResult
from kanspice.families import Compiled, LoadedModel
from kanspice.families.kirchhoffnet.arrays import reference_waveforms
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.gap import (
    ChipGaps,
    ChipSamples,
    CrossCheck,
    Distribution,
    Gap,
    Generated,
    Measurements,
    NumericalGap,
    PeriodEnds,
    PhysicalCost,
    SampleWaveforms,
    StageGap,
    Variation,
    compare,
    compare_waveforms,
    decoded_outputs,
    digital_cost,
    from_learnt,
    judged,
    measure,
    metric_values,
    numerical_gap,
    physical_cost,
    worst_samples,
)
from kanspice.gap.anatomy import anatomy
from kanspice.gap.answers import Confusion, confusion, output_errors
from kanspice.gap.causes import Attributed
from kanspice.gap.crossbar_maps import crossbar_maps
from kanspice.gap.law_uses import law_uses
from kanspice.gap.limits import LimitPair
from kanspice.gap.metric_table import further
from kanspice.gap.operating import device_uses
from kanspice.technology import Technology


@dataclass(frozen=True)
class Measured:
    """Everything that a result is made of: what was simulated, and what it is to be compared with."""

    technology: Technology
    reference: Followed
    circuit: Compiled
    solution: Solution
    cross_checks: tuple[CrossCheck, ...] = ()
    attributed: Attributed | None = None
    specimen: GivenSpecimen | None = None
    nominal: Array | None = None
    """(samples, outputs) of the circuit without random parts, where a chip is held against it."""

    @property
    def loaded(self) -> LoadedModel:
        return self.reference.loaded

    @property
    def evidence(self) -> Evidence:
        return self.reference.evidence

    @property
    def design(self) -> Design:
        """The specimen that was simulated."""
        return self.circuit.specimen

    @cached_property
    def expected(self) -> Array:
        """(samples, outputs) of the network, model units."""
        return self.reference.expected(self.design)

    @cached_property
    def outputs(self) -> Array:
        """(samples, outputs) of the circuit, model units."""
        return decoded_outputs(self.design, self.solution)

    @cached_property
    def scale(self) -> float:
        """What relative figures are divided by."""
        return self.reference.scale(self.design)

    @cached_property
    def projected(self) -> Projected | None:
        """The network that this one was made of, if it was."""
        return Projected.of(self.reference, self.expected, self.scale)

    def result(self, limits: Sequence[LimitPair], device: str, watch: Stopwatch) -> GapResult:
        """The gap and all that is said beside it; limits: metric -> what it may be at most, or at least.

        device: with which the batched engine finds what stages add by themselves. watch: of the whole run.
        """
        design, solution, evidence = self.design, self.solution, self.evidence
        with watch.part("density_s") if generates(self.loaded) else nullcontext():
            measurements = self._measurements()
        waveforms, projected = self._waveforms(), self.projected
        with watch.part("reference_s"):
            reference_error = self._reference_error()
        stages = self._stages(device)
        fitted = None if self.specimen is None else len(self.specimen.fitted)
        values = metric_values(measurements, stages)
        return GapResult(
            model=ModelFacts.of(self.loaded),
            design=CircuitFacts.of(design, solution, self.technology),
            engine=EngineRun.of(solution),
            inputs=InputsFacts(evidence.source, evidence.sha256),
            sized_for=evidence.sized_for,
            specimen=SpecimenFacts.of(self.specimen),
            measured=ChipFacts.of(evidence.measured),
            chip=measurements.chip,
            chip_outputs=np.empty((0, 0)) if evidence.measured is None else evidence.measured.outputs,
            samples=solution.samples,
            failed=solution.failed,
            gap=measurements.gap,
            stages=stages,
            numerical=measurements.numerical,
            reference_error=reference_error,
            variation=Variation.of(self.expected, self.scale),
            projection=None if projected is None else projected.gap(self.outputs, solution.solved),
            external_gap=self._external_gap(self.expected, measurements.answered),
            external_circuit_gap=self._external_gap(self.outputs, solution.solved),
            accuracy=measurements.accuracy,
            loss=measurements.loss,
            metrics=further(values),
            limits=judged(limits, values),
            timing=_timing(watch, solution),
            memory=_memory(solution),
            notes=(
                *notes(self.loaded, design, solution),
                *(() if self.specimen is None else self.specimen.notes(design, self.technology)),
                *self._late_notes(waveforms),
                *(() if projected is None else projected.notes()),
                *chip_notes(measurements.chip, fitted, design.seed),
                *(() if measurements.chip is None else nominal_notes(design)),
            ),
            versions=versions(),
            date=date(),
            answers_sha256=evidence.answers_sha256,
            reference=self.expected,
            outputs=self.outputs,
            labels=np.empty(0, dtype=int) if evidence.labels is None else evidence.labels,
            waveforms=waveforms,
            physical=self._physical(),
            worst=worst_samples(self.outputs, self.expected, self.scale, evidence.inputs),
            anatomy=anatomy(design),
            crossbar_maps=crossbar_maps(self.circuit.ideal, design, solution),
            device_uses=device_uses(design, solution),
            law_uses=law_uses(design, solution, evidence.inputs),
            confusion=self._confusion(),
            output_errors=output_errors(self.outputs, self.expected, solution.solved),
            distribution=measurements.distribution,
            generated=self._generated(),
            cross_check=self.cross_checks[0] if self.cross_checks else None,
            further_checks=self.cross_checks[1:],
            causes=() if self.attributed is None else self.attributed.causes,
            attribution=None if self.attributed is None else self.attributed.how,
        )

    def _physical(self) -> PhysicalCost:
        """What an inference costs, and what a digital circuit takes for the same network."""
        cost = physical_cost(self.design, self.solution, self.technology)
        return replace(cost, digital=digital_cost(self.circuit.ideal, self.evidence.inputs))

    def _measurements(self) -> Measurements:
        """What the metrics are of."""
        solution, evidence = self.solution, self.evidence
        return Measurements(
            outputs=self.outputs,
            reference=self.expected,
            solved=solution.solved,
            gap=compare(self.outputs, self.expected, solution.solved, self.scale),
            numerical=numerical_gap(self.design, solution, self.scale),
            unstable_fraction=solution.unstable_fraction,
            labels=evidence.labels,
            targets=evidence.targets,
            generates=generates(self.loaded),
            distribution=self._distribution(),
            from_learnt=self._from_learnt(),
            chip=self._chip(),
        )

    def _confusion(self) -> Confusion | None:
        """Of a network that decides: whose labels are known, or whose outputs are neither known nor generated."""
        evidence, solved = self.evidence, self.solution.solved
        if evidence.labels is None and (evidence.targets is not None or generates(self.loaded)):
            return None
        return confusion(self.outputs, self.expected, solved, evidence.labels)

    def _chip(self) -> ChipGaps | None:
        """How far the chip is from both, if one was measured."""
        evidence = self.evidence
        if evidence.measured is None:
            return None
        given, solved = evidence.measured.outputs, self.solution.solved
        fitted = None if self.specimen is None else np.isin(evidence.digests, self.specimen.fitted)
        samples = ChipSamples(given, self.outputs, self.expected, solved, self.scale, self.nominal, fitted)
        return samples.gaps(evidence.labels, evidence.targets)

    def _from_learnt(self) -> Gap | None:
        """The circuit's, from the network that its own was made of."""
        if self.projected is None:
            return None
        return from_learnt(self.outputs, self.projected.outputs, self.solution.solved, self.scale)

    def _stages(self, device: str) -> tuple[StageGap, ...]:
        """The gap of every stage, and what of it is the stage's own."""
        ideal, inputs, laws = self.circuit.ideal, self.evidence.inputs, self.loaded.model.stage_laws
        return measure(ideal, self.solution, inputs, self.reference.stages, period_ends_v(device), laws=laws)

    def _reference_error(self) -> NumericalGap | None:
        """The network's own, on the samples that were solved again."""
        error = self.solution.numerical_error
        checked = () if error is None else error.samples
        return self.reference.error(self.design.stages[-1].compares_to, checked, self.scale)

    def _external_gap(self, outputs: Array, known: npt.NDArray[np.bool_]) -> Gap | None:
        """Of outputs (samples, outputs), where they are known, against those computed elsewhere, if there are such."""
        external = self.evidence.external
        return None if external is None else compare(outputs, external, known, self.scale)

    def _distribution(self) -> Distribution | None:
        """The samples as a distribution, of a network that generates."""
        generator, inputs = Generator.of(self.loaded), self.evidence.inputs
        return None if generator is None else generator.judged(inputs, self.expected, self.outputs, self.design.seed)

    def _generated(self) -> Generated | None:
        """Where the samples are at every period's end, of a network that generates."""
        model, reference = self.loaded.model, self.reference.stages
        if not isinstance(model, KirchhoffNet) or model.generation is None:
            return None
        ends = tuple(
            PeriodEnds(p.name, reference[p.compares_to], self.solution.stage_v[p.name] / p.unit_v)
            for p in self.design.periods
        )
        return Generated(ends, model.generation.image)

    def _waveforms(self) -> tuple[SampleWaveforms, ...]:
        model, inputs = self.loaded.model, self.evidence.inputs
        if not isinstance(model, KirchhoffNet):
            return ()

        def follow(sample: int, times: Mapping[str, Array]) -> Mapping[str, Array] | None:
            return reference_waveforms(model, inputs[sample], times, self.reference.timeout_s)

        return compare_waveforms(self.design, self.solution, follow)

    def _late_notes(self, compared: Sequence[SampleWaveforms]) -> tuple[str, ...]:
        """Of samples whose waveforms are left out because the network could not be followed in time."""
        late = sorted({kept.sample for kept in self.solution.waveforms} - {found.sample for found in compared})
        if not late:
            return ()
        which = f"sample{'s' if len(late) > 1 else ''} {', '.join(map(str, late))}"
        limit = f"--timeout, {self.reference.timeout_s:g} s for each"
        return (f"no waveforms of {which}: the network's own were not found within {limit}; raise it",)


def _memory(solution: Solution) -> dict[str, int | None]:
    """Peaks, by whose they are; None where the system does not say."""
    return {
        "simulator_peak_bytes": solution.simulator_peak_bytes,
        "engine_at_most_bytes": solution.engine_at_most_bytes,
        "kanspice_peak_bytes": peak_bytes() or None,
    }


def _timing(watch: Stopwatch, solution: Solution) -> dict[str, float]:
    """What was done in order: following and compiling, what the engine says of itself, and the rest."""
    first = {part: watch.seconds[part] for part in ("reference_s", "compile_s")}
    return {**first, **solution.timing_s, **watch.seconds, "total_s": watch.total_s}
