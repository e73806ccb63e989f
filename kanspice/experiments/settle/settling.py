"""When a circuit's stages come to rest after its inputs have stepped, and how good its answers are before that."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.integrate import cumulative_trapezoid

from kanspice.base.arrays import Array
from kanspice.circuit import Design, Rectifier
from kanspice.engine.sequence import Course, Pace, settling_stages
from kanspice.engine.solution import FailedSample, Outcome
from kanspice.experiments.facts import InputsFacts
from kanspice.gap.capacitors import Capacitors, capacitors_of
from kanspice.gap.costs.crossbar import crossbar_powers_w, quiescent_w, references_power_w
from kanspice.gap.costs.rectifier import rectifiers_w
from kanspice.gap.metrics import compare, spread
from kanspice.gap.noise import StageNoise
from kanspice.gap.resolution import Variation
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown

READ_OUTS = 25
"""At so many times after a step the outputs are read."""
_EARLIEST = 1e-3
"""Of the time that a sample has: the first of them."""
_TURNS = 4
"""So many extremes of an output in the last quarter of its time, which do not become smaller, are an oscillation."""
_DECAYS, _RINGS = 0.7, 0.95
"""Of the swing a quarter earlier: what a limit cycle of several columns keeps at least, and what a ringing may keep
where no pole of the operating point grows: that dies out, if slowly."""
_AT_REST = 0.1
"""Of the tolerance: by so much no output of any stage of a circuit at rest moves in the last quarter of its time."""


@dataclass(frozen=True)
class StageSettling:
    """When a stage is within `tolerance` of where it goes to, for good: seconds after the inputs began to step.

    tolerance: in standard deviations of the stage's outputs over the samples. mean_s, largest_s: over the samples that
    settle, None where there is none; worst: the sample that takes longest; unsettled: how many do not.
    """

    name: str
    tolerance: float
    mean_s: float | None
    largest_s: float | None
    worst: int | None
    unsettled: int


@dataclass(frozen=True)
class ReadOutTime:
    """The outputs, read so long after the step: against the network, and against where the circuit goes to.

    All of the same samples: those whose transients came to their end. energy_j: what an inference has taken until then,
    mean over them.
    """

    time_s: float
    relative_rmse: float | None
    from_rest: float | None
    argmax_agreement: float | None
    energy_j: float


@dataclass(frozen=True)
class Swinging:
    """Outputs of a stage that swing on while all stages before it are at rest: output -> in how many samples."""

    stage: str
    outputs: Mapping[int, int]


@dataclass(frozen=True)
class FollowedSample:
    """One sample's outputs over time, (points, width) volts by stage, and where they go to, (width,)."""

    index: int
    time_s: Array
    stage_v: Mapping[str, Array]
    rest_v: Mapping[str, Array]


@dataclass(frozen=True)
class EngineCheck:
    """The same samples by the other engine: how far outputs at the read-out times are apart, in their deviations."""

    engine: str
    samples: int
    max_relative: float
    relative_rmse: float


