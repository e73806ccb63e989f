"""Plants for every episode, what the network does with them, and what its circuits do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.circuit import Design
from kanspice.circuit.compile import Sizing
from kanspice.engine.engines import Session, engine_named
from kanspice.engine.fidelity import FidelityChoice, check_fidelity, resolve_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.running import open_session
from kanspice.experiments.control.controllers import CircuitController, Controller, ReferenceController
from kanspice.experiments.control.loop import Ending, Episode, Loop, Steps
from kanspice.experiments.control.plants import check_fit, plant_maker
from kanspice.experiments.control.plants.named import PlantMaker
from kanspice.experiments.ensemble.variations import seed_of
from kanspice.experiments.sizing import SizingSamples
from kanspice.families import LoadedModel, sizing_for
from kanspice.families.common.following import reference_stages
from kanspice.families.common.network import Network
from kanspice.gap.limits import LimitPair
from kanspice.report.formatting import lasting, many
from kanspice.technology import Technology

WORTH_SAYING_S = 60.0
"""What takes longer is said before it begins."""
_MOST_COMPARED = 1000


@dataclass(frozen=True)
class ControlOptions:
    """How to control.

    steps: control periods of an episode at most. latency: control periods between an observation and its action: 0, 1.
    seed: of the starts and of the specimen. sample_timeout_s: for what ngspice does in a control period of an episode.
    cross_check: at how many observations another engine is asked too: `judge`, or the usual one. plant_curves: a file
    for the plant by name.
    """

    episodes: int = 10
    steps: int = 500
    seed: int = 0
    latency: int = 0
    engine: str = "ngspice"
    fidelity: FidelityChoice = "auto"
    sample_timeout_s: float = 10.0
    limits: Sequence[LimitPair] = ()
    cross_check: int = 0
    plant_curves: Path | None = None
    judge: str | None = None


@dataclass(frozen=True)
class LoopSetup:
    """A network, its circuits, and starts on a plant. It can be pickled where the plant has a name.

    make: a plant, for every episode its own, and new ones for every controller: none sees what another has left.
    """

    model: Network
    plant: str
    make: PlantMaker
    options: ControlOptions

    @property
    def seeds(self) -> list[int]:
        """Of the starts."""
        return [seed_of(self.options.seed, episode) for episode in range(self.options.episodes)]

    def run(self, controller: Controller, progress: Steps | None) -> tuple[tuple[Episode, ...], float]:
        """All episodes, and the seconds that the controller took for a control period of one of them.

        Raises InputError for a plant that breaks the interface.
        """
        with ExitStack() as held:
            plants = []
            for _ in range(self.options.episodes):
                plants.append(self.make())
                held.callback(plants[-1].close)
            return Loop(self.plant, plants, self.seeds, self.options.steps, self.options.latency).run(
                controller, progress
            )

    def episodes(
        self,
        design: Design,
        engine: str,
        seed: int,
        progress: Steps | None = None,
        warned: Callable[[Session], None] | None = None,
    ) -> tuple[tuple[Episode, ...], float, float]:
        """The circuit's episodes, seconds for a control period of one, and seconds for loading.

        warned: called with the circuit before they begin.
        """
        fidelity = resolve_fidelity(design, self.options.fidelity, engine_named(engine).fidelities)
        check_fidelity(design, fidelity)
        started = time.monotonic()

        def follow(inputs: Array) -> dict[str, Array]:
            return reference_stages(self.model, inputs)

        timeout_s = self.options.sample_timeout_s
        options = RunOptions(seed=seed)
        with open_session(engine, design, fidelity, options, sample_timeout_s=timeout_s, follow=follow) as session:
            load_s = time.monotonic() - started
            if warned is not None:
                warned(session)
            episodes, step_s = self.run(CircuitController(design, session), progress)
        return episodes, step_s, load_s


@dataclass(frozen=True)
class ReferenceLoop:
    """What the network itself does from every start, and what the plant says of itself."""

    setup: LoopSetup
    loaded: LoadedModel
    episodes: tuple[Episode, ...]
    step_s: float
    action_space: Any
    observation_names: tuple[str, ...]
    reward_name: str
    sized_for: SizingSamples | None = None

    @classmethod
    def of(
        cls,
        loaded: LoadedModel,
        plant: str | PlantMaker,
        options: ControlOptions,
        *,
        sized_for: SizingSamples | None = None,
        progress: Steps | None,
    ) -> ReferenceLoop:
        """sized_for: samples that circuits are sized for, if those are not what the network comes by.

        Raises InputError for a plant that does not fit, or that breaks its interface with the network itself."""
        curves = options.plant_curves
        maker = plant_maker(plant, loaded.output_width, curves) if isinstance(plant, str) else plant
        name = plant if isinstance(plant, str) else getattr(plant, "__name__", type(plant).__name__)
        with closing(maker()) as first:
            check_fit(first, name, loaded.input_width, loaded.output_width)
            names = tuple(map(str, getattr(first, "observation_names", ())))
            space, reward_name = first.action_space, str(getattr(first, "reward_name", "reward"))
        setup = LoopSetup(loaded.model, name, maker, options)
        episodes, step_s = setup.run(ReferenceController(loaded.model), progress)
        for place, episode in enumerate(episodes):
            if episode.ending is Ending.NO_OBSERVATION:
                problem = f"episode {place} of the network itself ends with what is not finite"
                raise InputError(problem, where=name, expected="finite observations and rewards", found=episode.detail)
        if not sum(episode.length for episode in episodes):
            found = next((episode.failure.detail for episode in episodes if episode.failure), "")
            raise InputError("the network has no action for any start", where=loaded.path, found=found)
        return cls(setup, loaded, episodes, step_s, space, names, reward_name, sized_for)

    @property
    def observations(self) -> Array:
        """(periods of all episodes, observations) that the network had an answer for.

        Circuits are sized for them where no other samples are given.
        """
        return np.concatenate([episode.observations[: episode.length] for episode in self.episodes])

    def sizing(self, technology: Technology) -> Sizing | None:
        """What a circuit of this technology is sized for."""
        samples = self.observations if self.sized_for is None else self.sized_for.inputs
        return sizing_for(self.loaded, technology, samples)

    @property
    def compared_observations(self) -> Array:
        """Those at which the circuit is held against the network outside of the loop, spread evenly over all."""
        everywhere = self.observations
        chosen = np.linspace(0, len(everywhere) - 1, min(_MOST_COMPARED, len(everywhere))).round().astype(int)
        return np.asarray(everywhere[chosen])

    def warn_of(self, session: Session, warn: Callable[[str], None]) -> None:
        """Says how long everything will take, if that is long: as many inferences like this one as are to come."""
        engine = self.setup.options.engine
        if engine_named(engine).solves_together:
            return
        started = time.monotonic()
        session.solve(self.observations[:1])
        inference_s = time.monotonic() - started
        periods, others = len(self.observations), len(self.compared_observations)
        total_s = inference_s * (periods + others)
        if total_s > WORTH_SAYING_S:
            warn(
                f"{engine} takes {inference_s:.2g} s for an inference of this circuit, about {lasting(total_s)} for"
                f" all: {many(periods, 'control period')}, if the circuit's episodes last as long as the network's, and"
                f" {many(others, 'observation')} outside of the loop; fewer --episodes or --steps, or a simpler"
                " --fidelity, take less"
            )
