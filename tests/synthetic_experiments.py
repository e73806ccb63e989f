"""Synthetic results of everything but a gap by itself: comparisons, settling times, studies and closed loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from synthetic_results import (
    cross_checked,
    gap_of,
    stage,
    synthetic,
    whole_chip,
    with_chip,
    with_everything,
    with_failures,
)

from kanspice.engine.solution import FailedSample, Outcome
from kanspice.experiments.compare.comparison import Comparison
from kanspice.experiments.control.loop import Ending, Episode
from kanspice.experiments.control.result import ControlResult, DrawnEpisodes, PlantFacts, SpotCheck, SuccessPoint
from kanspice.experiments.ensemble.draws import DrawResult, PointDraws
from kanspice.experiments.ensemble.variations import Corner, Sweep
from kanspice.experiments.export.receipt import Receipt
from kanspice.experiments.facts import EngineRun, InputsFacts, ModelFacts
from kanspice.experiments.history import History, HistoryEntry, history_of
from kanspice.experiments.lifetime.ages import YEAR_S, ages_between
from kanspice.experiments.lifetime.plan import LifetimeRequest, sweep_of
from kanspice.experiments.lifetime.result import LifetimeResult
from kanspice.experiments.project.result import Accuracy, EdgeCourse, EdgeError, LayerError, Projection, Subset, Tuning
from kanspice.experiments.sensitivity.result import (
    Drawn,
    HeatMap,
    KeyEffect,
    PartShare,
    Prediction,
    Rare,
    Sensitivity,
    Spread,
    WorstSpecimen,
)
from kanspice.experiments.settle import plan as settling
from kanspice.experiments.settle.settling import (
    EngineCheck,
    FollowedSample,
    ReadOutTime,
    Settling,
    StageSettling,
    Swinging,
)
from kanspice.experiments.settle.specimens import CheckedSettling, metrics_within
from kanspice.experiments.settle.study import SettlingStudy
from kanspice.experiments.study.plan import StudyRequest
from kanspice.experiments.study.result import PointResult, StudyResult
from kanspice.experiments.study.specimens import NOISE, CheckedDraw
from kanspice.experiments.tune.result import Arm, ArmKind, TuningResult
from kanspice.experiments.tune.samples import Aim
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.capacitors import Capacitors
from kanspice.gap.cross_check import CrossCheck, NotChecked, OtherOutcome
from kanspice.gap.noise import StageNoise
from kanspice.gap.resolution import Limit, NumericalGap, Variation
from kanspice.nn.training import Schedule, TrainingCourse

MODEL = ModelFacts("examples/digits/model.pt", "kanalogue", "kanspice", "ab" * 32, 4842, ("Z21", "Z15"))
VERSIONS = {"kanspice": "0.1.0", "python": "3.11.2", "numpy": "2.4.0"}

# --- comparisons ---


def grown() -> Comparison:
    """The gap grew by more than allowed, with another technology, another engine and causes on both sides."""
    before, after = with_everything(synthetic()), with_everything(synthetic(error=0.02))
    board = {"name": "board", "tia": {"gain": 1000.0, "rail_v": 5.0}, "devices": {"area_sigma": 0.02}}
    changed = replace(
        after,
        model=replace(after.model, sha256="ef" * 32),
        design=replace(after.design, technology=board, nodes=1240),
        engine=EngineRun("batched", "0.1.0", {"device": "cpu"}),
        stages=(*after.stages[:-1], stage("l3.crossbar", 0.02, 0.016)),
    )
    return Comparison(before, changed, 0.1)


def other_samples() -> Comparison:
    """Two results that say nothing about each other."""
    fewer = synthetic(samples=20)
    other = InputsFacts("other.npy", "ee" * 32)
    return Comparison(synthetic(), replace(fewer, inputs=other, model=replace(fewer.model, family="phykan")))


def chips() -> Comparison:
    """Two results that chips were held against, of which one was measured in part."""
    return Comparison(with_chip(with_everything(synthetic())), whole_chip())


COMPARISONS: dict[str, Callable[[], Comparison]] = {
    "same": lambda: Comparison(synthetic(), replace(synthetic(), numerical=None), 0.1),
    "grown": grown,
    "shrunk": lambda: Comparison(synthetic(error=0.02), synthetic()),
    "other samples": other_samples,
    "failed": lambda: Comparison(synthetic(), with_failures(cross_checked(synthetic(), 0.1), 3, 7), 0.5),
    "chips": chips,
}

# --- histories ---


def dated(day: int, result: GapResult, **changes) -> HistoryEntry:
    """A result of a day in November, under the name of its change."""
    return HistoryEntry(f"change-{day}", replace(result, date=f"2026-11-{day:02}T06:30:00Z", **changes))


def changing() -> list[HistoryEntry]:
    """Results with another technology, then other samples, then another network, of which the last but one failed."""
    labelled = {"accuracy": {"reference": 0.98, "circuit": 0.96}}
    held = {"limits": (Limit("relative_rmse", 0.01, 0.05), Limit("accuracy", 0.96, min=0.9)), **labelled}
    first, worse, other = synthetic(), synthetic(error=0.02), synthetic(samples=20)
    board = {"name": "board", "tia": {"gain": 1000.0, "rail_v": 5.0}, "devices": {"area_sigma": 0.02}}
    inputs, model = InputsFacts("other.npy", "ee" * 32), replace(MODEL, sha256="ef" * 32)
    missed = {**held, "limits": (Limit("relative_rmse", 0.06, 0.05), Limit("accuracy", 0.8, min=0.9))}
    return [
        dated(1, first, **held),
        dated(4, first, **held, versions=VERSIONS | {"kanspice": "0.2.0"}),
        dated(5, worse, **held, design=replace(worse.design, technology=board)),
        dated(9, other, **held, inputs=inputs),
        dated(11, with_failures(other, 3), **missed, inputs=inputs),
        dated(12, other, **missed, inputs=inputs, model=model),
    ]


HISTORIES: dict[str, Callable[[], History]] = {
    "one": lambda: history_of([dated(1, synthetic())]),
    "changes": lambda: history_of(changing()),
    "grown": lambda: history_of([dated(2, synthetic(error=0.02)), dated(1, synthetic())], ["rmse"], 0.1),
    "not comparable": lambda: history_of(changing()[2:4], ["relative_rmse", "accuracy"], 0.1),
    "without dates": lambda: history_of(
        [*changing()[:2], HistoryEntry("a", synthetic())], ["l2.crossbar.relative_rmse"]
    ),
}

# --- settling ---

STEPS_S = np.linspace(0.0, 1e-5, 12)


def read_outs(count: int = 25) -> tuple[ReadOutTime, ...]:
    """Outputs that come closer to the network's, and to where the circuit rests, the later they are read."""
    parts = [2.0 ** -(place / 2) for place in range(count)]
    return tuple(
        ReadOutTime((place + 1) * 4e-7, 0.01 + part, part, 1.0 - part / 4, (place + 1) * 2.5e-12)
        for place, part in enumerate(parts)
    )