@dataclass(frozen=True, repr=False)
class Settling(Shown):
    """One sequence of samples. from_rest and numerical errors are in standard deviations of the outputs.

    numerical: how far outputs at the read-out times move with steps that are more exact; None where that was not
    measured. variation: how the network's outputs vary over the samples. power_w: at rest, mean over the samples.
    noise, capacitors: of stages whose amplifiers have a bandwidth. swinging: by stage, what oscillates. unstable: the
    samples whose operating points grow, by the poles. worst: the sample that takes longest, or does not settle.
    sized_for: samples that the circuit is sized for, where they were given apart. model_sha256: of the checkpoint's
    bytes. technology_values: by section and key. command: what was called, if a command was.
    """

    samples: int
    period_s: float
    rise_s: float
    stages: tuple[StageSettling, ...]
    read_outs: tuple[ReadOutTime, ...]
    failed: tuple[FailedSample, ...]
    numerical: float | None
    power_w: float | None
    latency_s: float | None
    energy_j: float | None
    noise: tuple[StageNoise, ...] = ()
    capacitors: tuple[Capacitors, ...] = ()
    unstable: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    engine: str = ""
    model: str = ""
    technology: str = ""
    swinging: tuple[Swinging, ...] = ()
    worst: FollowedSample | None = None
    cross_check: EngineCheck | None = None
    variation: Variation | None = None
    sized_for: InputsFacts | None = None
    model_sha256: str = ""
    inputs: InputsFacts | None = None
    technology_values: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    command: str | None = None

    def page(self) -> Page:
        from kanspice.experiments.settle.page import settling_page  # noqa: PLC0415 - which shows this

        return settling_page(self)

    def columns(self) -> Columns:
        """A row for each stage and tolerance."""
        return {
            "stage": [stage.name for stage in self.stages],
            "tolerance": [stage.tolerance for stage in self.stages],
            "mean_s": [stage.mean_s for stage in self.stages],
            "largest_s": [stage.largest_s for stage in self.stages],
            "worst": [stage.worst for stage in self.stages],
            "unsettled": [stage.unsettled for stage in self.stages],
        }

    @property
    def is_lost(self) -> bool:
        """Whether no transient came to its end."""
        return len(self.failed) == self.samples and self.worst is None

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Why it is not known when samples settle, or what reading early costs, if so."""
        reasons = [] if self.variation is None else list(self.variation.reasons())
        tightest = min(stage.tolerance for stage in self.stages)
        if self.numerical is not None and not self.numerical <= tightest:
            error = f"the transient's numerical error is {self.numerical:.2g} of the outputs' standard deviation"
            reasons.append(f"{error}, more than the {tightest:.2g} within which outputs count as settled")
        return tuple(reasons)

    @property
    def settled(self) -> bool:
        """Whether every sample does."""
        return not self.failed

    @property
    def exit_code(self) -> int:
        """3 where some sample does not settle, or that is not resolved; 0 else."""
        return 3 if self.failed or self.unresolved else 0


def read_out_times_s(pace: Pace) -> Array:
    """(READ_OUTS,) seconds after a step."""
    return np.geomspace(_EARLIEST * pace.period_s, pace.period_s, READ_OUTS)


@dataclass(frozen=True)
class _Seen:
    """What is kept of one sample. settled_s: (stage, tolerance) -> seconds, infinite where it does not settle.

    read_v: (READ_OUTS, outputs). energy_j: (points,) taken until time_s. swings: the first stage with outputs that do.
    """

    followed: FollowedSample
    settled_s: Mapping[tuple[str, float], float]
    read_v: Array
    energy_j: Array
    power_w: float
    failure: FailedSample | None
    swings: tuple[str, tuple[int, ...]] | None

    def energy_until_j(self, after_s: float) -> float:
        """From the step on."""
        return float(np.interp(after_s, self.followed.time_s, self.energy_j))


def settling(
    design: Design,
    courses: Iterable[Course],
    pace: Pace,
    rest_v: Mapping[str, Array],
    expected: Array,
    *,
    grows: npt.NDArray[np.bool_],
    tolerances: Sequence[float],
    quiescent_a: float,
) -> Settling:
    """What courses of all samples, in order, show. rest_v: stage -> (samples, width), the operating points.

    expected: (samples, outputs), the network's, in model units. grows: (samples,) where a deviation from the operating
    point does, `design.poles`. tolerances: smallest last; a sample that does not come within it has failed.
    """
    rest = {name: (volts, _scale(volts)) for name, volts in rest_v.items()}
    judge = _Judge(design, pace, rest, grows, tolerances, quiescent_a)
    seen, lost, worst = [], [], None
    for index, course in enumerate(courses):
        if course.failure is not None:
            lost.append(replace(course.failure, index=index))
            continue
        one = judge.seen(index, course)
        if worst is None or judge.badness(one) > judge.badness(worst):
            worst = one
        seen.append(replace(one, followed=replace(one.followed, stage_v={})))
    failed = sorted([*lost, *(one.failure for one in seen if one.failure)], key=lambda failure: failure.index)
    stages = tuple(
        _stage_settling(stage, tolerance, seen, len(lost))
        for stage in settling_stages(design)
        for tolerance in tolerances
    )
    whole = next(s for s in stages if s.name == design.stages[-1].name and s.tolerance == min(tolerances))
    latency_s = None if whole.unsettled else whole.largest_s
    return Settling(
        samples=len(expected),
        variation=Variation.of(expected),
        period_s=pace.period_s,
        rise_s=pace.rise_s,
        stages=stages,
        read_outs=tuple(_read_outs(design, pace, rest_v, expected, seen)) if seen else (),
        failed=tuple(failed),
        numerical=None,
        power_w=float(np.mean([one.power_w for one in seen])) if seen else None,
        latency_s=latency_s,
        energy_j=None if latency_s is None else _mean_energy_j(seen, latency_s),
        capacitors=capacitors_of(design),
        unstable=tuple(np.flatnonzero(grows).tolist()),
        swinging=_swinging(design, seen),
        worst=None if worst is None else worst.followed,
    )


def read_v(course: Course, stage: str, pace: Pace) -> Array:
    """A stage's outputs (READ_OUTS, width) at the read-out times."""
    when_s = read_out_times_s(pace)
    return np.stack([np.interp(when_s, course.time_s, column) for column in course.stage_v[stage].T], axis=1)


