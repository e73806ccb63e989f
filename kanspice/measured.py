"""What one simulation amounts to: its outputs against the network's, and every figure of the report."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

from kanspice import facts
from kanspice.compile import Sizing
from kanspice.design import Design
from kanspice.evidence import Evidence
from kanspice.families import LoadedModel, compile_model, sizing_for
from kanspice.families.kirchhoffnet import density
from kanspice.families.kirchhoffnet.arrays import reference_waveforms
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.gap import (
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
from kanspice.gap.metric_table import further
from kanspice.memory import peak_bytes
from kanspice.models.following import change_when_tightened, followed_stages
from kanspice.solution import Solution
from kanspice.technology import Technology

Array = npt.NDArray[np.float64]
_MOST_CURRENTS = 2**17
"""Samples times branches of a period of which log-densities are found: with them each step takes ten times as long."""
_FEWEST_DENSITIES = 2
PACKAGES = ("kanspice", "torch", "numpy", "scipy")
"""Whose versions a report names."""


class Reference:
    """What the network makes of the samples: found when it is first asked for. seconds: how long that took so far."""

    def __init__(self, loaded: LoadedModel, evidence: Evidence, timeout_s: float | None = None) -> None:
        """timeout_s: for each time that it is followed."""
        self._loaded, self._model, self._evidence = loaded, loaded.model, evidence
        self.timeout_s = timeout_s
        self.seconds = 0.0

    @cached_property
    def answers(self) -> tuple[dict[str, Array], dict[int, str]]:
        """Its stages (samples, width) in model units, and why some samples have none: their rows are NaN."""
        return self._followed(self._evidence.inputs)

    def sizing(self, technology: Technology) -> Sizing | None:
        """What a circuit of this technology is sized for: the samples, or more than those."""
        stages, started = self.answers[0], time.monotonic()
        sizing = sizing_of(self._loaded, technology, self._evidence, stages)
        self.seconds += time.monotonic() - started
        return sizing

    def error(self, stage: str, samples: Sequence[int], scale: float) -> NumericalGap | None:
        """Its own numerical error at a stage, on these samples; None where it has none, or nothing was solved again.

        scale: what relative figures are divided by.
        """
        if not samples:
            return None
        started, chosen = time.monotonic(), list(samples)
        change = change_when_tightened(
            self._model, stage, self._evidence.inputs[chosen], self.answers[0][stage][chosen], self.timeout_s
        )
        self.seconds += time.monotonic() - started
        return None if change is None else reference_gap(samples, change, scale)

    def _followed(self, inputs: Array) -> tuple[dict[str, Array], dict[int, str]]:
        started = time.monotonic()
        found = followed_stages(self._model, inputs, self.timeout_s)
        self.seconds += time.monotonic() - started
        return found


@dataclass(frozen=True)
class Measured:
    """Everything that a result is made of: what was simulated, and what it is to be compared with."""

    loaded: LoadedModel
    technology: Technology
    evidence: Evidence
    reference: Reference
    design: Design
    sizing: Sizing | None
    compile_s: float
    solution: Solution

    def result(self, limits: Sequence[tuple[str, float]], device: str) -> GapResult:
        """The gap and all that is said beside it; limits: metric -> what it may be at most.

        device: with which the batched engine finds what stages add by themselves.
        """
        evidence, (reference, _) = self.evidence, self.reference.answers
        design, solution = self.design, self.solution
        expected = reference[design.stages[-1].compares_to]
        outputs = decoded_outputs(design, solution)
        scale = scale_of(expected, evidence)
        gap = compare(outputs, expected, solution.solved, scale)
        stages = measure(
            self._nominal(), solution, evidence.inputs, reference, device, laws=self.loaded.model.stage_laws
        )
        numerical = numerical_gap(design, solution, scale)
        checked = () if solution.numerical_error is None else solution.numerical_error.samples
        external, followed = evidence.external, has_answer(expected)
        started = time.monotonic()
        as_one = self._distribution(expected, outputs)
        waveforms = self._waveforms()
        density_s = {"density_s": time.monotonic() - started} if as_one is not None else {}
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
            reference_error=self.reference.error(design.stages[-1].compares_to, checked, scale),
            variation=Variation.of(expected, scale),
            external_gap=None if external is None else compare(expected, external, followed, scale),
            external_circuit_gap=None if external is None else compare(outputs, external, solution.solved, scale),
            accuracy=measurements.accuracy,
            loss=measurements.loss,
            metrics=further(values),
            limits=judged(limits, values),
            timing={
                "reference_s": self.reference.seconds,
                "compile_s": self.compile_s,
                **solution.timing_s,
                **density_s,
            },
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
        )

    def _distribution(self, expected: Array, outputs: Array) -> Distribution | None:
        """The samples as a distribution, of a network that generates."""
        generator = Generator.of(self.loaded)
        return (
            None if generator is None else generator.judged(self.evidence.inputs, expected, outputs, self.design.seed)
        )

    def _generated(self) -> Generated | None:
        """Where the samples are at every period's end, of a network that generates."""
        model, (reference, _) = self.loaded.model, self.reference.answers
        if not isinstance(model, KirchhoffNet) or model.generation is None:
            return None
        ends = tuple(
            PeriodEnds(p.name, reference[p.compares_to], self.solution.stage_v[p.name] / p.unit_v)
            for p in self.design.periods
        )
        return Generated(ends, model.generation.image)

    def _nominal(self) -> Design:
        """The circuit without imperfections: what each stage should have done with the voltages that it got."""
        technology = self.technology
        if not technology.causes:
            return self.design
        return compile_model(self.loaded, technology.without(technology.causes), self.sizing)

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


def sizing_of(
    loaded: LoadedModel, technology: Technology, evidence: Evidence, stages: Mapping[str, Array]
) -> Sizing | None:
    """What a circuit is sized for: the samples, whose stages are known, or more than those."""
    if evidence.population is None:
        return Sizing(evidence.inputs, stages)
    return sizing_for(loaded, technology, evidence.population)


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
