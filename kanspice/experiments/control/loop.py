"""The closed loop: a controller and plants exchange observations and actions every control period."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, TypeVar

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.engine.solution import FailedSample
from kanspice.experiments.control.controllers import Commands, Controller
from kanspice.experiments.control.plants import Plant

_Found = TypeVar("_Found")
Steps = Callable[[int], None]
"""Told how many control periods were passed since its last call."""


class Ending(Enum):
    """How an episode ended."""

    LASTED = "lasted"
    """To the last period, or until the plant called it long enough."""
    TERMINATED = "terminated"
    """The plant ended it: usually a failure of the controller."""
    NO_ACTION = "no action"
    """The controller had no answer."""
    NO_OBSERVATION = "no observation"
    """The plant gave something that is not finite."""


@dataclass(frozen=True)
class Episode:
    """One episode, from a seed.

    observations: (periods + 1, observations); commands: (periods, actions), before the plant's limits; rewards:
    (periods,). failure: why there was no action. detail: what else ended it. success: what the plant says, or, where it
    says nothing (`judged` is False), that the episode lasted.
    """

    seed: int
    observations: Array
    commands: Array
    rewards: Array
    ending: Ending
    success: bool
    failure: FailedSample | None = None
    detail: str = ""
    judged: bool = False

    @property
    def length(self) -> int:
        """Control periods."""
        return len(self.rewards)

    @property
    def total(self) -> float:
        """The return: the sum of the rewards."""
        return float(self.rewards.sum())


@dataclass(frozen=True)
class Loop:
    """Plants, one for each seed, and how they are controlled. name: the plants'.

    steps: control periods of an episode at most. latency: 0, or 1: an action then acts a period after what it answers.
    """

    name: str
    plants: Sequence[Plant]
    seeds: Sequence[int]
    steps: int
    latency: int = 0

    def run(self, controller: Controller, progress: Steps | None = None) -> tuple[tuple[Episode, ...], float]:
        """All episodes side by side, and the seconds that the controller took for a control period of one of them.

        Raises InputError for a plant that breaks the interface.
        """
        episodes = [_Running(self, place) for place in range(len(self.plants))]
        decisions, seconds = 0, 0.0
        for step in range(self.steps):
            active = [episode for episode in episodes if episode.ending is None]
            if not active:
                break
            numbers = [episode.place * self.steps + step for episode in active]
            started = time.monotonic()
            found = controller.commands(np.stack([episode.observations[-1] for episode in active]), numbers)
            seconds += time.monotonic() - started
            decisions += len(active)
            _apply(active, found)
            if progress is not None:
                progress(len(active))
        return tuple(episode.ended() for episode in episodes), seconds / max(decisions, 1)


def _apply(active: Sequence[_Running], found: Commands) -> None:
    for row, episode in enumerate(active):
        failure = found.failed.get(row)
        if failure is None:
            episode.act(found.values[row])
        else:
            episode.give_up(failure)


class _Answer(NamedTuple):
    """Of a plant to an action."""

    observation: Any
    reward: Any
    terminated: bool
    truncated: bool
    info: Mapping[str, Any]


@dataclass
class _Running:
    """An episode while it runs."""

    loop: Loop
    place: int
    observations: list[Array] = field(default_factory=list)
    commands: list[Array] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    ending: Ending | None = None
    failure: FailedSample | None = None
    detail: str = ""
    reached: bool | None = None

    def __post_init__(self) -> None:
        self.plant = self.loop.plants[self.place]
        space = self.plant.action_space
        self.low, self.high, self.dtype = space.low, space.high, space.dtype
        self.waiting: Array = np.zeros(space.shape)
        self.shape = tuple(self.plant.observation_space.shape)
        observation, _ = self._asked(lambda: self.plant.reset(seed=self.loop.seeds[self.place]))
        self.observations.append(self._vector(observation))
        if not np.isfinite(self.observations[0]).all():
            raise InputError(
                "the plant's first observation is not finite", where=self.loop.name, found=str(observation)
            )

    def act(self, command: Array) -> None:
        """One control period."""
        action = self.waiting if self.loop.latency else command
        self.waiting = command
        limited = np.minimum(np.maximum(action, self.low), self.high).astype(self.dtype)
        answer = self._asked(lambda: _Answer(*self.plant.step(limited)))
        observation, reward = self._vector(answer.observation), self._asked(lambda: float(answer.reward))
        if not (np.isfinite(observation).all() and np.isfinite(reward)):
            self.ending = Ending.NO_OBSERVATION
            seen = ", ".join(f"{value:.4g}" for value in observation)
            self.detail = f"after {len(self.rewards)} periods the plant gave [{seen}] and a reward of {reward:.4g}"
            return
        self.observations.append(observation)
        self.commands.append(command)
        self.rewards.append(reward)
        if "is_success" in answer.info:
            self.reached = bool(answer.info["is_success"])
        if answer.terminated:
            self.ending = Ending.TERMINATED
        elif answer.truncated:
            self.ending = Ending.LASTED

    def give_up(self, failure: FailedSample) -> None:
        """There is no action."""
        self.ending, self.failure = Ending.NO_ACTION, failure

    def ended(self) -> Episode:
        """What became of it."""
        ending = self.ending or Ending.LASTED
        shape = len(self.commands), *np.shape(self.waiting)
        reached = ending is Ending.LASTED if self.reached is None else self.reached
        return Episode(
            seed=self.loop.seeds[self.place],
            observations=np.stack(self.observations),
            commands=np.reshape(self.commands, shape),
            rewards=np.array(self.rewards),
            ending=ending,
            success=reached and ending in {Ending.LASTED, Ending.TERMINATED},
            failure=self.failure,
            detail=self.detail,
            judged=self.reached is not None,
        )

    def _asked(self, call: Callable[[], _Found]) -> _Found:
        try:
            return call()
        except Exception as error:  # a plant is somebody else's code
            found = f"{type(error).__name__}: {error}"[:300]
            raise InputError("the plant failed", where=self.loop.name, found=found) from error

    def _vector(self, observation: Any) -> Array:
        found = self._asked(lambda: np.array(observation, dtype=np.float64))
        if found.shape != self.shape:
            problem = "the plant's observation is not as its space says"
            raise InputError(
                problem, where=self.loop.name, expected=f"shape {self.shape}", found=f"shape {found.shape}"
            )
        return found
