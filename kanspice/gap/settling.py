"""When a circuit's stages come to rest after its inputs have stepped, and how good its answers are before that."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.integrate import cumulative_trapezoid

from kanspice.design import Crossbar, Design, Limiter
from kanspice.gap.metrics import compare, spread
from kanspice.gap.noise import StageNoise
from kanspice.gap.physical import crossbar_powers_w, quiescent_w
from kanspice.ngspice.sequence import Pace, Trace
from kanspice.solution import FailedSample, Outcome

Array = npt.NDArray[np.float64]

READ_OUTS = 25
"""At so many times after a step the outputs are read."""
_EARLIEST = 1e-3
"""Of the time that a sample has: the first of them."""
_TURNS = 4
"""So many extremes of an output in the last quarter of its time, which do not become smaller, are an oscillation."""
_DECAYS = 0.7
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

    energy_j: what an inference has taken until then, mean over the samples.
    """

    time_s: float
    relative_rmse: float | None
    from_rest: float | None
    argmax_agreement: float | None
    energy_j: float


@dataclass(frozen=True)
class Settling:
    """One sequence of samples. from_rest and numerical errors are in standard deviations of the outputs.

    numerical: how far outputs at the read-out times move with half the steps and a tenth of the tolerance; None where
    that was not measured. power_w: at rest, mean over the samples. noise: of stages whose amplifiers have a bandwidth.
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
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """3 where some sample does not settle, 0 else."""
        return 3 if self.failed else 0


def read_out_times_s(pace: Pace) -> Array:
    """(READ_OUTS,) seconds after a step."""
    return np.geomspace(_EARLIEST * pace.period_s, pace.period_s, READ_OUTS)


def read_v(trace: Trace, stage: str, samples: int, pace: Pace, after_s: float) -> Array:
    """A stage's outputs (samples, width), so long after each step."""
    when_s = np.arange(samples) * pace.period_s + after_s
    volts = trace.stage_v[stage]
    return np.stack([np.interp(when_s, trace.time_s, column) for column in volts.T], axis=1)


def settling(
    design: Design,
    trace: Trace,
    pace: Pace,
    rest_v: Mapping[str, Array],
    expected: Array,
    *,
    tolerances: Sequence[float],
    quiescent_a: float,
) -> Settling:
    """What a trace shows. rest_v: stage -> (samples, width), the operating points. expected: (samples, outputs), the
    network's, in model units. tolerances: smallest last; a sample that does not come within it has failed.
    """
    samples = len(expected)
    scales = {name: _scale(volts) for name, volts in rest_v.items()}
    errors = {name: _errors(trace, pace, name, volts, scales[name]) for name, volts in rest_v.items()}
    stages = [
        _stage_settling(stage.name, tolerance, errors[stage.name])
        for stage in design.stages
        if not isinstance(stage, Limiter)
        for tolerance in tolerances
    ]
    last, tightest = design.stages[-1], min(tolerances)
    failed = [
        _judge(index, error, tightest, [errors[name][index] for name in rest_v])
        for index, error in enumerate(errors[last.name])
    ]
    times_s, energies_j = read_out_times_s(pace), _energies_j(design, trace, quiescent_a)
    read_outs = []
    for after_s in times_s.tolist():
        volts = read_v(trace, last.name, samples, pace, after_s)
        gap = compare(volts / last.output_v_per_unit, expected, np.ones(samples, dtype=bool), spread(expected))
        from_rest = float(np.sqrt(np.mean((volts - rest_v[last.name]) ** 2))) / scales[last.name]
        energy_j = _between(trace.time_s, energies_j, samples, pace, after_s)
        read_outs.append(ReadOutTime(after_s, gap.relative_rmse, from_rest, gap.argmax_agreement, energy_j))
    whole = next(s for s in stages if s.name == last.name and s.tolerance == tightest)
    latency_s = None if whole.unsettled else whole.largest_s
    return Settling(
        samples=samples,
        period_s=pace.period_s,
        rise_s=pace.rise_s,
        stages=tuple(stages),
        read_outs=tuple(read_outs),
        failed=tuple(failure for failure in failed if failure is not None),
        numerical=None,
        power_w=_power_at_rest_w(design, trace, samples, pace, quiescent_a),
        latency_s=latency_s,
        energy_j=None if latency_s is None else _between(trace.time_s, energies_j, samples, pace, latency_s),
    )


def _scale(volts: Array) -> float:
    """Standard deviation over the samples, or, where they are all the same, what the outputs are."""
    deviation = spread(volts)
    return deviation if deviation > 0 else float(np.sqrt(np.mean(volts**2))) or 1.0


