"""Tunes a network through its circuit, and measures it beside what training without the circuit gives."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from kanspice.base.errors import InputError
from kanspice.engine.progress import Progress
from kanspice.engine.running import judge_of
from kanspice.experiments.ensemble.draws import DrawResult, PointDraws
from kanspice.experiments.ensemble.ensemble import Ensemble, drawn_places
from kanspice.experiments.ensemble.journal import Unkept
from kanspice.experiments.ensemble.variations import Point, seed_of
from kanspice.experiments.ensemble.workers import Workers
from kanspice.experiments.facts import InputsFacts, ModelFacts, versions
from kanspice.experiments.followed import has_answer
from kanspice.experiments.sizing import SizingSamples
from kanspice.experiments.study.setups import gap_setups
from kanspice.experiments.study.specimens import CheckedDraw, GapSetup
from kanspice.experiments.tune.result import Arm, ArmKind, TuningResult
from kanspice.experiments.tune.samples import Aim, TuningSamples
from kanspice.experiments.tune.wording import arm_name
from kanspice.families import LoadedModel, is_sized_by_samples
from kanspice.families.common.network import Network
from kanspice.gap import accuracy, mean_squared_error, spread
from kanspice.gap.limits import LimitPair
from kanspice.nn.training import Answers, Noisy, Plain, Schedule, ThroughCircuit, Trained, train


@dataclass(frozen=True)
class TuneOptions:
    """schedule: of every training. noises: relative noise on weights, of the trainings beside. alone: without those.

    trials: unseen specimens at every corner, drawn as a study of the same seed does. cross_check: so many of the tuned
    network's are looked at by another engine too: `judge`, or the usual one; why_none: why that is none.
    """

    schedule: Schedule
    noises: tuple[float, ...] = (0.1, 0.3)
    alone: bool = False
    trials: int = 100
    cross_check: int = 0
    judge: str | None = None
    why_none: str = ""
    engine: str = "batched"
    device: str = "cpu"
    limits: tuple[LimitPair, ...] = ()

    @property
    def seed(self) -> int:
        """Of the unseen specimens."""
        return self.schedule.seed

    @property
    def checked_by(self) -> str | None:
        """The engine that looks at some draws too; None where none does."""
        return judge_of(self.engine, self.judge) if self.cross_check else None

    def kinds(self, aim: Aim) -> list[ArmKind]:
        """What is measured, the network as it was given first and the tuned one last."""
        plain = [] if aim is Aim.OUTPUTS else [ArmKind("plain")]
        beside = [] if self.alone else [*plain, *(ArmKind("noise", sigma) for sigma in self.noises)]
        return [ArmKind("given"), *beside, ArmKind("circuit")]


Begin = Callable[[str, int, str], AbstractContextManager[Progress | None]]
"""Begins to show how far something is: what, how many, of what."""


def check_points(points: Sequence[Point]) -> None:
    """Raises InputError where nothing would be tuned."""
    for point in points:
        if not point.technology.causes:
            where = f"--corner {point.corner}" if point.corner else "--tech"
            expected = "a technology with something random or not ideal, such as --set tia.gain=100"
            raise InputError("there is nothing to tune: the circuit is ideal", where=where, expected=expected)


def tune(
    loaded: LoadedModel,
    samples: TuningSamples,
    points: Sequence[Point],
    options: TuneOptions,
    *,
    workers: Workers | None = None,
    begin: Begin,
    keep: Callable[[Network], None] | None = None,
) -> TuningResult:
    """Trains the network in every way that is to be compared, then measures them on what no training saw.

    All circuits are sized for the samples that are not measured: a design knows no others. points: of technologies that
    fit the network, a corner each. keep: called with every network that is better through
    the circuit than those before. Raises InputError where nothing would be tuned, or nothing can be trained.
    """
    check_points(points)
    kinds = options.kinds(samples.aim)
    # Through the circuit first: whatever ends this later, that network is kept.
    order = sorted(kinds, key=lambda kind: kind.name != "circuit")
    trained: dict[ArmKind, Trained | None] = {}
    for kind in order:
        trained[kind] = None
        if kind.name != "given":
            with begin(_training(kind, options.schedule), options.schedule.epochs, "epochs") as told:
                trained[kind] = _trained(kind, loaded, samples, points, options, progress=told, keep=keep)
    networks = {kind: loaded.model if found is None else found.network for kind, found in trained.items()}
    test = samples.test
    if any(is_sized_by_samples(loaded, point.technology) for point in points):
        test = test.sized(SizingSamples.of(samples.population, samples.source))
    all_setups = [gap_setups(options, replace(loaded, model=networks[kind]), test, points) for kind in kinds]
    ensemble = _ensemble(all_setups, options)
    with begin("measuring", ensemble.size, "draws") as told:
        records = ensemble.run(Unkept(), workers, told)
    arms = []
    for kind, setups, draws in zip(kinds, all_setups, _gathered(ensemble, points, records.draws), strict=True):
        arms.append(_arm(kind, setups[0], draws, trained[kind]))
    return TuningResult(
        model=ModelFacts.of(loaded),
        model_notes=tuple(loaded.notes),
        inputs=InputsFacts(test.source, test.sha256),
        sized_for=test.sized_for,
        sizing_samples=0 if test.sized_for is None else len(samples.population),
        aim=samples.aim,
        training_samples=len(samples.training),
        held_out_samples=len(samples.held_out),
        samples=len(test.inputs),
        places=samples.places,
        repeated=samples.repeated,
        schedule=options.schedule,
        seeds=ensemble.seeds,
        arms=tuple(arms),
        checks=records.checks_in_order,
        why_unchecked=options.why_none,
        versions=versions(),
        network=networks[kinds[-1]],
    )


def _training(kind: ArmKind, schedule: Schedule) -> str:
    """What the bar says: what is spent at most is said beforehand."""
    said = f"training: {arm_name(kind)}"
    return said if schedule.seconds is None else f"{said}, {schedule.seconds:g} s of processor time at most"


def _trained(
    kind: ArmKind,
    loaded: LoadedModel,
    samples: TuningSamples,
    points: Sequence[Point],
    options: TuneOptions,
    *,
    progress: Progress | None,
    keep: Callable[[Network], None] | None,
) -> Trained:
    network, schedule = copy.deepcopy(loaded.model), options.schedule
    answers: Answers
    if kind.name == "plain":
        answers = Plain(network)
    elif kind.name == "noise":
        answers = Noisy(network, kind.sigma, schedule)
    else:
        technologies = [point.technology for point in points]
        answers = ThroughCircuit(network, technologies, samples.population, schedule)
    kept = keep if kind.name == "circuit" else None
    return train(answers, samples.training, samples.held_out, schedule, progress=progress, keep=kept)


def _ensemble(all_setups: Sequence[Sequence[GapSetup]], options: TuneOptions) -> Ensemble[DrawResult, CheckedDraw]:
    """All corners of all networks, one after the other; the tuned network's, which are last, are checked."""
    setups = tuple(setup for setups in all_setups for setup in setups)
    numbered = tuple(replace(setup, point=index) for index, setup in enumerate(setups))
    trials = tuple(options.trials if setup.is_random else 1 for setup in numbered)
    first = len(setups) - len(all_setups[-1])
    tuned = drawn_places(trials[first:], options.cross_check, options.seed)
    checked = [(first + point, trial) for point, trial in tuned]
    seeds = tuple(seed_of(options.seed, trial) for trial in range(options.trials))
    return Ensemble(numbered, trials, seeds, checked, {}, DrawResult, CheckedDraw)


def _gathered(
    ensemble: Ensemble[DrawResult, CheckedDraw],
    points: Sequence[Point],
    draws: Mapping[tuple[int, int], DrawResult],
) -> Iterator[tuple[PointDraws, ...]]:
    """The draws of each network by corner."""
    for first in range(0, len(ensemble.setups), len(points)):
        yield tuple(
            PointDraws(
                point,
                ensemble.setups[first + point.index].is_random,
                tuple(draws[first + point.index, trial] for trial in range(ensemble.trials[first + point.index])),
                (),
            )
            for point in points
        )


def _arm(kind: ArmKind, setup: GapSetup, points: tuple[PointDraws, ...], trained: Trained | None) -> Arm:
    """setup: of the network's own outputs."""
    known = has_answer(setup.expected)
    course = None if trained is None else trained.course
    if setup.labels is not None:
        return Arm(kind, accuracy(setup.expected, setup.labels, known), points, course)
    assert setup.targets is not None  # noqa: S101 - one of them is there
    scale = spread(setup.targets)
    if not scale > 0:
        raise InputError("the targets do not vary", where="the samples that are measured", expected="some that do")
    return Arm(kind, math.sqrt(mean_squared_error(setup.expected, setup.targets, known)) / scale, points, course, scale)
