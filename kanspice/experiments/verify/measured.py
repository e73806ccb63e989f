"""What one simulation amounts to: its outputs against the network's, and every figure of the report."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version

from kanspice.base.arrays import Array
from kanspice.base.process_memory import peak_bytes
from kanspice.base.stopwatch import Stopwatch
from kanspice.circuit import Design
from kanspice.engine.running import period_ends_v
from kanspice.engine.solution import Solution
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.facts import CircuitFacts, EngineRun, InputsFacts, ModelFacts
from kanspice.experiments.followed import Followed, has_answer, scale_of
from kanspice.experiments.generator import Generator, generates
from kanspice.experiments.notes import notes
from kanspice.experiments.verify.result import GapResult
from kanspice.families import Compiled, LoadedModel
from kanspice.families.kirchhoffnet.arrays import reference_waveforms
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.gap import (
    CrossCheck,
    Distribution,
    Generated,
    Measurements,
    PeriodEnds,
    SampleWaveforms,
    Variation,
    compare,
    compare_waveforms,
    decoded_outputs,
    judged,
    measure,
    metric_values,
    numerical_gap,
    physical_cost,
    worst_samples,
)
from kanspice.gap.causes import Attributed
from kanspice.gap.metric_table import further
from kanspice.technology import Technology

PACKAGES = ("kanspice", "torch", "numpy", "scipy")
"""Whose versions a report names."""


@dataclass(frozen=True)
class Measured:
    """Everything that a result is made of: what was simulated, and what it is to be compared with."""

    technology: Technology
    reference: Followed
    circuit: Compiled
    solution: Solution
    cross_check: CrossCheck | None = None
    attributed: Attributed | None = None

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

    def result(self, limits: Sequence[tuple[str, float]], device: str, watch: Stopwatch) -> GapResult:
        """The gap and all that is said beside it; limits: metric -> what it may be at most.

        device: with which the batched engine finds what stages add by themselves. watch: of the whole run.
        """
        evidence, reference = self.evidence, self.reference.stages
        design, solution = self.design, self.solution
        expected = reference[design.stages[-1].compares_to]
        outputs = decoded_outputs(design, solution)
        scale = scale_of(expected, evidence)
        gap = compare(outputs, expected, solution.solved, scale)
        period_end, laws = period_ends_v(device), self.loaded.model.stage_laws
        stages = measure(self.circuit.ideal, solution, evidence.inputs, reference, period_end, laws=laws)
        numerical = numerical_gap(design, solution, scale)
        checked = () if solution.numerical_error is None else solution.numerical_error.samples
        external, followed = evidence.external, has_answer(expected)
        with watch.part("density_s") if generates(self.loaded) else nullcontext():
            as_one = self._distribution(expected, outputs)
        waveforms = self._waveforms()
        with watch.part("reference_s"):
            reference_error = self.reference.error(design.stages[-1].compares_to, checked, scale)
        measurements = Measurements(
            outputs=outputs,
            reference=expected,
            solved=solution.solved,
            gap=gap,
            numerical=numerical,
            unstable_fraction=solution.unstable_fraction,
            labels=evidence.labels,
            targets=evidence.targets,
            generates=generates(self.loaded),
            distribution=as_one,
        )
        values = metric_values(measurements, stages)
        return GapResult(
            model=ModelFacts.of(self.loaded),
            design=CircuitFacts.of(design, solution, self.technology),
            engine=EngineRun.of(solution),
            inputs=InputsFacts(evidence.source, evidence.sha256),
            samples=solution.samples,
            failed=solution.failed,
            gap=gap,
            stages=stages,
            numerical=numerical,
            reference_error=reference_error,
            variation=Variation.of(expected, scale),
            external_gap=None if external is None else compare(expected, external, followed, scale),
            external_circuit_gap=None if external is None else compare(outputs, external, solution.solved, scale),
            accuracy=measurements.accuracy,
            loss=measurements.loss,
            metrics=further(values),
            limits=judged(limits, values),
            timing=_timing(watch, solution),
            memory={
                "simulator_peak_bytes": solution.simulator_peak_bytes,
                "engine_at_most_bytes": solution.engine_at_most_bytes,
                "kanspice_peak_bytes": peak_bytes() or None,
            },
            notes=(*notes(self.loaded, design, solution), *self._late_notes(waveforms)),
            versions={name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
            reference=expected,
            outputs=outputs,
            waveforms=waveforms,
            physical=physical_cost(design, solution, self.technology.supply.quiescent_a),
            worst=worst_samples(outputs, expected, scale),
            distribution=as_one,
            generated=self._generated(),
            cross_check=self.cross_check,
            causes=() if self.attributed is None else self.attributed.causes,
            attribution=None if self.attributed is None else self.attributed.how,
        )

    def _distribution(self, expected: Array, outputs: Array) -> Distribution | None:
        """The samples as a distribution, of a network that generates."""
        generator = Generator.of(self.loaded)
        return (
            None if generator is None else generator.judged(self.evidence.inputs, expected, outputs, self.design.seed)
        )

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


def _timing(watch: Stopwatch, solution: Solution) -> dict[str, float]:
    """What was done in order: following and compiling, what the engine says of itself, and the rest."""
    first = {part: watch.seconds[part] for part in ("reference_s", "compile_s")}
    return {**first, **solution.timing_s, **watch.seconds, "total_s": watch.total_s}
