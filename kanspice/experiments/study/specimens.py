"""One draw at one point: a specimen made, solved and compared, by itself, wherever that happens to be done."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.circuit import Design
from kanspice.circuit.file import design_bytes
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Progress
from kanspice.engine.running import solve
from kanspice.engine.solution import FailedSample, Solution
from kanspice.experiments.generator import Generator
from kanspice.experiments.study.plan import CHECKED_SAMPLES
from kanspice.experiments.verify.run import VerifyOptions, cross_check
from kanspice.gap import (
    CrossCheck,
    Distribution,
    Doubt,
    Measurements,
    NumericalGap,
    Variation,
    compare,
    decoded_outputs,
    judged,
    metric_values,
    numerical_gap,
    unresolved,
)
from kanspice.technology import Technology

NOISE = "energy_distance_noise"
"""The metric of how far apart two sets of so many samples of one distribution are."""
_CHECK_SAMPLES = 2
"""That are solved again to measure a draw's numerical error: the worst one, and one drawn at random."""


@dataclass(frozen=True)
class Bench:
    """Everything that specimens of one point's circuit are measured with: plain arrays, cheap to send.

    inputs: (followed samples, inputs) in model units, those that the network has an answer for; places: where they are
    among all samples; without: the others. hints: reference stages by name, (followed samples, width). expected:
    (samples, outputs); labels: (samples,); targets: (samples, outputs). scale: what relative figures are divided by.
    reference_error: the network's own; generator: what judges draws as distributions, where the network's outputs are
    one. limits: of a good draw.
    """

    point: int
    design: Design
    technology: Technology
    engine: str
    device: str
    fidelity: Fidelity
    inputs: Array
    places: tuple[int, ...]
    without: tuple[FailedSample, ...]
    hints: Mapping[str, Array]
    expected: Array
    labels: npt.NDArray[np.int64] | None
    scale: float
    reference_error: NumericalGap | None = None
    generator: Generator | None = None
    limits: Sequence[tuple[str, float]] = ()
    targets: Array | None = None

    def solve(self, design: Design, options: RunOptions) -> Solution:
        """One of the circuits, for all samples: they all get the same inputs."""
        return solve(
            self.engine,
            design,
            self.inputs,
            self.fidelity,
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


def can_differ(design: Design, technology: Technology) -> bool:
    """Whether two specimens of a nominal design can: drawn as far apart as can be, they are not the same circuit."""
    extremes = [draw_specimen(design, technology, extreme) for extreme in (_Low(), _High())]
    low, high = (design_bytes(replace(extreme, seed=0)) for extreme in extremes)
    return low != high or design.has_noise


class _Extreme(Draw):
    def _generator(self, name: str) -> np.random.Generator:
        raise TypeError(f"{name}: a kind of draw that has no extreme")


class _Low(_Extreme):
    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.full(shape, math.nextafter(1, 0))


class _High(_Extreme):
    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.ones(shape)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)


@dataclass(frozen=True)
class DrawResult:
    """What was measured of one draw.

    metrics: by name, over the samples that were solved; None where there is no figure. failed: samples without a
    result, by outcome. unresolved: why the gap cannot be told from numerical error, if so.
    """

    point: int
    trial: int
    seed: int
    samples: int
    metrics: Mapping[str, float | None]
    failed: Mapping[str, int]
    unresolved: tuple[str, ...]
    seconds: float

    @property
    def failed_samples(self) -> int:
        """How many samples have no result."""
        return sum(self.failed.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DrawResult:
        """What `to_dict` made, also after JSON has made lists of tuples. Raises Python errors for anything else."""
        return cls(**{**values, "unresolved": tuple(values["unresolved"])})


def measure(bench: Bench, trial: int, seed: int) -> DrawResult:
    """One draw. The same numbers whoever measures it: linear algebra runs in one thread."""
    started = time.monotonic()
    with one_thread():
        design, solution = _solved(bench, trial, seed)
        outputs = decoded_outputs(design, solution)
        gap = compare(outputs, bench.expected, solution.solved, bench.scale)
        numerical = numerical_gap(design, solution, bench.scale)
        as_one = bench.as_distribution(outputs, seed)
    measurements = Measurements(
        outputs=outputs,
        reference=bench.expected,
        solved=solution.solved,
        gap=gap,
        numerical=numerical,
        unstable_fraction=solution.unstable_fraction,
        labels=bench.labels,
        targets=bench.targets,
        generates=bench.generator is not None,
        distribution=as_one,
    )
    values = metric_values(measurements)
    doubt = Doubt(gap, numerical, bench.reference_error, bench.variation, measurements.loss)
    return DrawResult(
        point=bench.point,
        trial=trial,
        seed=seed,
        samples=len(bench.expected),
        metrics={name: _finite(value) for name, value in values.items()},
        failed=dict(sorted(Counter(failure.outcome.value for failure in solution.failed).items())),
        unresolved=unresolved(doubt, judged(bench.limits, values), solved=bool(solution.solved.any())),
        seconds=time.monotonic() - started,
    )


def check(bench: Bench, seed: int, progress: Progress | None = None) -> CrossCheck:
    """One draw by both engines: a few samples of it by the other."""
    with one_thread():
        design = draw_specimen(bench.design, bench.technology, Draw(seed))
        single = RunOptions(seed=seed, device=bench.device, row_currents=False)
        options = VerifyOptions(run=single, engine=bench.engine, cross_check=CHECKED_SAMPLES)
        solution = bench.solve(design, options.run)
        found = cross_check(
            design, bench.inputs, solution, options, hints=bench.hints, progress=progress, numbers=bench.places
        )
        return found.among(bench.places)


def one_thread() -> Any:
    """A context in which linear algebra runs in one thread: with another number of them sums round differently."""
    return _threads().limit(limits=1)


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


def _solved(bench: Bench, trial: int, seed: int) -> tuple[Design, Solution]:
    """The numerical error is measured in every draw: as `verify` does in a point's first, and where time steps depend
    on it; on fewer samples in the others.
    """
    design = draw_specimen(bench.design, bench.technology, Draw(seed))
    options = RunOptions(seed=seed, device=bench.device, row_currents=False)
    if trial > 0 and (engine_named(bench.engine).solves_together or not design.periods):
        options = replace(options, check_samples=_CHECK_SAMPLES)
    solution = bench.solve(design, options)
    return design, solution.among(bench.places, bench.without) if bench.without else solution


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
