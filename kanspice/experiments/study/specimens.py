"""One draw at one point: a specimen made, solved and compared, by itself, wherever that happens to be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.base.threads import one_thread
from kanspice.circuit import Design
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import resolve_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Progress
from kanspice.engine.running import as_solved, judge_of, solve
from kanspice.engine.solution import FailedSample, Solution
from kanspice.experiments.ensemble.draws import DrawResult, finite_or_none
from kanspice.experiments.ensemble.randomness import can_differ
from kanspice.experiments.generator import Generator
from kanspice.experiments.study.plan import CHECKED_SAMPLES
from kanspice.experiments.trims import Affine
from kanspice.experiments.verify.cross_check import cross_check
from kanspice.experiments.verify.options import VerifyOptions
from kanspice.gap import (
    CrossCheck,
    Distribution,
    Doubt,
    Gap,
    Measurements,
    NumericalGap,
    Variation,
    compare,
    decoded_outputs,
    from_learnt,
    metric_values,
    numerical_gap,
    unresolved,
)
from kanspice.gap.judging import judged as limits_judged
from kanspice.gap.limits import LimitPair
from kanspice.technology import Technology

NOISE = "energy_distance_noise"
"""The metric of how far apart two sets of so many samples of one distribution are."""
_CHECK_SAMPLES = 2
"""That are solved again to measure a draw's numerical error: the worst one, and one drawn at random."""


@dataclass(frozen=True)
class CheckedDraw:
    """One draw by both engines."""

    point: int
    trial: int
    seed: int
    found: CrossCheck