def _mean_energy_j(seen: Sequence[_Seen], after_s: float) -> float:
    return float(np.mean([one.energy_until_j(after_s) for one in seen]))


def _read_outs(
    design: Design, pace: Pace, rest_v: Mapping[str, Array], expected: Array, seen: Sequence[_Seen]
) -> Iterable[ReadOutTime]:
    last = design.stages[-1]
    known = [one.followed.index for one in seen]
    for place, after_s in enumerate(read_out_times_s(pace).tolist()):
        volts = np.array([one.read_v[place] for one in seen])
        gap = compare(volts / last.output_v_per_unit, expected[known], scale=spread(expected))
        off_v = volts - rest_v[last.name][known]
        from_rest = float(np.sqrt(np.mean(off_v**2))) / _scale(rest_v[last.name])
        yield ReadOutTime(after_s, gap.relative_rmse, from_rest, gap.argmax_agreement, _mean_energy_j(seen, after_s))


def _swinging(design: Design, seen: Sequence[_Seen]) -> tuple[Swinging, ...]:
    counts: dict[str, Counter[int]] = {stage.name: Counter() for stage in design.stages}
    for stage, outputs in (one.swings for one in seen if one.swings is not None):
        counts[stage].update(outputs)
    return tuple(Swinging(stage, dict(sorted(found.items()))) for stage, found in counts.items() if found)


