"""A network and its circuit in the same closed loop, from the same starts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.base.validation import similar
from kanspice.engine.options import RunOptions
from kanspice.engine.running import judge_of
from kanspice.experiments.control.bench import Bench, ControlOptions
from kanspice.experiments.control.controllers import ReferenceController
from kanspice.experiments.control.loop import Ending, Episode, Steps
from kanspice.experiments.control.plants.named import PlantMaker
from kanspice.experiments.control.result import METRICS, ControlResult, PlantFacts, metric_values, trajectory_gap
from kanspice.experiments.control.success import Draws, tried
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.verify.result import GapResult
from kanspice.experiments.verify.run import VerifyOptions, check_judge, verify
from kanspice.families import LoadedModel, compile_model, technology_for
from kanspice.gap import Gap, compare, judged, spread
from kanspice.report.formatting import plain
from kanspice.technology import Technology

_SHOWN_CHARACTERS = 200
_ROUNDING = 1e-12
"""Of the largest action: what actions may differ by without being different ones."""
_MOST_EPISODES = 100_000
_MOST_PERIODS = 100_000_000
"""Of both controllers and all draws together, at most: what episodes observe and do is kept."""


def control(
    loaded: LoadedModel,
    technology: Technology,
    plant: str | PlantMaker,
    options: ControlOptions | None = None,
    draws: Draws | None = None,
    *,
    progress: Steps | None = None,
    warn: Callable[[str], None] | None = None,
) -> ControlResult:
    """Lets the network control the plant, then its circuit, and compares.

    plant: a name, or what makes one. draws: specimens to be tried too. progress: told of control periods passed. warn:
    told, before the circuit's episodes begin, where ngspice will take long.
    Raises InputError for a plant that does not fit or breaks its interface, and for more episodes than could be kept,
    SimulatorError without a simulator.
    """
    options = options or ControlOptions()
    names = [metric.name for metric in METRICS]
    for name, _ in options.limits:
        if name not in names:
            hint = similar(name, names)
            raise InputError(f"there is no metric '{name}'", where="--max", expected=", ".join(names), hint=hint)
    if options.cross_check:
        check_judge(judge_of(options.engine), options.fidelity)
    _check_counts(options, draws)
    technology = technology_for(loaded, technology)
    with ExitStack() as held:
        bench = Bench.of(held, loaded, plant, options, progress=progress)
        result = _Compared(bench, technology).result(progress, warn)
        if draws is None:
            return result
        points, checks = tried(bench, draws, progress)
        return replace(result, points=points, checks=checks)


def _check_counts(options: ControlOptions, draws: Draws | None) -> None:
    """Raises InputError where nobody could wait for all episodes, or keep them."""
    if options.episodes > _MOST_EPISODES:
        raise InputError(
            "too many episodes",
            where="--episodes",
            expected=f"at most {_MOST_EPISODES:,}",
            found=f"{options.episodes:,}",
        )
    drawn = 0 if draws is None else draws.periods(options.episodes, options.steps)
    periods = 2 * options.episodes * options.steps + drawn
    if periods > _MOST_PERIODS:
        raise InputError(
            "too many control periods",
            where="--episodes, --steps and --trials",
            expected=f"at most {_MOST_PERIODS:,} together",
            found=f"{periods:,}",
            hint="fewer steps, episodes or draws",
        )


@dataclass(frozen=True)
class _Compared:
    bench: Bench
    technology: Technology

    def result(self, progress: Steps | None, warn: Callable[[str], None] | None) -> ControlResult:
        """The circuit's episodes beside the network's."""
        bench, options = self.bench, self.bench.options
        design = compile_model(bench.loaded, self.technology, bench.sizing(self.technology), Draw(options.seed))
        circuit, step_s, load_s = bench.episodes(design, options.engine, options.seed, progress, warn)
        own = self._own(circuit)
        result = ControlResult(
            plant=self._plant(),
            reference=bench.reference,
            circuit=circuit,
            along=self._along(),
            own=own,
            step_s={"circuit": step_s, "reference": bench.reference_step_s},
            load_s=load_s,
            notes=self._notes(circuit, own),
        )
        return replace(result, limits=judged(options.limits, metric_values(result)))

    def _plant(self) -> PlantFacts:
        loop = self.bench.loop
        return PlantFacts(
            name=loop.name,
            observations=self.bench.loaded.input_width,
            actions=self.bench.loaded.output_width,
            episodes=len(loop.plants),
            steps=loop.steps,
            latency=loop.latency,
            seed=self.bench.options.seed,
            observation_names=self._observation_names(),
            reward_name=str(getattr(loop.plants[0], "reward_name", "reward")),
        )

    def _observation_names(self) -> tuple[str, ...]:
        """As the plant says them, or by number."""
        width = self.bench.loaded.input_width
        named = getattr(self.bench.loop.plants[0], "observation_names", ())
        return tuple(map(str, named)) if len(named) == width else tuple(f"observation {n}" for n in range(width))

    def _along(self) -> GapResult:
        """The circuit against the network where the network went, outside of the loop."""
        source = f"episodes of {self.bench.loop.name}"
        evidence = Evidence(self.bench.compared_observations, source=source, population=self.bench.observations)
        options = VerifyOptions(
            fidelity=self.bench.options.fidelity,
            run=RunOptions(seed=self.bench.options.seed),
            engine=self.bench.options.engine,
            cross_check=self.bench.options.cross_check,
        )
        return verify(self.bench.loaded, self.technology, evidence, options)

    def _own(self, circuit: tuple[Episode, ...]) -> Gap | None:
        """The circuit's commands against the network's for the same observations."""
        commands = np.concatenate([episode.commands for episode in circuit])
        if not len(commands):
            return None
        observations = np.concatenate([episode.observations[: episode.length] for episode in circuit])
        expected = ReferenceController(self.bench.loaded.model).commands(observations, range(len(observations)))
        known = np.asarray(np.isfinite(expected.values).all(axis=1))
        return compare(commands, expected.values, known, spread(expected.values[known])) if known.any() else None

    def _notes(self, circuit: tuple[Episode, ...], own: Gap | None) -> tuple[str, ...]:
        """What a reader has to know of the loop."""
        notes = []
        if task := plain(self.bench.loaded.task)[:_SHOWN_CHARACTERS]:
            notes.append(f"what the network was trained for, as its configuration says: {task}")
        space = self.bench.loop.plants[0].action_space
        commands = np.concatenate([episode.commands for episode in circuit])
        beyond = int(((commands < space.low) | (commands > space.high)).any(axis=1).sum())
        if beyond:
            notes.append(
                f"{beyond} of {len(commands)} of the circuit's actions were limited to the plant's action space"
            )
        if not any(episode.judged for episode in self.bench.reference):
            notes.append("the plant does not say what success is: an episode that lasts is one")
        unanswered = sum(episode.ending is Ending.NO_ACTION for episode in self.bench.reference)
        if unanswered:
            notes.append(f"the network itself had no answer in {unanswered} of {len(self.bench.reference)} episodes")
        pairs = zip(self.bench.reference, circuit, strict=True)
        differs = own is not None and own.max_abs > _ROUNDING * np.abs(commands).max()
        if differs and not any(trajectory_gap(*pair).any() for pair in pairs) and self.bench.loop.steps > 1:
            notes.append("no observation differs at all: the plant's observations do not depend on such actions")
        return tuple(notes)