@dataclass(frozen=True)
class GapSetup:
    """Everything that specimens of one point's circuit are measured with: plain arrays, cheap to send.

    inputs: (followed samples, inputs) in model units, those that the network has an answer for; places: where they are
    among all samples; without: the others. hints: reference stages by name, (followed samples, width). expected:
    (samples, outputs); labels: (samples,); targets: (samples, outputs). scale: what relative figures are divided by.
    reference_error: the network's own; generator: what judges draws as distributions, where the network's outputs are
    one. limits: of a good draw. judge: what checks draws, if not the usual engine. learnt: (samples, outputs) of the
    network that this one was made of, if it was.
    """

    point: int
    design: Design
    technology: Technology
    engine: str
    device: str
    inputs: Array
    places: tuple[int, ...]
    without: tuple[FailedSample, ...]
    hints: Mapping[str, Array]
    expected: Array
    labels: npt.NDArray[np.int64] | None
    scale: float
    reference_error: NumericalGap | None = None
    generator: Generator | None = None
    limits: Sequence[LimitPair] = ()
    targets: Array | None = None
    judge: str | None = None
    learnt: Array | None = None

    def solve(self, design: Design, options: RunOptions) -> Solution:
        """One of the circuits, for all samples: they all get the same inputs."""
        return solve(
            self.engine,
            design,
            self.inputs,
            resolve_fidelity(design, "auto", engine_named(self.engine).fidelities),
            options,
            hints=self.hints,
            numbers=self.places,
            known=self._known,
        )

    @cached_property
    def _known(self) -> object:
        return engine_named(self.engine).share()

    @cached_property
    def variation(self) -> Variation:
        """How the network's outputs vary."""
        return Variation.of(self.expected, self.scale)

    def as_distribution(self, outputs: Array, seed: int) -> Distribution | None:
        """What a circuit made of all samples, (samples, outputs), where the network generates."""
        if self.generator is None:
            return None
        followed = list(self.places)
        return self.generator.judged(self.inputs, self.expected[followed], outputs[followed], seed)

    @cached_property
    def is_random(self) -> bool:
        """Whether two draws can differ."""
        return can_differ(self.design, self.technology)

    def measure(self, trial: int, seed: int) -> DrawResult:
        """One draw."""
        design = self.specimen(seed)
        return self.judged(trial, seed, design, self.solution(trial, seed, design))

    def specimen(self, seed: int) -> Design:
        """The circuit that a seed draws."""
        return draw_specimen(self.design, self.technology, Draw(seed))

    def judged(
        self, trial: int, seed: int, design: Design, solution: Solution, trims: Affine | None = None
    ) -> DrawResult:
        """What a draw's solution comes to. trims: what is done to its outputs once they are read."""
        outputs, numerical = decoded_outputs(design, solution), numerical_gap(design, solution, self.scale)
        if trims is not None:
            outputs, numerical = trims.applied(outputs), trims.of_error(numerical)
        gap = compare(outputs, self.expected, solution.solved, self.scale)
        measurements = Measurements(
            outputs=outputs,
            reference=self.expected,
            solved=solution.solved,
            gap=gap,
            numerical=numerical,
            unstable_fraction=solution.unstable_fraction,
            labels=self.labels,
            targets=self.targets,
            generates=self.generator is not None,
            distribution=self.as_distribution(outputs, seed),
            from_learnt=self._from_learnt(outputs, solution),
        )
        values = metric_values(measurements)
        doubt = Doubt(gap, numerical, self.reference_error, self.variation, measurements.loss)
        return DrawResult(
            point=self.point,
            trial=trial,
            seed=seed,
            samples=len(self.expected),
            metrics={name: finite_or_none(value) for name, value in values.items()},
            failed=dict(sorted(Counter(failure.outcome.value for failure in solution.failed).items())),
            unresolved=unresolved(doubt, limits_judged(self.limits, values), solved=bool(solution.solved.any())),
        )

    def among(self, samples: Sequence[int]) -> GapSetup:
        """The same for some of the samples only."""
        chosen = np.asarray(samples, dtype=np.intp)
        followed = [self.places.index(place) for place in samples if place in self.places]
        renumbered = {place: number for number, place in enumerate(samples)}
        return replace(
            self,
            inputs=self.inputs[followed],
            places=tuple(renumbered[self.places[row]] for row in followed),
            without=tuple(
                replace(failure, index=renumbered[failure.index])
                for failure in self.without
                if failure.index in renumbered
            ),
            hints={name: values[followed] for name, values in self.hints.items()},
            expected=self.expected[chosen],
            labels=None if self.labels is None else self.labels[chosen],
            targets=None if self.targets is None else self.targets[chosen],
            learnt=None if self.learnt is None else self.learnt[chosen],
        )

    def _from_learnt(self, outputs: Array, solution: Solution) -> Gap | None:
        """Of a circuit's outputs, (samples, outputs)."""
        if self.learnt is None:
            return None
        return from_learnt(outputs, self.learnt, solution.solved, self.scale)

    def check(self, trial: int, seed: int, progress: Progress | None = None) -> CheckedDraw:
        """One draw by both engines: a few samples of it by the other."""
        with one_thread():
            design = as_solved(self.specimen(seed), self.engine)
            single = self._options(seed)
            options = VerifyOptions(run=single, engine=self.engine, cross_check=CHECKED_SAMPLES, judge=self.judge)
            solution = self.solve(design, single)
            judge = judge_of(self.engine, self.judge)
            found = cross_check(
                design, self.inputs, solution, options, judge, hints=self.hints, progress=progress, numbers=self.places
            )
        return CheckedDraw(self.point, trial, seed, found.among(self.places))

    def _options(self, seed: int) -> RunOptions:
        return RunOptions(seed=seed, device=self.device, row_currents=False)

    def solution(self, trial: int, seed: int, design: Design) -> Solution:
        """Of a specimen. The numerical error is measured in every draw: as `verify` does in a point's first, and where
        time steps depend on it; on fewer samples in the others.
        """
        options = self._options(seed)
        if trial > 0 and (engine_named(self.engine).solves_together or not design.is_timed):
            options = replace(options, check_samples=_CHECK_SAMPLES)
        solution = self.solve(design, options)
        return solution.among(self.places, self.without) if self.without else solution