def followed(index: int = 1) -> FollowedSample:
    """Two outputs of two stages that decay."""
    decay = np.exp2(-STEPS_S * 1e6)[:, None]
    rest_v = {"l1.crossbar": np.array([0.5, -0.25]), "l2.crossbar": np.array([1.0, 0.125])}
    return FollowedSample(index, STEPS_S, {name: volts * (1 - decay) for name, volts in rest_v.items()}, rest_v)


def settled() -> Settling:
    """Every sample settles; the other engine agrees, and all that can be said is said."""
    return Settling(
        samples=5,
        period_s=1e-5,
        rise_s=1e-8,
        stages=tuple(
            StageSettling(name, tolerance, 1e-6 * place, 2.5e-6 * place, 3, 0)
            for place, name in enumerate(("l1.crossbar", "l2.crossbar"), start=1)
            for tolerance in (1e-2, 1e-3)
        ),
        read_outs=read_outs(),
        failed=(),
        numerical=2.5e-6,
        power_w=1.25e-4,
        latency_s=5e-6,
        energy_j=6.25e-10,
        noise=(StageNoise("l1.crossbar", 2e-5, 4e-5, 14.5, 0.25, 0.25, 0.5),),
        capacitors=(Capacitors("l1.crossbar", 1e-13, 1e-8), Capacitors("l2.crossbar", 0.0, 0.0)),
        notes=("the largest input was 2 V",),
        engine="batched",
        model="examples/digits/model.pt",
        technology="typical",
        worst=followed(),
        cross_check=EngineCheck("ngspice", 2, 1.5e-5, 5e-6),
        model_sha256=MODEL.sha256,
        inputs=InputsFacts("inputs.npy", "cd" * 32),
        technology_values={"name": "typical", "tia": {"gain": float("inf"), "gbw_hz": 1e8}},
        versions={"kanspice": "0.1.0", "numpy": "2.4.0"},
        command="kanspice settle examples/digits/model.pt --inputs inputs.npy --tech typical",
    )