@dataclass(frozen=True)
class _Judge:
    """Of one sample after the other. rest: stage -> operating points (samples, width), and their scale, volts."""

    design: Design
    pace: Pace
    rest: Mapping[str, tuple[Array, float]]
    grows: npt.NDArray[np.bool_]
    tolerances: Sequence[float]
    quiescent_a: float

    def seen(self, index: int, course: Course) -> _Seen:
        errors = {
            name: (volts - self.rest[name][0][index]) / self.rest[name][1]
            for name, volts in course.stage_v.items()
            if name in self.rest
        }
        settled_s = {
            (name, tolerance): _settled_s(course.time_s, error, tolerance)
            for name, error in errors.items()
            for tolerance in self.tolerances
        }
        last, power_w = self.design.stages[-1].name, self._powers_w(course)
        rest_v = {name: self.rest[name][0][index] for name in errors}
        return _Seen(
            FollowedSample(index, course.time_s, course.stage_v, rest_v),
            settled_s,
            read_v(course, last, self.pace),
            np.asarray(cumulative_trapezoid(power_w, course.time_s, initial=0.0)),
            float(power_w[-1]),
            self._failure(index, course.time_s, errors),
            self._swings(index, course.time_s, errors),
        )

    def badness(self, one: _Seen) -> float:
        """When the outputs settle; a sample that does not is worst."""
        return one.settled_s[self.design.stages[-1].name, min(self.tolerances)]

    def _failure(self, index: int, time_s: Array, errors: Mapping[str, Array]) -> FailedSample | None:
        """Why a sample's outputs are not within the tolerance when its time is over."""
        tolerance, off = min(self.tolerances), errors[self.design.stages[-1].name]
        if not math.isinf(_settled_s(time_s, off, tolerance)):
            return None
        swings = np.flatnonzero(self._swing(index, time_s, off))
        if swings.size:
            swing = float(np.ptp(off[time_s >= 0.75 * time_s[-1]][:, swings], axis=0).max())
            return FailedSample(index, Outcome.OSCILLATES, f"an output swings by {swing:.3g} standard deviations")
        left = f"still {np.abs(off[-1]).max():.3g} standard deviations off"
        late = time_s >= 0.75 * time_s[-1]
        if max(float(np.ptp(error[late], axis=0).max()) for error in errors.values()) < _AT_REST * tolerance:
            seen = f"{left}, and at rest: not the state that was found without time"
            return FailedSample(index, Outcome.MULTISTABLE, seen)
        return FailedSample(index, Outcome.UNSETTLED, left)

    def _swings(self, index: int, time_s: Array, errors: Mapping[str, Array]) -> tuple[str, tuple[int, ...]] | None:
        for stage in self.design.stages:
            if stage.name in errors:
                found = np.flatnonzero(self._swing(index, time_s, errors[stage.name]))
                if found.size:
                    return stage.name, tuple(found.tolist())
        return None

    def _swing(self, index: int, time_s: Array, off: Array) -> npt.NDArray[np.bool_]:
        """(width,) outputs that turn again and again in the last quarter of the time, as in the one before."""
        end_s = time_s[-1]
        last, before = off[time_s >= 0.75 * end_s], off[(time_s >= 0.5 * end_s) & (time_s < 0.75 * end_s)]
        swing = np.ptp(last, axis=0)
        swing_before = np.ptp(before, axis=0) if len(before) else np.full_like(swing, np.inf)
        turns = np.count_nonzero(np.diff(np.sign(np.diff(last, axis=0)), axis=0) != 0, axis=0)
        stays = swing > (_DECAYS if self.grows[index] else _RINGS) * swing_before
        return np.asarray((turns >= _TURNS) & stays & (swing > min(self.tolerances)))

    def _powers_w(self, course: Course) -> Array:
        """(points,) of all crossbars together: at the supplies, where these were simulated."""
        if course.supply_w is not None:
            return course.supply_w + sum(map(references_power_w, self.design.crossbars))
        total = np.zeros(len(course.time_s))
        for crossbar in self.design.crossbars:
            name = crossbar.name
            parts = crossbar_powers_w(crossbar, course.rows_v[name], course.row_a[name], course.amplifier_a[name])
            total += np.sum(list(parts.values()), axis=0) + quiescent_w(crossbar, self.quiescent_a)
        return total + sum(rectifiers_w(stage, self.quiescent_a) for stage in self._rectifiers)

    @property
    def _rectifiers(self) -> Iterator[Rectifier]:
        return (stage for stage in self.design.stages if isinstance(stage, Rectifier))


def _scale(volts: Array) -> float:
    """Standard deviation over the samples, or, where they are all the same, what the outputs are."""
    deviation = spread(volts)
    return deviation if deviation > 0 else float(np.sqrt(np.mean(volts**2))) or 1.0


def _settled_s(time_s: Array, error: Array, tolerance: float) -> float:
    """When all outputs are within the tolerance for good; infinite where they are not in the end."""
    outside = np.flatnonzero(np.abs(error).max(axis=1) > tolerance)
    if outside.size == 0:
        return 0.0
    return math.inf if outside[-1] + 1 >= len(time_s) else float(time_s[outside[-1] + 1])


def _stage_settling(name: str, tolerance: float, seen: Sequence[_Seen], lost: int) -> StageSettling:
    times_s = np.array([one.settled_s[name, tolerance] for one in seen])
    finite = np.flatnonzero(np.isfinite(times_s))
    if finite.size == 0:
        return StageSettling(name, tolerance, None, None, None, len(times_s) + lost)
    worst = int(finite[np.argmax(times_s[finite])])
    mean_s, largest_s = float(times_s[finite].mean()), float(times_s[worst])
    unsettled = len(times_s) - finite.size + lost
    return StageSettling(name, tolerance, mean_s, largest_s, seen[worst].followed.index, unsettled)
