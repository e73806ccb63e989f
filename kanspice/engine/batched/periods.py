"""A design of periods: the node voltages of a block of samples, period by period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from time import monotonic
from typing import assert_never

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import (
    Design,
    DigitalLayer,
    HeldSum,
    OdePeriod,
    ReadOut,
)
from kanspice.circuit.stages.held_sum import FOLLOWS
from kanspice.engine.batched.array_devices import HOST, Processor, host, host_record
from kanspice.engine.batched.batch import Batch
from kanspice.engine.batched.branch_banks import Bank, bank_of
from kanspice.engine.batched.courses import PeriodCourse, PeriodRecord, Stretch
from kanspice.engine.batched.integrator import (
    KINKED,
    PULLED,
    SMOOTH,
    Integrated,
    RungeKutta,
    TakenStep,
    Tolerance,
    follow,
)
from kanspice.engine.batched.losses import Losses
from kanspice.engine.batched.memory import bank_bytes
from kanspice.engine.batched.period_numbers import changes_per_current, period_numbers
from kanspice.engine.batched.period_ode import Lagging, Motion, Prompt
from kanspice.engine.batched.switches import BankSwitches
from kanspice.engine.solution import FailedSample, Outcome, Waveform

_SMOOTH_TOLERANCE = Tolerance(1e-9, 1e-10)
_KINKED_TOLERANCE = Tolerance(1e-7, 1e-8)
_TIGHTER = 10.0
_WAVEFORM_POINTS = 201
_SAMPLING_POINTS, _SAMPLING_REACH = 24, 0.7
"""Gauss-Legendre points for what is held, and how far back they reach, as a part of the time that sampling takes."""


def _sampling() -> tuple[list[float], list[float]]:
    points, weights = np.polynomial.legendre.leggauss(_SAMPLING_POINTS)
    before = _SAMPLING_REACH * (1 + points) / 2
    weights = weights * before * np.exp(-FOLLOWS * before**2 / 2)
    return before.tolist(), (weights / weights.sum()).tolist()


SAMPLING = _sampling()
"""How long before the end, as a part of the time that sampling takes, what is held is made of; and their weights."""


def ideal_end_v(period: OdePeriod, before_v: Array, processor: Processor = HOST) -> Array:
    """Node voltages (samples, nodes) at the end of a period of ideal sources that nothing else hangs on; NaN where it
    explodes. before_v: (samples, inputs) voltages of the stage before the period.
    """
    bank, per_current = bank_of(period, processor=processor), processor.array(changes_per_current(period))
    method, tolerance = _explicit(bank)

    def slope(_time: Array, state: Array) -> Array:
        change: Array = bank.into_nodes(state) * per_current
        return change

    start, duration = period.start_v(before_v) / period.unit_v, period.period_s / period.unit_s
    ends = [np.empty((0, period.nodes))]
    for first in range(0, len(start), bank.block):
        part = processor.array(start[first : first + bank.block])
        found = host_record(follow(slope, part, (0.0, duration), method, tolerance))
        ends.append(np.where((found.reached < duration)[:, None], np.nan, found.end))
    return np.concatenate(ends) * period.unit_v


def _explicit(bank: Bank) -> tuple[RungeKutta, Tolerance]:
    return (SMOOTH, _SMOOTH_TOLERANCE) if bank.branches.activation.is_smooth else (KINKED, _KINKED_TOLERANCE)


class PeriodSolver:
    """A design's periods, ready for blocks of samples."""

    def __init__(self, design: Design, processor: Processor = HOST) -> None:
        self.design = design
        self.periods = [PeriodInUnits(design, period, processor) for period in design.periods]

    @property
    def block(self) -> int:
        """How many samples are followed at a time."""
        return min(period.bank.block for period in self.periods)

    def bytes(self, samples: int) -> int:
        """What following so many samples at a time takes, at most."""
        each = [bank_bytes(period.bank, samples, period.motion.states_per_node) for period in self.periods]
        kept, besides = zip(*each, strict=True)
        return int(sum(kept) + max(besides))

    @property
    def facts(self) -> Mapping[str, object]:
        """What computes, and the error that a step may have."""
        first = self.periods[0]
        tolerances = {"relative_tolerance": first.tolerance.relative, "absolute_tolerance": first.tolerance.absolute}
        return {"device": first.processor.name, **tolerances}

    def solve(
        self,
        inputs_v: Array,
        late_s: Array,
        /,
        *,
        tighter: bool = False,
        deadline: float | None = None,
        record: PeriodRecord | None = None,
    ) -> Batch:
        """Voltages for inputs (samples, inputs) in volts; `tighter`: a tenth of the error in every step.

        record: is told everything that happens, which is the same with it, to be followed back.
        """
        found, volts, held_v = Batch(), inputs_v, dict[str, Array]()
        periods, sum_late_s = iter(self.periods), late_s
        for stage in self.design.over_time:
            match stage:
                case OdePeriod():
                    period = next(periods)
                    own_late_s, sum_late_s = self.late_s(stage, late_s)
                    last = period.last(own_late_s)
                    start = stage.start_v(volts) / stage.unit_v
                    stretches = None if record is None else list[Stretch]()
                    followed = period.follow(start, last, tighter=tighter, deadline=deadline, stretches=stretches)
                    failed = followed.reached < last
                    for place in np.flatnonzero(failed).tolist():
                        found.failures.setdefault(place, _failure(stage, period, place, followed))
                    if record is not None and stretches is not None:
                        late = own_late_s / period.unit_s
                        record.courses[stage.name] = PeriodCourse(volts, start, late, followed.end, failed, stretches)
                        record.sum_late_s = sum_late_s
                    volts = np.where(failed[:, None], np.nan, followed.end * stage.unit_v)
                    held_v[stage.name], volts = period.sampled_v(volts)
                case HeldSum():
                    volts = period.raised_v(volts, held_v[stage.held], sum_late_s)
                case ReadOut() | DigitalLayer():
                    volts = stage.ideal_v(self.design, volts)
                case _:
                    assert_never(stage)
            found.stage_v[stage.name] = volts
        if record is not None:
            record.held_v, record.stage_v = held_v, found.stage_v
        return found

    def waveforms(self, sample: int, input_v: Array, late_s: float, deadline: float | None) -> tuple[Waveform, ...]:
        """One sample's node voltages over time, for its inputs (inputs,) in volts; none once there is no time left."""
        kept, volts, held_v = [], input_v[None, :], dict[str, Array]()
        for stage, period, start_s in zip(self.design.periods, self.periods, self.design.begins_s, strict=True):
            own_late_s, sum_late_s = self.late_s(stage, np.array([late_s]))
            last = float(period.last(own_late_s)[0])
            time, states = period.trace(stage.start_v(volts) / stage.unit_v, last, deadline)
            if is_late(deadline):
                return ()
            held_v[stage.name], volts = period.sampled_v(states[time == last] * stage.unit_v)
            kept.append(Waveform(sample, stage.name, start_s + time * period.unit_s, states * stage.unit_v))
            added = self.design.sum_after(stage)
            if added is not None:
                volts = period.raised_v(volts, held_v[added.held], sum_late_s)
        return tuple(kept)

    def late_s(self, stage: OdePeriod, late_s: Array) -> tuple[Array, Array]:
        """(samples,) by how much longer than usual the period, and a sum after it, last: the last of all is late."""
        none_s = np.zeros_like(late_s)
        if stage is not self.design.periods[-1]:
            return none_s, none_s
        switched_sum = self.design.switching is not None and self.design.sum_after(stage) is not None
        return (none_s, late_s) if switched_sum else (late_s, none_s)