def unsettled() -> Settling:
    """Seven of nine samples do not settle, in every way that there is; a column that nothing holds."""
    kinds = "UNSETTLED", "OSCILLATES", "OUT_OF_RANGE", "TIMED_OUT", "CRASHED", "DIVERGED", "MULTISTABLE"
    outcomes = [Outcome[kind] for kind in kinds]
    failed = tuple(FailedSample(place, outcome, "seen at 3 V") for place, outcome in enumerate(outcomes, start=2))
    stages = (
        StageSettling("l1.crossbar", 1e-3, 1e-6, 2e-6, 0, 3),
        StageSettling("l2.crossbar", 1e-3, None, None, None, 9),
    )
    return replace(
        settled(),
        samples=9,
        stages=stages,
        failed=failed,
        numerical=None,
        latency_s=None,
        energy_j=None,
        noise=(StageNoise("l1.crossbar", float("inf"), float("inf"), None, 0.0, 0.0, 0.0),),
        unstable=(2, 3),
        swinging=(Swinging("l1.crossbar", {output: 1 + output % 3 for output in range(10)}),),
        cross_check=None,
    )


def lost() -> Settling:
    """No transient came to its end."""
    failed = tuple(FailedSample(index, Outcome.TIMED_OUT) for index in range(2))
    stages = (StageSettling("l1.crossbar", 1e-3, None, None, None, 2),)
    nothing = {"latency_s": None, "energy_j": None, "power_w": None, "numerical": None, "worst": None}
    empty = {"read_outs": (), "noise": (), "capacitors": (), "notes": ()}
    return replace(settled(), samples=2, stages=stages, failed=failed, cross_check=None, **nothing, **empty)


SETTLINGS: dict[str, Callable[[], Settling]] = {"settled": settled, "unsettled": unsettled, "lost": lost}

# --- studies ---


def drawn(
    point: int, trial: int, seed: int, failed: Mapping[str, int], *, labelled: bool, generates: bool, doubtful: bool
) -> DrawResult:
    """A draw whose gap grows with its point and differs from trial to trial."""
    gap = 0.03125 * (1 + point) + 0.0078125 * trial
    metrics = {
        "rmse": gap / 2,
        "max_abs": 2 * gap,
        "relative_rmse": gap,
        "max_relative": 4 * gap,
        "argmax_disagreement": gap / 4,
        "accuracy_drop": gap / 8 if labelled else None,
        "unstable_fraction": failed.get("unstable", 0) / 20,
        "accuracy": 1 - gap if labelled else None,
        "numerical_rmse": 5e-8,
        "numerical_relative_rmse": 1e-7,
    }
    if generates:
        metrics |= {"energy_distance": gap, "log_density_difference": None if trial else gap / 2, NOISE: 0.046875}
    why = ("the circuit's numerical error is 25 of the outputs' standard deviation, as large as the gap",)
    return DrawResult(point, trial, seed, 20, metrics, failed, why if doubtful else ())


def studied(
    failures: Mapping[tuple[int, int], Mapping[str, int]] | None = None,
    checks: tuple[CheckedDraw, ...] = (),
    *,
    labelled: bool = False,
    generates: bool = False,
    doubtful: int | None = None,
    fixed: int | None = None,
    reference_error: NumericalGap | None = None,
    **options: object,
) -> StudyResult:
    """A study of four draws a point.

    failures: by (point, trial); doubtful: the trial that is not resolved; fixed: the point that has nothing random.
    """
    request = StudyRequest("/somewhere", MODEL.path, "inputs.npy", trials=4, seed=7, **options)
    points = tuple(
        PointResult(
            point,
            point.index != fixed,
            tuple(
                drawn(
                    point.index,
                    trial,
                    seed,
                    (failures or {}).get((point.index, trial), {}),
                    labelled=labelled,
                    generates=generates,
                    doubtful=trial == doubtful,
                )
                for trial, seed in enumerate(request.seeds[: 1 if point.index == fixed else None])
            ),
            request.limits,
        )
        for point in request.points()
    )
    return StudyResult(
        request=request,
        model=MODEL,
        model_notes=("BatchNorm was fused",),
        versions=VERSIONS,
        samples=20,
        reference_accuracy=0.96875 if labelled else None,
        reference_error=reference_error,
        variation=Variation(1.0, 3.0),
        points=points,
        checks=checks,
    )


