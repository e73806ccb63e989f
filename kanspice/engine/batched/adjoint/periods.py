"""Gradients of a design of periods: the derivative of the discrete map that the integrator really took.

Steps are constants, as parts of the stretches between the corners of clocks that they are in; implicit stages are
differentiated as the solutions of their equations. So gradients have the integrator's own error, and at the corners of
laws more of it: a step across the corner of a rectifier has the slope that its stages saw, and a drive exactly at a
corner the one-sided slope of above. Where the voltages are right to a tolerance t, these are right to about sqrt(t).
A rectifier that is multiplied with exactly 0 has no sign: by that factor its derivative counts 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import numpy as np

from kanspice.base.arrays import Array, Flags
from kanspice.circuit import DigitalLayer, HeldSum, OdePeriod, ReadOut
from kanspice.engine.batched.adjoint.branches import PulledBranches
from kanspice.engine.batched.adjoint.idle import left_alone_back
from kanspice.engine.batched.adjoint.motions import ClockPiece, motion_back
from kanspice.engine.batched.adjoint.period_sums import PeriodSums
from kanspice.engine.batched.adjoint.steps import step_back
from kanspice.engine.batched.courses import PeriodCourse, PeriodRecord, Stretch
from kanspice.engine.batched.integrator import TakenStep
from kanspice.engine.batched.period_numbers import driving_branches
from kanspice.engine.batched.periods import SAMPLING, PeriodInUnits, PeriodSolver


@dataclass
class PeriodGradients:
    """How a loss changes with what a design of periods is made of, and with what arrives.

    inputs_v: (samples, inputs) per volt. late_s: (samples,) per second. by_period: by the numbers of each period, and
    by_branches: by each of its branches' (`PulledBranches.sums`), summed over samples, by the period's name.
    weight, offset_v: of a `DigitalLayer`, if there is one. without: (samples,) True where there is no gradient, since
    the circuit has no answer: NaN in inputs_v and late_s, and left out of all sums.
    """

    inputs_v: Array
    late_s: Array
    without: Flags
    by_period: dict[str, PeriodSums] = field(default_factory=dict)
    by_branches: dict[str, dict[str, Array]] = field(default_factory=dict)
    weight: Array | None = None
    offset_v: Array | None = None


class PeriodsBack:
    """A design's periods, ready to be followed back: block after block of samples, all of which are added up."""

    def __init__(self, solver: PeriodSolver) -> None:
        self.solver, self.design = solver, solver.design
        self.periods = {
            stage.name: _PeriodBack(solver, stage, period)
            for stage, period in zip(self.design.periods, solver.periods, strict=True)
        }
        self.weight: Array | None = None
        self.offset_v: Array | None = None

    def pulled_back(self, record: PeriodRecord, gradient_v: Mapping[str, Array]) -> PeriodGradients:
        """gradient_v: (samples, width) how the loss changes per volt of what stages gave, by their names.

        record: of the samples that it is of.
        """
        courses = record.courses
        without = np.any([course.failed for course in courses.values()], axis=0)
        stages, late_s = list(self.design.over_time), np.zeros(len(without))
        held, weights = dict[str, Array](), np.zeros_like(record.stage_v[stages[-1].name])
        for number, stage in reversed(list(enumerate(stages))):
            if stage.name in gradient_v:
                weights = weights + np.where(without[:, None], 0.0, gradient_v[stage.name])
            match stage:
                case OdePeriod():
                    weights, by_late_s = self.periods[stage.name].back(
                        courses[stage.name], weights, held.pop(stage.name, None), ~without
                    )
                    late_s += by_late_s * self.solver.late_s(stage, np.ones(1))[0]
                case HeldSum():
                    last = next(each for each in reversed(stages[:number]) if isinstance(each, OdePeriod))
                    before_v, added_v = record.stage_v[stages[number - 1].name], record.held_v[stage.held]
                    before_v, added_v = (np.where(without[:, None], 0.0, part) for part in (before_v, added_v))
                    weights, added, by_late_s = self.periods[last.name].raised_back(
                        before_v, added_v, record.sum_late_s, weights
                    )
                    held[stage.held] = held.get(stage.held, 0.0) + added
                    late_s += by_late_s * self.solver.late_s(last, np.ones(1))[1]
                case ReadOut():
                    read, weights = weights, np.zeros_like(record.stage_v[stages[number - 1].name])
                    weights[:, stage.start : stage.start + stage.width] = read
                case DigitalLayer():
                    weights = self._digital_back(stage, record.stage_v[stages[number - 1].name], weights, without)
                case _:
                    assert_never(stage)
        inputs_v = np.where(without[:, None], np.nan, weights)
        return PeriodGradients(
            inputs_v,
            np.where(without, np.nan, late_s),
            without,
            {name: period.sums for name, period in self.periods.items()},
            {name: period.branches.sums for name, period in self.periods.items()},
            *(self.weight, self.offset_v),
        )

    def _digital_back(self, stage: DigitalLayer, before_v: Array, weights: Array, without: Flags) -> Array:
        if self.weight is None or self.offset_v is None:
            self.weight, self.offset_v = np.zeros_like(stage.weight), np.zeros_like(stage.offset_v)
        self.weight += before_v[~without].T @ weights[~without]
        self.offset_v += weights.sum(axis=0)
        return weights @ stage.weight.T


