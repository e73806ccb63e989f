"""How often circuits succeed in the loop: many draws of each, along swept values of the technology."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kanspice.base.draws import Draw
from kanspice.circuit import Design
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.progress import Advance, Progress, SideRun
from kanspice.engine.running import judge_of
from kanspice.experiments.control.loop import Episode, Steps
from kanspice.experiments.control.result import DrawnEpisodes, SpotCheck, SuccessPoint
from kanspice.experiments.control.setup import LoopSetup, ReferenceLoop
from kanspice.experiments.ensemble.ensemble import Ensemble, Records
from kanspice.experiments.ensemble.randomness import can_differ
from kanspice.experiments.ensemble.variations import Point, Sweep, seed_of
from kanspice.families import compile_nominal, technology_for
from kanspice.technology import Technology

SPOT_CHECK = "spot check"


@dataclass(frozen=True)
class Draws:
    """Specimens to be tried. points: the technologies, by what of `sweeps` they have; trials: at each of them.

    checks: so many draws, of the last points, are also tried by another engine: `judge`, or the usual one.
    """

    points: Sequence[Point]
    sweeps: tuple[Sweep, ...]
    trials: int
    engine: str = "batched"
    checks: int = 0
    judge: str | None = None

    @property
    def checked_by(self) -> str:
        """The engine that checks."""
        return judge_of(self.engine, self.judge)

    def periods(self, episodes: int, steps: int) -> int:
        """Control periods at most, checks included."""
        return (len(self.points) * self.trials + self.checks) * episodes * steps


@dataclass(frozen=True)
class Specimens:
    """One technology's circuits in the loop, which it can be pickled for where the plant has a name.

    judge: the engine that checks. nominal: the circuit that they differ from. reference: the network's episodes.
    """

    setup: LoopSetup
    engine: str
    judge: str
    nominal: Design
    technology: Technology
    reference: tuple[Episode, ...]

    @cached_property
    def is_random(self) -> bool:
        """Whether two of them can differ."""
        return can_differ(self.nominal, self.technology)

    def measure(self, trial: int, seed: int) -> DrawnEpisodes:
        """What becomes of one in the loop."""
        del trial
        return self._tried(self.engine, seed, None)

    def check(self, trial: int, seed: int, progress: Progress) -> DrawnEpisodes:
        """The same by the other engine."""
        del trial
        run = SideRun(SPOT_CHECK, self.setup.options.episodes * self.setup.options.steps)
        return self._tried(self.judge, seed, lambda periods: progress(Advance(periods, side_run=run)))

    def _tried(self, engine: str, seed: int, progress: Steps | None) -> DrawnEpisodes:
        design = draw_specimen(self.nominal, self.technology, Draw(seed))
        episodes, _, _ = self.setup.episodes(design, engine, seed, progress)
        return DrawnEpisodes.of(seed, episodes, self.reference)


DrawnLoops = Ensemble[DrawnEpisodes, DrawnEpisodes]
Identity = Callable[[ReferenceLoop, Sequence[Design]], Mapping[str, Any]]
"""What all results depend on, by name: of the network's reference, and of every point's circuit."""


def ensemble_of(reference: ReferenceLoop, draws: Draws, identity: Identity) -> DrawnLoops:
    """Every point's draws in the loop, from the same starts as the network; every point gets the same draws.

    A point without anything random has one draw.
    """
    specimens = tuple(_specimens(reference, draws, point) for point in draws.points)
    trials = tuple(draws.trials if each.is_random else 1 for each in specimens)
    places = [(at, trial) for trial in range(draws.trials) for at in reversed(range(len(trials)))]
    checked = [(at, trial) for at, trial in places if trial < trials[at]][: draws.checks]
    seeds = tuple(seed_of(reference.setup.options.seed, trial) for trial in range(draws.trials))
    known = identity(reference, [each.nominal for each in specimens])
    return Ensemble(specimens, trials, seeds, checked, known, DrawnEpisodes, DrawnEpisodes)


def _specimens(reference: ReferenceLoop, draws: Draws, point: Point) -> Specimens:
    technology = technology_for(reference.loaded, point.technology)
    nominal = compile_nominal(reference.loaded, technology, reference.sizing(technology))
    return Specimens(reference.setup, draws.engine, draws.checked_by, nominal, technology, reference.episodes)


def success_points(
    ensemble: DrawnLoops, draws: Draws, records: Records[DrawnEpisodes, DrawnEpisodes]
) -> tuple[tuple[SuccessPoint, ...], tuple[SpotCheck, ...]]:
    """What became of every point's draws, and whether the other engine says so."""
    points = []
    for point, trials in zip(draws.points, ensemble.trials, strict=True):
        values = dict(zip((sweep.key for sweep in draws.sweeps), point.values, strict=True))
        found = tuple(records.draws[point.index, trial] for trial in range(trials))
        points.append(SuccessPoint(point.named(draws.sweeps), values, found, ensemble.setups[point.index].is_random))
    checks = [
        SpotCheck(points[place[0]].name, draws.checked_by, records.checks[place], records.draws[place])
        for place in ensemble.checked
    ]
    return tuple(points), tuple(checks)
