"""How often circuits succeed in the loop: many draws of each, along swept values of the technology."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kanspice.base.draws import Draw
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.running import judge_of
from kanspice.experiments.control.bench import Bench
from kanspice.experiments.control.loop import Steps
from kanspice.experiments.control.result import DrawnEpisodes, SpotCheck, SuccessPoint
from kanspice.experiments.ensemble.randomness import can_differ
from kanspice.experiments.ensemble.variations import Point, Sweep, seed_of
from kanspice.families import compile_nominal, technology_for


@dataclass(frozen=True)
class Draws:
    """Specimens to be tried. points: the technologies, by what of `sweeps` they have; trials: at each of them.

    checks: so many draws, of the last points, are also tried by the other engine.
    """

    points: Sequence[Point]
    sweeps: tuple[Sweep, ...]
    trials: int
    engine: str = "batched"
    checks: int = 0

    def periods(self, episodes: int, steps: int) -> int:
        """Control periods at most, checks included."""
        return (len(self.points) * self.trials + self.checks) * episodes * steps


def tried(bench: Bench, draws: Draws, progress: Steps | None) -> tuple[tuple[SuccessPoint, ...], tuple[SpotCheck, ...]]:
    """Every point's draws in the loop, from the same starts as the network; every point gets the same draws.

    A point without anything random has one draw.
    """
    points = tuple(_point(bench, draws, point, progress) for point in draws.points)
    places = [(at, trial) for trial in range(draws.trials) for at in reversed(range(len(points)))]
    known = [(at, trial) for at, trial in places if trial < len(points[at].draws)]
    checks = [_check(bench, draws, at, points[at].draws[trial], progress) for at, trial in known[: draws.checks]]
    return points, tuple(checks)


def _point(bench: Bench, draws: Draws, point: Point, progress: Steps | None) -> SuccessPoint:
    technology = technology_for(bench.loaded, point.technology)
    nominal = compile_nominal(bench.loaded, technology, bench.sizing(technology))
    random = can_differ(nominal, technology)
    seeds = [seed_of(bench.options.seed, trial) for trial in range(draws.trials if random else 1)]
    found = []
    for seed in seeds:
        design = draw_specimen(nominal, technology, Draw(seed))
        episodes, _, _ = bench.episodes(design, draws.engine, seed, progress)
        found.append(DrawnEpisodes.of(seed, episodes, bench.reference))
    values = dict(zip((sweep.key for sweep in draws.sweeps), point.values, strict=True))
    return SuccessPoint(point.named(draws.sweeps), values, tuple(found), random)


def _check(bench: Bench, draws: Draws, at: int, expected: DrawnEpisodes, progress: Steps | None) -> SpotCheck:
    point, engine = draws.points[at], judge_of(draws.engine)
    technology = technology_for(bench.loaded, point.technology)
    design = draw_specimen(
        compile_nominal(bench.loaded, technology, bench.sizing(technology)), technology, Draw(expected.seed)
    )
    episodes, _, _ = bench.episodes(design, engine, expected.seed, progress)
    found = DrawnEpisodes.of(expected.seed, episodes, bench.reference)
    return SpotCheck(point.named(draws.sweeps), engine, found, expected)