class _PeriodBack:
    """One period, and what is added up of it."""

    def __init__(self, solver: PeriodSolver, stage: OdePeriod, period: PeriodInUnits) -> None:
        self.stage, self.period = stage, period
        self.branches = PulledBranches(driving_branches(stage, solver.design.schematic))
        self.sums = PeriodSums.of(period.numbers)

    def back(self, course: PeriodCourse, weights: Array, held: Array | None, good: Flags) -> tuple[Array, Array]:
        """By the voltages before the period, (samples, inputs), and by when it is over, (samples,), per second.

        weights: by those after it; held: by those that are held, if they are.
        """
        sums, unit_v, unit_s = self.sums, self.period.unit_v, self.period.unit_s
        end = np.where(good[:, None], course.end, 0.0)
        by_end = self._sampled_back(end, weights, np.zeros_like(weights) if held is None else held)
        by_start, by_late = self._through(course, by_end, good)
        sums.unit_v -= float((by_start[good] * course.start[good]).sum()) / unit_v
        sums.unit_s -= float((by_late * course.late).sum()) / unit_s
        return _arriving(self.stage, by_start / unit_v, course.arriving_v.shape[1]), by_late / unit_s

    def raised_back(self, before_v: Array, added_v: Array, late_s: Array, weights: Array) -> tuple[Array, Array, Array]:
        """Of `PeriodInUnits.raised_v`: by the voltages before it, by those added, and by how late it is."""
        period, sums, unit_v, unit_s = self.period, self.sums, self.period.unit_v, self.period.unit_s
        if period.numbers.switches is None:
            return weights, weights, np.zeros(len(weights))
        rise, late = period.numbers.switches.transfer, late_s / unit_s
        state, drift, total = before_v / unit_v, added_v / unit_v / rise, rise + late
        raised = period.left_alone(state, total.clip(0, rise), drift)
        end = period.left_alone(raised, (total - rise).clip(min=0))
        sums.unit_v += float((weights * end).sum())
        is_over = total >= rise
        by_raised, by_after, _ = self._left_alone_back(raised, (total - rise).clip(min=0), None, weights * unit_v)
        by_state, by_lasts, by_drift = self._left_alone_back(state, total.clip(0, rise), drift, by_raised)
        by_late = np.where(is_over, np.where(late > 0, by_after, 0.0), by_lasts)
        sums.transfer += float(by_lasts.sum()) - float((by_drift * drift).sum()) / rise
        sums.unit_s -= float((by_late * late).sum()) / unit_s
        sums.unit_v -= float((by_state * state + by_drift * drift).sum()) / unit_v
        return by_state / unit_v, by_drift / unit_v / rise, by_late / unit_s

    def _sampled_back(self, end: Array, weights: Array, held: Array) -> Array:
        """By states at the end, of voltages after sampling, and of those that were held."""
        period, unit_v = self.period, self.period.unit_v
        if period.sampling == 0 or period.losses.largest == 0:
            self.sums.unit_v += float(((weights + held) * end).sum())
            return (weights + held) * unit_v
        by_end, lasts = np.zeros_like(end), np.full(len(end), period.sampling)
        parts = [(0.0, 1.0, weights), *((part, weight, held) for part, weight in zip(*SAMPLING, strict=True))]
        for part, weight, of in parts:
            after = period.left_alone(end, lasts * (1 - part))
            self.sums.unit_v += float((weight * of * after).sum())
            by_state, by_lasts, _ = self._left_alone_back(end, lasts * (1 - part), None, weight * unit_v * of)
            by_end += by_state
            self.sums.sampling += float(by_lasts.sum()) * (1 - part)
        return by_end

    def _left_alone_back(
        self, state: Array, lasts: Array, drift: Array | None, weights: Array
    ) -> tuple[Array, Array, Array]:
        off = np.full_like(lasts, self.period.points[-1])
        drift = np.zeros_like(state) if drift is None else drift
        return left_alone_back(self.period.losses, self.sums, off, state, lasts, drift, weights)

    def _through(self, course: PeriodCourse, by_end: Array, good: Flags) -> tuple[Array, Array]:
        """Back through all stretches: by the states at the beginning, and by how much longer it took, in units."""
        period, nodes = self.period, self.period.nodes
        weights = np.zeros((len(by_end), period.motion.states_per_node * nodes))
        weights[:, :nodes], by_late = by_end, np.zeros(len(by_end))
        for stretch in reversed(course.stretches):
            kept = good[stretch.samples]
            by_stop = self._stretch_back(stretch, weights, kept)
            cut = stretch.is_cut & kept
            by_late[stretch.samples[cut]] += by_stop[cut]
            self.sums.points[-1] += float(by_stop[cut].sum())
            self.sums.points[stretch.number + 1] += float(by_stop[~cut & kept].sum())
            if period.switches is not None and stretch.begin == period.switches.on:
                weights[stretch.samples, nodes:] = 0.0
        return weights[:, :nodes], by_late

    def _stretch_back(self, stretch: Stretch, weights: Array, kept: Flags) -> Array:
        """Changes weights to those at its beginning; by when it was over, (its samples,)."""
        period, number = self.period, stretch.number
        piece = ClockPiece()
        if period.switches is not None:
            piece = ClockPiece.between(period.switches, stretch.begin, period.points[number + 1])
        motion = motion_back(period.motion, self.branches, self.sums, piece)
        whole, by_stop = stretch.stop - stretch.begin, np.zeros(len(stretch.stop))
        for step in _reversed(stretch.steps, kept):
            places, own = stretch.samples[step.samples], step.samples
            found = step_back(period.method, motion, step, weights[places])
            weights[places] = found.state
            late, long = (step.time - stretch.begin) / whole[own], step.length / whole[own]
            by_stop[own] += found.time * late + found.length * long
            self.sums.points[number] += float((found.time * (1 - late) - found.length * long).sum())
        return by_stop


def _reversed(steps: Sequence[TakenStep], kept: Flags) -> Iterator[TakenStep]:
    """From the last to the first, of samples that are kept."""
    for step in reversed(steps):
        own = kept[step.samples]
        if own.all():
            yield step
        elif own.any():
            slopes = None if step.slopes is None else step.slopes[:, own]
            arrays = (step.samples[own], step.time[own], step.length[own], step.state[own])
            yield TakenStep(*arrays, slopes)


def _arriving(stage: OdePeriod, by_start: Array, width: int) -> Array:
    """By voltages before a period, (samples, width), of those by what its nodes start with: as `start_v` fills them."""
    nodes = stage.nodes
    if width >= nodes:
        return np.pad(by_start, ((0, 0), (0, width - nodes)))
    if stage.fill == "zeros":
        return by_start[:, :width]
    padded = np.pad(by_start, ((0, 0), (0, -nodes % width)))
    return np.asarray(padded.reshape(len(padded), -1, width).sum(axis=1))
