"""What a network makes of samples: followed once, for every circuit that is held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.threads import fitting_threads
from kanspice.circuit import Design
from kanspice.circuit.compile import Sizing
from kanspice.engine.solution import FailedSample, Outcome
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.sizing import check_is_sized
from kanspice.families import LoadedModel, sizing_for
from kanspice.families.common.following import NO_TIME_LEFT, change_when_tightened, followed_stages
from kanspice.gap import (
    NumericalGap,
    reference_gap,
    spread,
)
from kanspice.technology import Technology


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

        Raises DivergenceError if it has no answer for any sample, LateError without time for one, InputError for
        samples that circuits are to be sized for where nothing in them is.
        """
        if evidence.sized_for is not None:
            check_is_sized(loaded, technology)
        with fitting_threads(loaded.parameters):
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

    def expected(self, design: Design) -> Array:
        """(samples, outputs) what the outputs of a circuit are to be, model units."""
        return self.stages[design.stages[-1].compares_to]

    def scale(self, design: Design) -> float:
        """What relative figures are divided by: one sample does not vary, but outputs from elsewhere may be more."""
        scale, elsewhere = spread(self.expected(design)), self.evidence.external_population
        return spread(elsewhere) if scale == 0 and elsewhere is not None else scale

    def error(self, stage: str, samples: Sequence[int], scale: float) -> NumericalGap | None:
        """Its own numerical error at a stage, on these samples; None where it has none, or nothing was solved again.

        scale: what relative figures are divided by.
        """
        if not samples:
            return None
        chosen = list(samples)
        inputs, values = self.evidence.inputs[chosen], self.stages[stage][chosen]
        with fitting_threads(self.loaded.parameters):
            change = change_when_tightened(self.loaded.model, stage, inputs, values, self.timeout_s)
        return None if change is None else reference_gap(samples, change, scale)


def has_answer(expected: Array) -> npt.NDArray[np.bool_]:
    """(samples,) True where the network has an answer."""
    return np.asarray(np.isfinite(expected).all(axis=1))