def checked(point: int, trial: int, worst: float | None, **found: object) -> CheckedDraw:
    """A draw that ngspice solved too."""
    sample = None if worst is None else 11
    check = CrossCheck("ngspice", "42", (2, 5, 11, 17), worst, sample, 1e-6, **{"outcomes": (), **found})
    return CheckedDraw(point, trial, 1000 + trial, check)


def yields() -> StudyResult:
    """Corners along a sweep with labels and a wanted yield: draws that fail, draws that were checked."""
    corners = (Corner("cold", ("tia.gain=2000",)), Corner("hot", ("tia.gain=500",)))
    return studied(
        {(3, 1): {"unstable": 3}, (5, 0): {"multistable": 1, "beyond the rail": 2}},
        (checked(0, 0, 2e-8), checked(5, 1, 3e-8)),
        labelled=True,
        corners=corners,
        sweeps=(Sweep("devices.area_sigma", ("0.01", "0.02", "0.05")),),
        set_=("wires.row_ohm=1",),
        labels="labels.npy",
        limits=(("relative_rmse", 0.125), ("accuracy_drop", 0.02)),
        yield_min=0.75,
        cross_check=2,
        engine="batched",
        device="cuda",
    )


STUDIES: dict[str, Callable[[], StudyResult]] = {
    "plain": lambda: studied(no_cross_check="there is no ngspice"),
    "nothing random": lambda: studied(fixed=0, no_cross_check="--cross-check 0", limits=(("rmse", 0.5),)),
    "yields": yields,
    "two sweeps": lambda: studied(
        {(1, 2): {"crashed": 20}},
        (checked(0, 0, 0.5, outcomes=(OtherOutcome(5, "converged", "diverged"),)),),
        sweeps=(Sweep("tia.gain", ("500", "1000")), Sweep("devices.area_sigma", ("0", "0.05"))),
        cross_check=1,
    ),
    "not checked": lambda: studied(
        checks=(checked(0, 0, None, not_checked=(NotChecked(2, "out of time"),)),),
        cross_check=1,
        cross_check_needed=True,
        limits=(("max_abs", 0.01),),
    ),
    "unresolved": lambda: studied(doubtful=2, limits=(("relative_rmse", 0.1),), no_cross_check="there is no ngspice"),
    "generated": lambda: studied(
        generates=True,
        doubtful=1,
        reference_error=NumericalGap(5, 1e-8, 3e-8, 1e-8),
        limits=(("energy_distance", 0.05),),
        yield_min=0.5,
        no_cross_check="there is no ngspice",
    ),
}

# --- lifetimes ---


def lived(
    failures: Mapping[tuple[int, int], Mapping[str, int]] | None = None, *, labelled: bool = False, **options: object
) -> LifetimeResult:
    """Four chips at five ages, each worse than the last; recalibrated they are as good as at the first.

    failures: by (age, trial).
    """
    ages = ages_between(1.0, 10 * YEAR_S, 5, options.get("recalibrate_s"))
    request = LifetimeRequest(
        "/somewhere", MODEL.path, "inputs.npy", trials=4, seed=7, sweeps=(sweep_of(ages),), **options
    )

    def chip(age: int, trial: int, of: int) -> DrawResult:
        lost = (failures or {}).get((age, trial), {})
        return drawn(of, trial, request.seeds[trial], lost, labelled=labelled, generates=False, doubtful=False)

    points = request.points()
    untouched = tuple(
        PointResult(point, True, tuple(chip(point.index, trial, point.index) for trial in range(4)), request.limits)
        for point in points
    )
    first = request.recalibrated_from
    again = tuple(
        PointResult(point, True, tuple(chip(-1, trial, point.index - first) for trial in range(4)), request.limits)
        for point in (() if first is None else points[first:])
    )
    return LifetimeResult(
        request=request,
        model=MODEL,
        model_notes=("BatchNorm was fused",),
        versions=VERSIONS,
        samples=20,
        reference_accuracy=0.96875 if labelled else None,
        reference_error=None,
        variation=Variation(1.0, 3.0),
        points=untouched,
        checks=(checked(len(points) - 1, 2, 2e-8),) if request.cross_check else (),
        recalibrated=again,
    )


