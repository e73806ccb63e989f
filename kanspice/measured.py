"""What one simulation amounts to: its outputs against the network's, and every figure of the report."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

from kanspice import facts
from kanspice.arrays import Array
from kanspice.compile import Sizing
from kanspice.design import Design, OdePeriod
from kanspice.engine.solution import FailedSample, Outcome, Solution
from kanspice.evidence import Evidence
from kanspice.families import Compiled, LoadedModel, sizing_for
from kanspice.families.kirchhoffnet import density
from kanspice.families.kirchhoffnet.arrays import reference_waveforms
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.gap import (
    CrossCheck,
    Distribution,
    GapResult,
    Generated,
    Measurements,
    NumericalGap,
    PeriodEnds,
    SampleWaveforms,
    Variation,
    compare,
    compare_waveforms,
    decoded_outputs,
    distribution,
    judged,
    log_densities,
    measure,
    metric_values,
    numerical_gap,
    physical_cost,
    reference_gap,
    spread,
    worst_samples,
)
from kanspice.gap.causes import Attributed
from kanspice.gap.metric_table import further
from kanspice.models.following import NO_TIME_LEFT, change_when_tightened, followed_stages
from kanspice.process_memory import peak_bytes
from kanspice.solver.array_devices import failures_of, processor_named
from kanspice.solver.periods import ideal_end_v
from kanspice.stopwatch import Stopwatch
from kanspice.technology import Technology

_MOST_CURRENTS = 2**17
"""Samples times branches of a period of which log-densities are found: with them each step takes ten times as long."""
_FEWEST_DENSITIES = 2
PACKAGES = ("kanspice", "torch", "numpy", "scipy")
"""Whose versions a report names."""


@dataclass(frozen=True)
class Followed:
    """What the network makes of the samples, and what its circuits are sized for.

    stages: (samples, width) in model units, NaN where it has no answer; without: sample -> why it has none. timeout_s:
    for each time that it is integrated.
    """

    loaded: LoadedModel
    evidence: Evidence
    stages: Mapping[str, Array]
    without: Mapping[int, str]
    sizing: Sizing | None
    timeout_s: float | None

    @classmethod
    def of(
        cls, loaded: LoadedModel, evidence: Evidence, technology: Technology, timeout_s: float | None = None
    ) -> Followed:
        """Follows it once, and through the samples that circuits of the technology are sized for, if those are more.

        Raises DivergenceError if it has no answer for any sample, LateError without time for one.
        """
        stages, without = followed_stages(loaded.model, evidence.inputs, timeout_s)
        if evidence.population is None:
            sizing: Sizing | None = Sizing(evidence.inputs, stages)
        else:
            sizing = sizing_for(loaded, technology, evidence.population, timeout_s)
        return cls(loaded, evidence, stages, without, sizing, timeout_s)

    @property
    def answered(self) -> list[int]:
        """The samples that it has an answer for: those that circuits are tried on."""
        return [index for index in range(len(self.evidence.inputs)) if index not in self.without]

    @property
    def inputs(self) -> Array:
        """Their inputs."""
        return self.evidence.inputs[self.answered]

    @property
    def hints(self) -> dict[str, Array]:
        """Their stages."""
        return {name: values[self.answered] for name, values in self.stages.items()}

    @property
    def failures(self) -> list[FailedSample]:
        """The others, as samples without a result."""
        return [
            FailedSample(index, Outcome.TIMED_OUT if reason == NO_TIME_LEFT else Outcome.NO_REFERENCE, reason)
            for index, reason in self.without.items()
        ]

    def error(self, stage: str, samples: Sequence[int], scale: float) -> NumericalGap | None:
        """Its own numerical error at a stage, on these samples; None where it has none, or nothing was solved again.

        scale: what relative figures are divided by.
        """
        if not samples:
            return None
        chosen = list(samples)
        inputs, values = self.evidence.inputs[chosen], self.stages[stage][chosen]
        change = change_when_tightened(self.loaded.model, stage, inputs, values, self.timeout_s)
        return None if change is None else reference_gap(samples, change, scale)


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
        period_end, laws = partial(_period_end_v, device), self.loaded.model.stage_laws
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
            model=facts.of_model(self.loaded),
            design=facts.of_circuit(design, solution, self.technology),
            engine={
                "name": solution.engine,
                "version": solution.engine_version,
                "options": dict(solution.engine_options),
            },
            inputs={
                "path": evidence.source,
                "sha256": evidence.sha256,
            },
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
            notes=(*facts.notes(self.loaded, design, solution), *self._late_notes(waveforms)),
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


class Generator:
    """A network whose outputs are samples of a distribution: the judge of what its circuits make.

    What it finds of the network's own samples is kept while they stay the same.
    """

    def __init__(self, model: KirchhoffNet) -> None:
        self._most = max(_FEWEST_DENSITIES, _MOST_CURRENTS // max(edges.edges for edges in model.topologies))
        self._forwards = _Kept(partial(density.log_densities, model))
        self._backwards = _Kept(partial(density.log_densities_at, model))

    @classmethod
    def of(cls, loaded: LoadedModel) -> Generator | None:
        """None for other networks."""
        model = loaded.model
        return cls(model) if isinstance(model, KirchhoffNet) and model.generation is not None else None

    def judged(self, inputs: Array, expected: Array, outputs: Array, seed: int) -> Distribution | None:
        """Of what the network, and a circuit, make of inputs (samples, nodes); None with fewer than two samples."""
        found = distribution(expected, outputs, seed)
        if found is None:
            return None
        both = self._forwards, self._backwards
        return replace(found, log_density=log_densities(inputs, expected, outputs, *both, most=self._most, seed=seed))


class _Kept:
    """A function of arrays that knows its last two answers: of the network's own samples, and of a circuit's."""

    def __init__(self, function: Callable[[Array], Array]) -> None:
        self._function = function
        self._answers: dict[bytes, Array] = {}

    def __call__(self, rows: Array) -> Array:
        key = rows.tobytes()
        found = self._answers.pop(key) if key in self._answers else self._function(rows)
        self._answers = dict([*self._answers.items(), (key, found)][-2:])
        return found


def _period_end_v(device: str, period: OdePeriod, before_v: Array) -> Array:
    """As the batched engine follows a period, which is the fastest way to."""
    with failures_of(device):
        return ideal_end_v(period, before_v, processor_named(device))


def _timing(watch: Stopwatch, solution: Solution) -> dict[str, float]:
    """What was done in order: following and compiling, what the engine says of itself, and the rest."""
    first = {part: watch.seconds[part] for part in ("reference_s", "compile_s")}
    return {**first, **solution.timing_s, **watch.seconds, "total_s": watch.total_s}


def generates(loaded: LoadedModel) -> bool:
    """Whether the network's outputs are samples of a distribution."""
    return Generator.of(loaded) is not None


def has_answer(expected: Array) -> npt.NDArray[np.bool_]:
    """(samples,) True where the network has an answer."""
    return np.asarray(np.isfinite(expected).all(axis=1))


def scale_of(expected: Array, evidence: Evidence) -> float:
    """What relative figures are divided by: one sample does not vary, but outputs from elsewhere may be more."""
    scale = spread(expected)
    elsewhere = evidence.external_population
    return spread(elsewhere) if scale == 0 and elsewhere is not None else scale
