"""What gives a plant its actions: the network itself, or its circuit. Neither remembers anything between periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design
from kanspice.engine.engines import Session
from kanspice.engine.solution import FailedSample, Outcome
from kanspice.families.common.following import followed_stages
from kanspice.families.common.network import DivergenceError, Network
from kanspice.gap import decoded_outputs


@dataclass(frozen=True)
class Commands:
    """What a controller wants plants to do: values (episodes, actions), of any size; NaN where it has no answer.

    failed: why, by place.
    """

    values: Array
    failed: Mapping[int, FailedSample] = field(default_factory=dict)


class Controller(Protocol):
    """Gives commands for observations (episodes, observations) of several episodes at once.

    numbers: (episodes,) which control periods these are, among all of a run: what is drawn for each of them.
    """

    def commands(self, observations: Array, numbers: Sequence[int]) -> Commands:
        """One for each episode."""


class ReferenceController:
    """The torch network."""

    def __init__(self, model: Network) -> None:
        self.model = model

    def commands(self, observations: Array, numbers: Sequence[int]) -> Commands:
        """The network's outputs; it has none where it diverges, or where its values are not finite."""
        del numbers
        try:
            stages, diverged = followed_stages(self.model, observations)
        except DivergenceError as error:
            values = np.full((len(observations), self.model.output_width), np.nan)
            return Commands(values, _without_answer(range(len(values)), error.problem))
        return Commands(list(stages.values())[-1], {place: _failure(place, why) for place, why in diverged.items()})


def _without_answer(places: Sequence[int], why: str) -> dict[int, FailedSample]:
    return {place: _failure(place, why) for place in places}


def _failure(place: int, why: str) -> FailedSample:
    return FailedSample(place, Outcome.NO_REFERENCE, why)


class CircuitController:
    """The circuit, kept ready by an engine."""

    def __init__(self, design: Design, session: Session) -> None:
        self.design, self.session = design, session

    def commands(self, observations: Array, numbers: Sequence[int]) -> Commands:
        """The circuit's outputs in model units."""
        solution = self.session.solve(observations, numbers)
        return Commands(decoded_outputs(self.design, solution), {failure.index: failure for failure in solution.failed})