def _errors(trace: Trace, pace: Pace, stage: str, rest_v: Array, scale: float) -> list[tuple[Array, Array]]:
    """For each sample: times (points,) since its step, and what its outputs (points, width) are off, in scales."""
    found = []
    for index, target_v in enumerate(rest_v):
        start_s = index * pace.period_s
        within = (trace.time_s >= start_s) & (trace.time_s <= start_s + pace.period_s)
        found.append((trace.time_s[within] - start_s, (trace.stage_v[stage][within] - target_v) / scale))
    return found


def _settled_s(time_s: Array, error: Array, tolerance: float) -> float:
    """When all outputs are within the tolerance for good; infinite where they are not in the end."""
    outside = np.flatnonzero(np.abs(error).max(axis=1) > tolerance)
    if outside.size == 0:
        return 0.0
    return math.inf if outside[-1] + 1 >= len(time_s) else float(time_s[outside[-1] + 1])


def _stage_settling(name: str, tolerance: float, errors: Sequence[tuple[Array, Array]]) -> StageSettling:
    times_s = np.array([_settled_s(time_s, error, tolerance) for time_s, error in errors])
    finite = np.flatnonzero(np.isfinite(times_s))
    if finite.size == 0:
        return StageSettling(name, tolerance, None, None, None, len(times_s))
    worst = int(finite[np.argmax(times_s[finite])])
    mean_s, largest_s = float(times_s[finite].mean()), float(times_s[worst])
    return StageSettling(name, tolerance, mean_s, largest_s, worst, len(times_s) - finite.size)


def _judge(
    index: int, error: tuple[Array, Array], tolerance: float, everywhere: Sequence[tuple[Array, Array]]
) -> FailedSample | None:
    """Why a sample's outputs are not within the tolerance when its time is over. everywhere: at all stages."""
    time_s, off = error
    if not math.isinf(_settled_s(time_s, off, tolerance)):
        return None
    worst = off[:, int(np.argmax(np.abs(off[-1])))]
    left = f"still {abs(float(worst[-1])):.3g} standard deviations off"
    end_s = time_s[-1]
    last, before = worst[time_s >= 0.75 * end_s], worst[(time_s >= 0.5 * end_s) & (time_s < 0.75 * end_s)]
    swing, swing_before = float(np.ptp(last)), float(np.ptp(before)) if before.size else math.inf
    turns = int(np.count_nonzero(np.diff(np.sign(np.diff(last))) != 0))
    if turns >= _TURNS and swing > _DECAYS * swing_before and swing > tolerance:
        return FailedSample(index, Outcome.OSCILLATES, f"an output swings by {swing:.3g} standard deviations")
    moves = max(float(np.ptp(off[time_s >= 0.75 * end_s], axis=0).max()) for time_s, off in everywhere)
    if moves < _AT_REST * tolerance:
        seen = f"{left}, and at rest: not the state that was found without time"
        return FailedSample(index, Outcome.MULTISTABLE, seen)
    return FailedSample(index, Outcome.UNSETTLED, left)


def _stage_powers_w(design: Design, trace: Trace, quiescent_a: float) -> Array:
    """(points,) of all crossbars together."""
    total = np.zeros(len(trace.time_s))
    for before, crossbar in zip(design.stages, design.stages[1:], strict=False):
        if isinstance(before, Limiter) and isinstance(crossbar, Crossbar):
            currents = trace.row_a[crossbar.name], trace.amplifier_a[crossbar.name]
            parts = crossbar_powers_w(crossbar, trace.stage_v[before.name], *currents)
            total += np.sum(list(parts.values()), axis=0) + quiescent_w(crossbar, quiescent_a)
    return total


def _energies_j(design: Design, trace: Trace, quiescent_a: float) -> Array:
    """(points,) what has been taken since the beginning."""
    return np.asarray(cumulative_trapezoid(_stage_powers_w(design, trace, quiescent_a), trace.time_s, initial=0.0))


def _between(time_s: Array, energies_j: Array, samples: int, pace: Pace, after_s: float) -> float:
    """Mean over the samples of what is taken from a step until so long after it."""
    starts_s = np.arange(samples) * pace.period_s
    until = np.interp(starts_s + after_s, time_s, energies_j) - np.interp(starts_s, time_s, energies_j)
    return float(until.mean())


def _power_at_rest_w(design: Design, trace: Trace, samples: int, pace: Pace, quiescent_a: float) -> float:
    ends_s = (np.arange(samples) + 1) * pace.period_s
    powers_w = _stage_powers_w(design, trace, quiescent_a)
    return float(np.interp(ends_s, trace.time_s, powers_w).mean())
