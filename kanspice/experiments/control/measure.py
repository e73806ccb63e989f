"""A network and its circuit in the same closed loop, from the same starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Advance
from kanspice.engine.running import judge_of
from kanspice.experiments.control.controllers import ReferenceController
from kanspice.experiments.control.loop import Ending, Episode, Steps
from kanspice.experiments.control.plants.named import PlantMaker
from kanspice.experiments.control.result import BY_NAME, ControlResult, PlantFacts, metric_values, trajectory_gap
from kanspice.experiments.control.setup import ControlOptions, ReferenceLoop
from kanspice.experiments.control.success import DrawnLoops, Draws, Identity, ensemble_of, success_points
from kanspice.experiments.ensemble.journal import Journal, Unkept
from kanspice.experiments.ensemble.workers import Workers, local
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.sizing import SizingSamples, check_is_sized
from kanspice.experiments.verify.cross_check import check_judge
from kanspice.experiments.verify.options import VerifyOptions
from kanspice.experiments.verify.result import GapResult
from kanspice.experiments.verify.run import verify
from kanspice.families import LoadedModel, compile_model, is_sized_by_samples, technology_for
from kanspice.gap import Gap, compare, judged, spread
from kanspice.gap.judging import check_names
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
    jobs: int = 1,
    progress: Steps | None = None,
    warn: Callable[[str], None] | None = None,
) -> ControlResult:
    """Lets the network control the plant, then its circuit, and compares.

    plant: a name, or what makes one. draws: specimens to be tried too, by so many processes. progress: told of control
    periods passed. warn: told, before the circuit's episodes begin, where ngspice will take long.
    Raises InputError for a plant that does not fit or breaks its interface, for one that processes cannot make, and for
    more episodes than could be kept, SimulatorError without a simulator.
    """
    prepared = prepare(loaded, technology, plant, options or ControlOptions(), draws, progress=progress)
    if jobs > 1 and not isinstance(plant, str):
        problem, expected = "processes make plants by their names", "one job, or the name of a plant"
        raise InputError(
            problem, where="control", expected=expected, found=f"{prepared.reference.setup.plant}, {jobs} jobs"
        )
    return prepared.run(Unkept(), local(jobs), progress, warn)


@dataclass(frozen=True)
class PreparedLoop:
    """A loop that can begin. ensemble: of the draws, where there are some."""

    reference: ReferenceLoop
    technology: Technology
    draws: Draws | None
    ensemble: DrawnLoops | None

    def run(
        self,
        journal: Journal | Unkept,
        workers: Workers,
        progress: Steps | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> ControlResult:
        """The circuit's episodes beside the network's, and every draw that the journal does not have."""
        result = _Compared(self.reference, self.technology).result(progress, warn)
        if self.draws is None or self.ensemble is None:
            return result
        periods = self.reference.setup.options.episodes * self.reference.setup.options.steps

        def told(advance: Advance) -> None:
            if progress is not None:
                progress(round(advance.samples * (periods if advance.side_run is None else 1)))

        records = self.ensemble.run(journal, workers, told)
        points, checks = success_points(self.ensemble, self.draws, records)
        return replace(result, points=points, checks=checks, timing=records.timing)


def prepare(
    loaded: LoadedModel,
    technology: Technology,
    plant: str | PlantMaker,
    options: ControlOptions,
    draws: Draws | None,
    *,
    identity: Identity = lambda *_: {},
    sized_for: SizingSamples | None = None,
    progress: Steps | None = None,
) -> PreparedLoop:
    """Follows the network through the loop, and compiles every point's circuit. identity: what all results depend on.

    sized_for: samples that circuits are sized for, if those are not what the network comes by.

    Raises InputError as `control` does.
    """
    check_names(options.limits, list(BY_NAME))
    if options.cross_check:
        check_judge(judge_of(options.engine, options.judge), options.fidelity)
    _check_counts(options, draws)
    technology = technology_for(loaded, technology)
    if sized_for is not None:
        points = () if draws is None else draws.points
        check_is_sized(loaded, technology, *(point.technology for point in points))
    reference = ReferenceLoop.of(loaded, plant, options, sized_for=sized_for, progress=progress)
    return PreparedLoop(
        reference, technology, draws, None if draws is None else ensemble_of(reference, draws, identity)
    )


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
    reference: ReferenceLoop
    technology: Technology

    def result(self, progress: Steps | None, warn: Callable[[str], None] | None) -> ControlResult:
        """The circuit's episodes beside the network's."""
        reference, options = self.reference, self.reference.setup.options
        design = compile_model(reference.loaded, self.technology, reference.sizing(self.technology), Draw(options.seed))
        warned = None if warn is None else partial(reference.warn_of, warn=warn)
        circuit, step_s, load_s = reference.setup.episodes(design, options.engine, options.seed, progress, warned)
        own = self._own(circuit)
        result = ControlResult(
            plant=self._plant(),
            reference=reference.episodes,
            circuit=circuit,
            along=self._along(),
            own=own,
            step_s={"circuit": step_s, "reference": reference.step_s},
            load_s=load_s,
            notes=self._notes(circuit, own),
        )
        return replace(result, limits=judged(options.limits, metric_values(result), BY_NAME))

    def _plant(self) -> PlantFacts:
        reference, options = self.reference, self.reference.setup.options
        return PlantFacts(
            name=reference.setup.plant,
            observations=reference.loaded.input_width,
            actions=reference.loaded.output_width,
            episodes=options.episodes,
            steps=options.steps,
            latency=options.latency,
            seed=options.seed,
            observation_names=self._observation_names(),
            reward_name=reference.reward_name,
        )

    def _observation_names(self) -> tuple[str, ...]:
        """As the plant says them, or by number."""
        width, named = self.reference.loaded.input_width, self.reference.observation_names
        return named if len(named) == width else tuple(f"observation {n}" for n in range(width))

    def _along(self) -> GapResult:
        """The circuit against the network where the network went, outside of the loop."""
        reference, options = self.reference, self.reference.setup.options
        source = f"episodes of {reference.setup.plant}"
        evidence = Evidence(reference.compared_observations, source=source, population=reference.observations)
        if is_sized_by_samples(reference.loaded, self.technology):
            evidence = evidence.sized(reference.sized_for)
        how = VerifyOptions(
            fidelity=options.fidelity,
            run=RunOptions(seed=options.seed),
            engine=options.engine,
            cross_check=options.cross_check,
            judge=options.judge,
        )
        return verify(reference.loaded, self.technology, evidence, how)

    def _own(self, circuit: tuple[Episode, ...]) -> Gap | None:
        """The circuit's commands against the network's for the same observations."""
        commands = np.concatenate([episode.commands for episode in circuit])
        if not len(commands):
            return None
        observations = np.concatenate([episode.observations[: episode.length] for episode in circuit])
        expected = ReferenceController(self.reference.loaded.model).commands(observations, range(len(observations)))
        known = np.asarray(np.isfinite(expected.values).all(axis=1))
        return compare(commands, expected.values, known, spread(expected.values[known])) if known.any() else None

    def _notes(self, circuit: tuple[Episode, ...], own: Gap | None) -> tuple[str, ...]:
        """What a reader has to know of the loop."""
        notes = []
        if task := plain(self.reference.loaded.task)[:_SHOWN_CHARACTERS]:
            notes.append(f"what the network was trained for, as its configuration says: {task}")
        space = self.reference.action_space
        commands = np.concatenate([episode.commands for episode in circuit])
        beyond = int(((commands < space.low) | (commands > space.high)).any(axis=1).sum())
        if beyond:
            notes.append(
                f"{beyond} of {len(commands)} of the circuit's actions were limited to the plant's action space"
            )
        if not any(episode.judged for episode in self.reference.episodes):
            notes.append("the plant does not say what success is: an episode that lasts is one")
        unanswered = sum(episode.ending is Ending.NO_ACTION for episode in self.reference.episodes)
        if unanswered:
            notes.append(f"the network itself had no answer in {unanswered} of {len(self.reference.episodes)} episodes")
        pairs = zip(self.reference.episodes, circuit, strict=True)
        differs = own is not None and own.max_abs > _ROUNDING * np.abs(commands).max()
        if (
            differs
            and not any(trajectory_gap(*pair).any() for pair in pairs)
            and self.reference.setup.options.steps > 1
        ):
            notes.append("no observation differs at all: the plant's observations do not depend on such actions")
        return tuple(notes)
