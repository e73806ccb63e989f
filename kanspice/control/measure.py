"""A network and its circuit in the same closed loop, from the same starts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kanspice.control.controllers import CircuitController, ReferenceController
from kanspice.control.loop import Ending, Episode, Loop, Steps
from kanspice.control.plants import check_fit, plant_maker
from kanspice.control.plants.named import PlantMaker
from kanspice.control.result import METRICS, ControlResult, metric_values
from kanspice.design import Design
from kanspice.draws import Draw
from kanspice.engines import EngineName, open_session
from kanspice.errors import InputError
from kanspice.evidence import Evidence
from kanspice.gap import Gap, GapResult, compare, judged, spread
from kanspice.models import LoadedModel
from kanspice.models.reference import followed_stages
from kanspice.ngspice import NgspiceOptions
from kanspice.pipeline import FidelityChoice, VerifyOptions, compile_model, resolve_fidelity, technology_for, verify
from kanspice.study.plan import seed_of
from kanspice.technology import Technology
from kanspice.validation import nearest

Array = npt.NDArray[np.float64]

_MOST_OBSERVATIONS = 1000
"""At which the circuit is held against the network outside of the loop, spread evenly over the reference's episodes."""


@dataclass(frozen=True)
class ControlOptions:
    """How to control.

    steps: control periods of an episode at most. latency: control periods between an observation and its action, 0 or 1.
    seed: of the starts and of the specimen. sample_timeout_s: for what ngspice does in one control period of an episode.
    cross_check: at how many observations the other engine is asked too.
    """

    episodes: int = 10
    steps: int = 500
    seed: int = 0
    latency: int = 0
    engine: EngineName = "ngspice"
    fidelity: FidelityChoice = "auto"
    sample_timeout_s: float = 10.0
    limits: Sequence[tuple[str, float]] = ()
    cross_check: int = 0


def control(
    loaded: LoadedModel,
    technology: Technology,
    plant: str | PlantMaker,
    options: ControlOptions | None = None,
    progress: Steps | None = None,
) -> ControlResult:
    """Lets the network control the plant, then its circuit, and compares.

    plant: a name, or what makes one. progress: told of control periods passed, of both.
    Raises InputError for a plant that does not fit or breaks its interface, SimulatorError without a simulator.
    """
    options = options or ControlOptions()
    _check_limits(options.limits)
    technology = technology_for(loaded, technology)
    with ExitStack() as held:
        bench = Bench.of(held, loaded, technology, plant, options, progress)
        return bench.result(progress)


def _check_limits(limits: Sequence[tuple[str, float]]) -> None:
    for metric, _ in limits:
        if metric not in METRICS:
            hint = nearest(metric, list(METRICS))
            raise InputError(f"there is no metric '{metric}'", where="--max", expected=", ".join(METRICS), hint=hint)