DRIFT = ("ageing.drift_nu=0.05", "ageing.drift_nu_sigma=0.01")
LIFETIMES: dict[str, Callable[[], LifetimeResult]] = {
    "plain": lambda: lived(set_=DRIFT, no_cross_check="there is no ngspice"),
    "recalibrated": lambda: lived(
        labelled=True, labels="labels.npy", set_=DRIFT, recalibrate_s=YEAR_S, trims="columns", cross_check=1
    ),
    "limited": lambda: lived(
        labelled=True,
        labels="labels.npy",
        set_=DRIFT,
        recalibrate_s=86400.0,
        limits=(("accuracy_drop", 0.01),),
        yield_min=0.75,
        cross_check=1,
    ),
    "failed": lambda: lived(
        {(3, 1): {"beyond the rail": 2}, (4, 1): {"beyond the rail": 5}},
        set_=DRIFT,
        limits=(("relative_rmse", 0.5),),
        yield_min=0.5,
        no_cross_check="there is no ngspice",
    ),
}

# --- settling times of many draws ---


def followed_draws(
    failed: Mapping[tuple[int, int], Mapping[str, int]] | None = None, **options: object
) -> SettlingStudy:
    """A study of four draws a point, each slower than the last. failed: by (point, trial)."""
    request = settling.SettlingRequest("/somewhere", MODEL.path, "inputs.npy", trials=4, seed=7, **options)
    names = [metric.name for metric in metrics_within(request.within)]

    def drawn(point: int, trial: int, seed: int) -> DrawResult:
        time_s, lost = 2.5e-7 * (1 + point) + 2**-24 * trial, (failed or {}).get((point, trial), {})
        values = dict.fromkeys(names, time_s) | {"energy_j": 5e-10, "power_w": 1.25e-4, "numerical": 2.5e-6}
        values |= {"unsettled_fraction": sum(lost.values()) / 5, "unstable_fraction": 0.0}
        return DrawResult(point, trial, seed, 5, values | ({"latency_s": None} if lost else {}), lost, ())

    points = tuple(
        PointDraws(point, True, tuple(drawn(point.index, *each) for each in enumerate(request.seeds)), request.limits)
        for point in request.points()
    )
    checks = (CheckedSettling(0, 2, request.seeds[2], EngineCheck("ngspice", 4, 1.5e-5, 5e-6)),)
    checked_too = checks if request.cross_check else ()
    return SettlingStudy(request, MODEL, ("the largest input was 2 V",), VERSIONS, 5, points, checked_too)


SETTLING_STUDIES: dict[str, Callable[[], SettlingStudy]] = {
    "plain": lambda: followed_draws(period=1.2e-6, cross_check=1),
    "one sweep": lambda: followed_draws(
        {(1, 3): {"not settled": 2}},
        sweeps=(Sweep("tia.gbw_hz", ("1e8", "1e7")),),
        limits=(("latency_s", 4e-7),),
        yield_min=0.75,
    ),
    "unsettled": lambda: followed_draws({(0, 1): {"oscillates": 5}}),
}

# --- tuning ---