def is_late(deadline: float | None) -> bool:
    """Whether a time of `time.monotonic` is over."""
    return deadline is not None and monotonic() > deadline


def _failure(stage: OdePeriod, period: PeriodInUnits, place: int, followed: Integrated) -> FailedSample:
    if followed.late[place]:
        return FailedSample(place, Outcome.TIMED_OUT)
    came_s = max(float(followed.reached[place]), 0.0) * period.unit_s
    seen = f"{stage.name} came to {came_s:.4g} s of {stage.period_s:.4g} s: it explodes there, or is too stiff"
    return FailedSample(place, Outcome.DIVERGED, seen)


class PeriodInUnits:
    """One period in units: of voltage, of current, and of C V_0 / I_0 for time."""

    def __init__(self, design: Design, period: OdePeriod, processor: Processor) -> None:
        self.processor, self.nodes = processor, period.nodes
        self.bank: Bank = bank_of(period, design.schematic, processor)
        self.numbers = period_numbers(design, period)
        self.unit_s, self.unit_v = self.numbers.unit_s, self.numbers.unit_v
        self.points, self.sampling = self.numbers.points, self.numbers.sampling
        self.switches = None if self.numbers.switches is None else BankSwitches(self.numbers.switches, self.bank)
        self.losses = Losses(self.numbers, processor, self.switches)
        self.motion: Motion = Prompt(self.bank, self.losses, self.points[-1])
        if design.lag_s > 0:
            self.motion = Lagging(self.bank, self.losses, self.points[-1], self.numbers.lag)
        self.method, self.tolerance = _explicit(self.bank)
        if self.motion.pull is not None:
            self.method, self.tolerance = PULLED, _KINKED_TOLERANCE

    def last(self, late_s: Array) -> Array:
        """(samples,) when it is over, or its sampling begins, for samples of which it lasts so much longer."""
        return np.asarray(self.points[-1] + late_s / self.unit_s)

    def follow(
        self,
        start: Array,
        last: Array,
        *,
        tighter: bool,
        deadline: float | None,
        stretches: list[Stretch] | None = None,
    ) -> Integrated:
        """States (samples, nodes) at the end, (samples,); one stretch after the other, since clocks have corners."""
        tolerance = self.tolerance.tighter(_TIGHTER) if tighter else self.tolerance
        stops = [np.minimum(point, last) for point in self.points[1:-1]]
        begun = self.motion.begun(start)
        followed = self._through(
            [0.0, *self.points[1:-1]], [*stops, last], begun, tolerance, deadline=deadline, stretches=stretches
        )
        return replace(followed, end=followed.end[:, : self.nodes])

    def trace(self, start: Array, last: float, deadline: float | None) -> tuple[Array, Array]:
        """Times (points,) and states (points, nodes) of one sample, (1, nodes) at the start, to sampling's end."""
        corners = [point for point in self.points[:-1] if point < last]
        times = np.union1d(np.linspace(0.0, last + self.sampling, _WAVEFORM_POINTS), [*corners, last])
        state, volts = self.motion.begun(start), [start]
        for begin, end in pairwise(times.tolist()):
            if begin < last:
                state = self._through([begin], [np.array([end])], state, self.tolerance, deadline=deadline).end
                volts.append(state[:, : self.nodes])
            else:
                volts.append(self.left_alone(volts[-1], np.array([end - begin])))
        return times, np.concatenate(volts)

    def sampled_v(self, volts: Array) -> tuple[Array, Array]:
        """What is held of voltages (samples, nodes) at which sampling begins, and what they are after it.

        What is held follows its node with 1 / FOLLOWS of the time that sampling takes, and less while the clock falls:
        a mean over the time before the end, u as a part of it, with weights FOLLOWS u exp(-FOLLOWS u^2 / 2).
        """
        if self.sampling == 0 or self.losses.largest == 0:
            return volts, volts
        state, lasts = volts / self.unit_v, np.full(len(volts), self.sampling)
        held = np.zeros_like(state)
        for part, weight in zip(*SAMPLING, strict=True):
            held += weight * self.left_alone(state, lasts * (1 - part))
        return held * self.unit_v, self.left_alone(state, lasts) * self.unit_v

    def raised_v(self, volts: Array, added_v: Array, late_s: Array) -> Array:
        """Voltages (samples, nodes) of which each was raised by another, after the period; buffers take their time.

        late_s: (samples,) by how much longer that lasts. Nodes lose meanwhile what they do while no bank is on.
        """
        if self.switches is None:
            return volts + added_v
        rise = self.switches.numbers.transfer
        total = rise + late_s / self.unit_s
        raised = self.left_alone(volts / self.unit_v, total.clip(0, rise), added_v / self.unit_v / rise)
        return self.left_alone(raised, (total - rise).clip(min=0)) * self.unit_v

    def left_alone(self, state: Array, lasts: Array, drift: Array | None = None) -> Array:
        """States (samples, nodes) after so long, (samples,), with all banks off; they drift by so much per time."""
        array, off = self.processor.array, np.full_like(lasts, self.points[-1])
        drift = np.zeros_like(state) if drift is None else drift
        return np.asarray(host(self.losses.left_alone(array(off), array(state), array(lasts), array(drift))))

    def _through(
        self,
        begins: Sequence[float],
        stops: Sequence[Array],
        start: Array,
        tolerance: Tolerance,
        *,
        deadline: float | None,
        stretches: list[Stretch] | None = None,
    ) -> Integrated:
        """States (samples, states) through one stretch after the other; `stretches` gets those that some go through."""
        reached, late = np.full(len(start), begins[0]), np.zeros(len(start), dtype=bool)
        end, going = start.copy(), np.asarray(np.isfinite(start).all(axis=1))
        for number, (begin, stop) in enumerate(zip(begins, stops, strict=True)):
            alive = np.flatnonzero(going & (stop > begin))
            if self.switches is not None and begin == self.switches.on:
                end[alive] = self.motion.begun(end[alive, : self.nodes])
            state, last = (self.processor.array(part[alive]) for part in (end, stop))
            motion, span = self.motion, (begin, last)
            steps = None if stretches is None else list[TakenStep]()
            part = follow(
                motion.slope, state, span, self.method, tolerance, pull=motion.pull, deadline=deadline, steps=steps
            )
            part = host_record(part)
            if stretches is not None and steps is not None:
                is_cut = np.asarray(stops[-1][alive] == stop[alive])
                stretches.append(Stretch(number, begin, alive, stop[alive], is_cut, steps))
            end[alive], reached[alive], late[alive] = part.end, part.reached, part.late
            going[alive] = part.reached >= stop[alive]
        return Integrated(end, reached, late)