@dataclass(frozen=True)
class Bench:
    """A plant for every episode, what the network did with them, and what circuits for that are sized for."""

    loaded: LoadedModel
    technology: Technology
    options: ControlOptions
    loop: Loop
    reference: tuple[Episode, ...]
    reference_step_s: float

    @classmethod
    def of(
        cls,
        held: ExitStack,
        loaded: LoadedModel,
        technology: Technology,
        plant: str | PlantMaker,
        options: ControlOptions,
        progress: Steps | None,
    ) -> Bench:
        """Plants are closed when `held` is."""
        maker = plant_maker(plant, loaded.output_width) if isinstance(plant, str) else plant
        name = plant if isinstance(plant, str) else getattr(plant, "__name__", type(plant).__name__)
        plants = []
        for _ in range(options.episodes):
            plants.append(maker())
            held.callback(plants[-1].close)
        check_fit(plants[0], name, loaded.input_width, loaded.output_width)
        seeds = [seed_of(options.seed, episode) for episode in range(options.episodes)]
        loop = Loop(name, plants, seeds, options.steps, options.latency)
        reference, step_s = loop.run(ReferenceController(loaded.model), progress)
        for place, episode in enumerate(reference):
            if episode.ending is Ending.NO_OBSERVATION:
                problem = f"episode {place} of the network itself ends with what is not finite"
                raise InputError(problem, where=name, expected="finite observations and rewards", found=episode.detail)
        if not sum(episode.length for episode in reference):
            found = next((episode.failure.detail for episode in reference if episode.failure), "")
            raise InputError("the network has no action for any start", where=loaded.path, found=found)
        return cls(loaded, technology, options, loop, reference, step_s)

    @property
    def observations(self) -> Array:
        """(periods of all episodes, observations) that the network had an answer for."""
        return np.concatenate([episode.observations[: episode.length] for episode in self.reference])

    def ngspice(self, seed: int) -> NgspiceOptions:
        """How engines are run."""
        return NgspiceOptions(seed=seed)

    def episodes(
        self, design: Design, engine: EngineName, seed: int, progress: Steps | None = None
    ) -> tuple[tuple[Episode, ...], float, float]:
        """The circuit's episodes, seconds for a control period of one, and seconds for loading."""
        fidelity = resolve_fidelity(design, self.options.fidelity)
        started = time.monotonic()

        def follow(inputs: Array) -> dict[str, Array]:
            return followed_stages(self.loaded.model, inputs)[0]

        timeout_s = self.options.sample_timeout_s
        options = self.ngspice(seed)
        with open_session(engine, design, fidelity, options, sample_timeout_s=timeout_s, follow=follow) as session:
            load_s = time.monotonic() - started
            episodes, step_s = self.loop.run(CircuitController(design, session), progress)
        return episodes, step_s, load_s

    def result(self, progress: Steps | None) -> ControlResult:
        """The circuit's episodes beside the network's."""
        options = self.options
        design = compile_model(self.loaded, self.technology, self.observations, Draw(options.seed))
        circuit, step_s, load_s = self.episodes(design, options.engine, options.seed, progress)
        result = ControlResult(
            plant=self._plant(),
            reference=self.reference,
            circuit=circuit,
            along=self._along(),
            own=self._own(circuit),
            step_s={"circuit": step_s, "reference": self.reference_step_s},
            load_s=load_s,
            notes=self._notes(circuit),
        )
        return replace(result, limits=judged(options.limits, metric_values(result)))

    def _plant(self) -> dict[str, object]:
        loop = self.loop
        return {
            "name": loop.name,
            "observations": self.loaded.input_width,
            "actions": self.loaded.output_width,
            "episodes": len(loop.plants),
            "steps": loop.steps,
            "latency": loop.latency,
            "seed": self.options.seed,
        }

    def _along(self) -> GapResult:
        """The circuit against the network where the network went, outside of the loop."""
        everywhere = self.observations
        chosen = np.linspace(0, len(everywhere) - 1, min(_MOST_OBSERVATIONS, len(everywhere))).round().astype(int)
        evidence = Evidence(everywhere[chosen], source=f"episodes of {self.loop.name}", population=everywhere)
        options = VerifyOptions(
            fidelity=self.options.fidelity,
            ngspice=self.ngspice(self.options.seed),
            engine=self.options.engine,
            cross_check=self.options.cross_check,
        )
        return verify(self.loaded, self.technology, evidence, options)

    def _own(self, circuit: tuple[Episode, ...]) -> Gap | None:
        """The circuit's commands against the network's for the same observations."""
        commands = np.concatenate([episode.commands for episode in circuit])
        if not len(commands):
            return None
        observations = np.concatenate([episode.observations[: episode.length] for episode in circuit])
        expected = ReferenceController(self.loaded.model).commands(observations, range(len(observations)))
        known = np.isfinite(expected.values).all(axis=1)
        return compare(commands, expected.values, known, spread(expected.values[known])) if known.any() else None

    def _notes(self, circuit: tuple[Episode, ...]) -> tuple[str, ...]:
        """What a reader has to know of the loop."""
        notes = []
        space = self.loop.plants[0].action_space
        commands = np.concatenate([episode.commands for episode in circuit])
        beyond = int(((commands < space.low) | (commands > space.high)).any(axis=1).sum())
        if beyond:
            notes.append(f"{beyond} of {len(commands)} of the circuit's actions were limited to the plant's action space")
        unanswered = sum(episode.ending is Ending.NO_ACTION for episode in self.reference)
        if unanswered:
            notes.append(f"the network itself had no answer in {unanswered} of {len(self.reference)} episodes")
        return tuple(notes)