def tuned(
    scores: Mapping[ArmKind, float],
    aim: Aim,
    failures: Mapping[str, int] | None = None,
    corners: tuple[Corner, ...] = (),
    **options: object,
) -> TuningResult:
    """Four draws of each network at every corner, each worse than the last. scores: of the best; failures: of the
    third draw of the network as it was given."""
    request = StudyRequest("/somewhere", MODEL.path, "inputs.npy", corners=corners, set_=("tia.gain=10",), trials=4)
    labelled, points = aim is Aim.LABELS, request.points()

    def drawn(kind: ArmKind, trial: int) -> DrawResult:
        score = scores[kind] - 0.015625 * trial if labelled else scores[kind] + 0.0625 * trial
        metrics = {"accuracy": score} if labelled else {"accuracy": None, "loss": score**2}
        lost = dict(failures or {}) if kind.name == "given" and trial == 2 else {}
        doubt = ("the circuit's numerical error is as large as the gap",) if kind.name == "noise" and trial == 3 else ()
        return DrawResult(0, trial, request.seeds[trial], 20, metrics, lost, doubt)

    def arm(kind: ArmKind) -> Arm:
        draws = tuple(drawn(kind, trial) for trial in range(4))
        course = None if kind.name == "given" else TrainingCourse((0.5, 0.25, 0.125, 0.1875), 2, 60, 12.5, 3, 3840)
        alone = (0.96875 if kind.name != "circuit" else 0.90625) if labelled else 0.125 * (kind.name != "given")
        of_points = tuple(PointDraws(point, True, draws, ()) for point in points)
        return Arm(kind, alone, of_points, course, None if labelled else 1.0)

    given: dict[str, object] = {"checks": (), "why_unchecked": "", "repeated": 0, "places": (1, 4, 7), **options}
    return TuningResult(
        model=MODEL,
        model_notes=("BatchNorm was fused",),
        inputs=InputsFacts("inputs.npy", "cd" * 32),
        aim=aim,
        training_samples=1280,
        held_out_samples=200,
        samples=20,
        schedule=Schedule(epochs=3, seconds=None if labelled else 90.0, input_noise=0.05 * labelled, seed=7),
        seeds=request.seeds,
        arms=tuple(map(arm, scores)),
        versions=VERSIONS,
        **given,
    )


_GIVEN, _PLAIN, _NOISE, _CIRCUIT = ArmKind("given"), ArmKind("plain"), ArmKind("noise", 0.1), ArmKind("circuit")
TUNINGS: dict[str, Callable[[], TuningResult]] = {
    "classes": lambda: tuned(
        {_GIVEN: 0.890625, _PLAIN: 0.890625, _NOISE: 0.90625, _CIRCUIT: 0.96875},
        Aim.LABELS,
        {"multistable": 2},
        checks=(checked(3, 0, 2e-8), checked(3, 1, 3e-8)),
        sized_for=InputsFacts("inputs.npy", "de" * 32),
        sizing_samples=1480,
        again="kanspice verify tuned.pt --inputs TEST.npy --labels Y.npy --sized-for REST.npy --engine batched",
        written="tuned.pt",
        command="kanspice tune examples/digits/model.pt --inputs inputs.npy -o tuned.pt",
    ),
    "outputs at corners": lambda: tuned(
        {_GIVEN: 0.5, _NOISE: 0.5, _CIRCUIT: 0.125},
        Aim.OUTPUTS,
        corners=(Corner("cold", ("tia.swing_v=3",)), Corner("hot", ("tia.swing_v=2",))),
        why_unchecked="there is no ngspice",
        repeated=2,
        places=None,
    ),
    "no better": lambda: tuned(
        {_GIVEN: 0.25, _CIRCUIT: 0.375},
        Aim.TARGETS,
        {"crashed": 20},
        checks=(checked(1, 0, 0.5, outcomes=(OtherOutcome(5, "converged", "diverged"),)),),
    ),
}

# --- closed loops ---


def episode(seed: int, periods: int, off: float = 0.0, ending: Ending = Ending.LASTED, **facts: object) -> Episode:
    """A cart-pole's episode of so many periods; `off` moves all of it."""
    time = np.arange(periods + 1.0)[:, None]
    observations = (0.0625 * (1 + seed) + off) * np.array([1.0, -1.0, 0.5, 0.25]) / (1 + time)
    commands = -(1 + off) * observations[:-1, 2:3]
    lasted = ending is Ending.LASTED
    return Episode(seed, observations, commands, np.ones(periods), ending, **{"success": lasted, **facts})


def along(result: GapResult | None = None, samples: int = 12) -> GapResult:
    """The circuit outside of the loop: four observations, one action."""
    found = synthetic(samples, 1) if result is None else result
    return replace(found, limits=(), numerical=NumericalGap(5, 1e-7, 2e-7, 1e-7))


def loop() -> ControlResult:
    """The circuit does what the network does."""
    names = "x / 2.4 m", "speed / 3 m/s", "angle / 0.418 rad", "turning / 5 rad/s"
    return ControlResult(
        plant=PlantFacts("cartpole", 4, 1, 2, 6, 0, 3, names, "reward"),
        reference=(episode(0, 6), episode(1, 6)),
        circuit=(episode(0, 6, 2**-8), episode(1, 6, 2**-7)),
        along=along(),
        own=gap_of(0.01),
        step_s={"circuit": 0.001, "reference": 0.0002},
        load_s=0.25,
        command="kanspice control model.pt --plant cartpole",
        notes=("two actions were beyond the plant's limits",),
        limits=(Limit("action_rmse", 0.005, 0.01),),
    )


def failing_loop() -> ControlResult:
    """Episodes that end in every way, draws along a sweep of which some fail, another engine that disagrees."""
    diverged = FailedSample(0, Outcome.DIVERGED, "no operating point")
    circuit = (
        episode(0, 6, 2**-8),
        episode(1, 3, 2**-5, Ending.TERMINATED),
        episode(2, 2, 0.0, Ending.NO_ACTION, failure=diverged),
        episode(3, 4, 0.0, Ending.NO_OBSERVATION, detail="after 4 periods the plant gave [nan] and a reward of 0"),
    )
    reference = tuple(episode(seed, 6) for seed in range(4))
    draws = tuple(DrawnEpisodes.of(seed, circuit if seed % 2 else reference, reference) for seed in (21, 22, 24))
    key = "devices.area_sigma"
    points = (
        SuccessPoint(f"{key}=0", {key: "0"}, draws[1:2], False),
        SuccessPoint(f"{key}=0.1", {key: "0.1"}, draws[::-1], True),
    )
    return replace(
        loop(),
        plant=replace(loop().plant, name="a <plant>", episodes=4, latency=1),
        reference=reference,
        circuit=circuit,
        along=along(with_failures(cross_checked(synthetic(12, 1), 2e-8), 3)),
        points=points,
        checks=(
            SpotCheck(points[0].name, "ngspice", draws[1], draws[1]),
            SpotCheck(points[1].name, "ngspice", draws[0], draws[1]),
        ),
        limits=(Limit("success_drop", 0.75, 0.1), Limit("return_drop", 2.25, 3.0)),
    )


def silent_loop() -> ControlResult:
    """A circuit that has no answer at all."""
    nothing = episode(0, 0, 0.0, Ending.NO_ACTION, failure=FailedSample(0, Outcome.CRASHED))
    plant = replace(loop().plant, name="pv", episodes=1)
    found = along(with_failures(synthetic(4, 1), 0, 1, 2, 3))
    without = {"own": None, "notes": (), "limits": ()}
    return replace(loop(), plant=plant, reference=(episode(0, 6),), circuit=(nothing,), along=found, **without)


LOOPS: dict[str, Callable[[], ControlResult]] = {
    "succeeds": loop,
    "fails": failing_loop,
    "no answer": silent_loop,
}

# --- projections ---


def projected() -> Projection:
    """A KAN of two layers on three cards, fine-tuned, with labels."""
    course = np.linspace(-1.0, 2.0, 21)
    worst = (EdgeError(2, 3, 0, 0.12, 0.31), EdgeError(1, 0, 2, 0.004, None))
    subsets = [
        Subset(("ohmic",), 0.41, 0.9, 0.86, 3.25),
        Subset(("z21",), 0.83, 0.4, 0.35, 1.5),
        Subset(("z21", "ohmic"), 0.07, 1.0, 0.88, 2.5),
    ]
    return Projection(
        model=replace(MODEL, path="best.pth", family="edgekan", format="pykan", devices=("6 B-splines of order 3",)),
        inputs=InputsFacts("x.npy", "cd" * 32),
        samples=50,
        devices=("z21", "ohmic"),
        constant=True,
        ridge=1e-4,
        top_v=1.4,
        inputs_mapped=False,
        layers=(LayerError("l1", 784, 0.002, 0.002, 0.5, 31.0), LayerError("l2", 40, 0.06, 0.07, 2.5, 12.0)),
        gap=gap_of(0.07),
        worst=worst,
        subsets=tuple(subsets),
        subset_samples=50,
        tuning=Tuning(30, 40, 10, gap_of(0.08), gap_of(0.02), gap_of(0.01)),
        accuracy=Accuracy(0.9, 0.86, 0.9),
        notes=("configuration: best_config.yml, found by its place",),
        courses=(EdgeCourse(worst[0], course, np.sin(course), 0.9 * np.sin(course), course[::4]),),
        command="kanspice project best.pth --inputs x.npy --devices z21 --resistor --constant -o out.pt",
    )


def not_fitted() -> Projection:
    """Inputs that are mapped, no labels, fine-tuning that only helps what it saw, an edge beyond what is allowed."""
    done, in_vain = projected(), Tuning(100, 40, 10, gap_of(0.08), gap_of(0.09), gap_of(0.001))
    nothing = {"accuracy": None, "command": None, "notes": (), "constant": False, "inputs_mapped": True}
    return replace(done, max_edge=0.1, beyond=done.worst[:1], tuning=in_vain, **nothing)


# --- sensitivities ---


def sensitive() -> Sensitivity:
    """Everything that there can be: draws, a worst specimen that another engine solved, two limits."""
    gap, accuracy = Spread(0.0625, 0.0125, 0.05, 0.09), Spread(0.975, 0.005, 0.97, 0.98)
    return Sensitivity(
        model=ModelFacts("model.pt", "kanalogue", "kanspice", "ab" * 32, 100, ("Z21",)),
        inputs=InputsFacts("inputs.npy", "cd" * 32),
        samples=8,
        seed=3,
        technology={"name": "a <technology>", "tia": {"gain": float("inf")}},
        prediction=Prediction("columns", 0.01, gap, 0.25, accuracy, 0.125),
        drawn=Drawn(
            100, 1, replace(gap, std=0.0118), 0.0008, 0.0106, 0.0133, 0.11, 0.24, replace(accuracy, mean=0.974), 2.5
        ),
        parts=(
            PartShare("l1.crossbar.area", 12, 0.75, 0.05, 0.02, (1, 0, 1)),
            PartShare("references.current", 1, 0.25, 0.03, 0.03, (0,)),
            PartShare("l1.crossbar.shift_v", 12, 0.0, 0.0, 0.0, ()),
        ),
        keys=(KeyEffect("tia.gain", 1000.0, -0.75, 0.0625), KeyEffect("wires.row_ohm", 2.0, 0.0125, float("nan"))),
        worst=WorstSpecimen(3.0, 0.75, 0.5, "worst.npz", "ef" * 32, 9, 2, 1.5, synthetic_check()),
        rare=(
            Rare("relative_rmse", 0.2, 1e-4, 2e-5, 200, 60, 25.0, 0, 100, 3.0),
            Rare("accuracy_drop", 0.05, 1e-6, 1e-6, 200, 2, 1.5, 0, 100, 3.0),
        ),
        fixed=("l1.crossbar.stuck_open", "noise of samples"),
        notes=("a <note>",),
        versions={"kanspice": "0.1.0"},
        heat=(HeatMap("l1.crossbar.area", np.arange(6.0).reshape(3, 2) / 100),),
        command="kanspice sensitivity model.pt --inputs 'my inputs.npy'",
    )


def synthetic_check():
    return cross_checked(synthetic(), 2e-10).cross_check


def predicted_only() -> Sensitivity:
    """Nothing drawn, nothing rare, probes, and an engine that disagrees."""
    whole = sensitive()
    told = replace(whole.prediction, method="probes", accuracy=None)
    check = cross_checked(synthetic(), 2e-3).cross_check
    worst = replace(whole.worst, path="", accuracy=None, cross_check=check)
    return replace(whole, prediction=told, drawn=None, rare=(), fixed=(), notes=(), heat=(), worst=worst, command=None)


SENSITIVITIES: dict[str, Callable[[], Sensitivity]] = {"sensitive": sensitive, "predicted": predicted_only}
PROJECTIONS: dict[str, Callable[[], Projection]] = {"projected": projected, "not fitted": not_fitted}


RECEIPTS: dict[str, Callable[[], Receipt]] = {
    "proven": lambda: Receipt("ngspice", 3, "ngspice", "39", "as they are", "", 138, 1.8e-15, 2.2e-15, "l2_r7"),
    "not simulated": lambda: Receipt("xyce", None, why_not="Xyce is not installed", limit=1e-4),
}
