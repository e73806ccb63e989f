"""A design of periods: the node voltages of a block of samples, period by period."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kanspice.arrays import namespace
from kanspice.design import Design, NodeLosses, OdePeriod, ReadOut, Switching
from kanspice.netlist.switching import HELD_BEFORE, capacitor_nodes
from kanspice.solution import FailedSample, Outcome, Waveform
from kanspice.solver.banks import Bank, bank_of
from kanspice.solver.block import Block
from kanspice.solver.integrator import KINKED, PULLED, SMOOTH, Followed, Method, Tolerance, follow
from kanspice.solver.memory import bank_bytes
from kanspice.solver.processors import HOST, Processor, host, host_record

Array = npt.NDArray[np.float64]

_SMOOTH_TOLERANCE = Tolerance(1e-9, 1e-10)
_KINKED_TOLERANCE = Tolerance(1e-7, 1e-8)
_TIGHTER = 10.0
_WAVEFORM_POINTS = 201
_MOST_ROUNDS = 100
_ROUNDING = 1e-13
_RAISING_STEPS = 200
"""Of implicit Euler, while voltages are added: what nodes lose meanwhile is little, or holds them at a supply."""
_STIFF = 300.0
"""What a period's duration in the time constants of its nodes' losses is at most, for explicit steps."""


def ideal_end_v(period: OdePeriod, before_v: Array, processor: Processor = HOST) -> Array:
    """Node voltages (samples, nodes) at the end of a period of ideal sources that nothing else hangs on; NaN where it
    explodes. before_v: (samples, inputs) voltages of the stage before the period.
    """
    bank, per_current = bank_of(period, processor=processor), processor.array(_per_current(period))
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


def _per_current(period: OdePeriod) -> Array:
    """(nodes,) what a unit of current changes them by per time, in units."""
    return period.unit_s * period.current_unit_a / period.unit_v / period.capacitor_f


def _explicit(bank: Bank) -> tuple[Method, Tolerance]:
    return (SMOOTH, _SMOOTH_TOLERANCE) if bank.branches.is_smooth else (KINKED, _KINKED_TOLERANCE)


class Periods:
    """A design's periods, ready for blocks of samples."""

    def __init__(self, design: Design, processor: Processor = HOST) -> None:
        self.design = design
        capacitors = capacitor_nodes(design)
        self.periods = [
            _Period(design, period, [sum(node in nodes for nodes in capacitors) for node in own], processor)
            for period, own in zip(design.periods, capacitors, strict=True)
        ]

    @property
    def block(self) -> int:
        """How many samples are followed at a time."""
        return min(period.bank.block for period in self.periods)

    def bytes(self, samples: int) -> int:
        """What following so many samples at a time takes, at most."""
        kept, besides = zip(*(bank_bytes(period.bank, samples) for period in self.periods), strict=True)
        return int(sum(kept) + max(besides))

    @property
    def facts(self) -> Mapping[str, object]:
        """What computes, and the error that a step may have."""
        first = self.periods[0]
        tolerances = {"relative_tolerance": first.tolerance.relative, "absolute_tolerance": first.tolerance.absolute}
        return {"device": first.processor.name, **tolerances}

    def solve(
        self, inputs_v: Array, late_s: Array, /, *, tighter: bool = False, deadline: float | None = None
    ) -> Block:
        """Voltages for inputs (samples, inputs) in volts; `tighter`: a tenth of the error in every step."""
        found, volts, held_v = Block(), inputs_v, dict[str, Array]()
        for stage, period in zip(self.design.periods, self.periods, strict=True):
            own_late_s, sum_late_s = self._late_s(stage, late_s)
            last = period.last(own_late_s)
            followed = period.follow(stage.start_v(volts) / stage.unit_v, last, tighter=tighter, deadline=deadline)
            for place in np.flatnonzero(followed.reached < last).tolist():
                found.failures.setdefault(place, _failure(stage, period, place, followed))
            volts = np.where((followed.reached < last)[:, None], np.nan, followed.end * stage.unit_v)
            found.stage_v[stage.name] = volts
            held_v[stage.name] = period.held_v(volts)
            added = self.design.sum_after(stage)
            if added is not None:
                volts = found.stage_v[added.name] = period.raised_v(volts, held_v[added.held], sum_late_s)
        readout, digital = self.design.last_of_circuit, self.design.digital
        if isinstance(readout, ReadOut):
            volts = found.stage_v[readout.name] = volts[:, readout.start : readout.start + readout.width]
        if digital is not None:
            found.stage_v[digital.name] = digital.computed_v(volts)
        return found

    def waveforms(self, sample: int, input_v: Array, late_s: float) -> tuple[Waveform, ...]:
        """One sample's node voltages over time, for its inputs (inputs,) in volts."""
        kept, volts, held_v = [], input_v[None, :], dict[str, Array]()
        for stage, period, start_s in zip(self.design.periods, self.periods, self.design.begins_s, strict=True):
            own_late_s, sum_late_s = self._late_s(stage, np.array([late_s]))
            time, states = period.trace(stage.start_v(volts) / stage.unit_v, float(period.last(own_late_s)[0]))
            volts = states[-1:] * stage.unit_v
            held_v[stage.name] = period.held_v(volts)
            kept.append(Waveform(sample, stage.name, start_s + time * period.unit_s, states * stage.unit_v))
            added = self.design.sum_after(stage)
            if added is not None:
                volts = period.raised_v(volts, held_v[added.held], sum_late_s)
        return tuple(kept)

    def _late_s(self, stage: OdePeriod, late_s: Array) -> tuple[Array, Array]:
        """(samples,) by how much longer than usual the period, and a sum after it, last: the last of all is late."""
        none_s = np.zeros_like(late_s)
        if stage is not self.design.periods[-1]:
            return none_s, none_s
        switched_sum = self.design.switching is not None and self.design.sum_after(stage) is not None
        return (none_s, late_s) if switched_sum else (late_s, none_s)


def _failure(stage: OdePeriod, period: _Period, place: int, followed: Followed) -> FailedSample:
    if followed.late[place]:
        return FailedSample(place, Outcome.TIMED_OUT)
    came_s = max(float(followed.reached[place]), 0.0) * period.unit_s
    seen = f"{stage.name} came to {came_s:.4g} s of {stage.period_s:.4g} s: it explodes there, or is too stiff"
    return FailedSample(place, Outcome.DIVERGED, seen)


class _Period:
    """One period in units: of voltage, of current, and of C V_0 / I_0 for time."""

    def __init__(self, design: Design, period: OdePeriod, banks: list[int], processor: Processor) -> None:
        """banks: (nodes,) how many banks hang on each node's capacitor, its own included."""
        self.processor = processor
        self.bank: Bank = bank_of(period, design.schematic, processor)
        self.unit_s, self.unit_v = period.unit_s, period.unit_v
        self.per_current = processor.array(_per_current(period))
        self.switches = None
        self.points: tuple[float, ...] = (0.0, period.period_s / self.unit_s)
        if design.switching is not None:
            begin_s, end_s = design.spans_s[period.name]
            lasts = (end_s - begin_s) / period.unit_s
            self.switches = _Switches(design.switching, self.bank, period, np.array(banks), lasts)
            self.points = self.switches.points
        self.losses = _Losses(design.losses, period, self.per_current, self.switches)
        self.pull = self.losses if self.losses.largest * self.points[-1] > _STIFF else None
        self.method, self.tolerance = _explicit(self.bank) if self.pull is None else (PULLED, _KINKED_TOLERANCE)

    def last(self, late_s: Array) -> Array:
        """(samples,) when it is over, for samples of which it lasts so much longer."""
        return np.asarray(self.points[-1] + late_s / self.unit_s)

    def follow(self, start: Array, last: Array, *, tighter: bool, deadline: float | None) -> Followed:
        """States (samples, nodes) at the end, (samples,); one stretch after the other, since clocks have corners."""
        tolerance = self.tolerance.tighter(_TIGHTER) if tighter else self.tolerance
        stops = [np.minimum(point, last) for point in self.points[1:-1]]
        return self._through([0.0, *self.points[1:-1]], [*stops, last], start, tolerance, deadline)

    def trace(self, start: Array, last: float) -> tuple[Array, Array]:
        """Times (points,) and states (points, nodes) of one sample, (1, nodes) at the start."""
        corners = [point for point in self.points[:-1] if point < last]
        times = np.union1d(np.linspace(0.0, last, _WAVEFORM_POINTS), corners)
        states = [start]
        for begin, end in pairwise(times.tolist()):
            states.append(self._through([begin], [np.array([end])], states[-1], self.tolerance, None).end)
        return times, np.concatenate(states)

    def held_v(self, volts: Array) -> Array:
        """What is held of voltages (samples, nodes) at the period's end: those of shortly before, if they leak."""
        if self.switches is None or self.switches.transfer == 0 or self.losses.largest == 0:
            return volts
        state = self.processor.array(volts / self.unit_v)
        lost = self.losses.slope(self.processor.array(np.full(len(volts), self.points[-1])), state)
        held: Array = volts - HELD_BEFORE * self.switches.transfer * host(lost) * self.unit_v
        return held

    def raised_v(self, volts: Array, added_v: Array, late_s: Array) -> Array:
        """Voltages (samples, nodes) of which each was raised by another, after the period; buffers take their time.

        late_s: (samples,) by how much longer that lasts. Nodes lose meanwhile what they do while no bank is on.
        """
        if self.switches is None:
            return volts + added_v
        rise, total = self.switches.transfer, self.switches.transfer + late_s / self.unit_s
        raising, after = total.clip(0, rise), (total - rise).clip(min=0)
        raised_v = added_v * (raising / rise)[:, None]
        if self.losses.largest == 0:
            return volts + raised_v
        array = self.processor.array
        state, part = array(volts / self.unit_v), array(raised_v / self.unit_v / _RAISING_STEPS)
        off = array(np.full_like(total, self.points[-1]))
        for step, moved in ((raising, part), (after, 0.0 * part)):
            for _ in range(_RAISING_STEPS):
                state = self.losses.settled(off, state + moved, array(step / _RAISING_STEPS))
        end: Array = host(state) * self.unit_v
        return end

    def _through(
        self,
        begins: Sequence[float],
        stops: Sequence[Array],
        start: Array,
        tolerance: Tolerance,
        deadline: float | None,
    ) -> Followed:
        reached, late = np.full(len(start), begins[0]), np.zeros(len(start), dtype=bool)
        end, going = start.copy(), np.asarray(np.isfinite(start).all(axis=1))
        for begin, stop in zip(begins, stops, strict=True):
            alive = np.flatnonzero(going & (stop > begin))
            state, last = (self.processor.array(part[alive]) for part in (end, stop))
            part = follow(self._slope, state, (begin, last), self.method, tolerance, pull=self.pull, deadline=deadline)
            part = host_record(part)
            end[alive], reached[alive], late[alive] = part.end, part.reached, part.late
            going[alive] = part.reached >= stop[alive]
        return Followed(end, reached, late)

    def _slope(self, time: Array, state: Array) -> Array:
        """Change per time, in units; what is lost too where it is not so fast that it is a pull."""
        into = self.bank.into_nodes(state) if self.switches is None else self.switches.into_nodes(time, state)
        into *= self.per_current
        return into if self.pull is not None or self.losses.largest == 0 else into + self.losses.slope(time, state)


class _Switches:
    """Switches between a period's nodes and its bank, and what all the banks that are off draw."""

    def __init__(
        self, switching: Switching, bank: Bank, period: OdePeriod, banks: npt.NDArray[np.int64], lasts: float
    ) -> None:
        unit_s, unit_ohm = period.unit_s, period.unit_v / period.current_unit_a
        self.bank, self.ohm, self.leak = bank, switching.on_ohm / unit_ohm, unit_ohm / switching.off_ohm
        self.others = bank.processor.array(self.leak * (banks - 1.0))
        self.rise, self.transfer = switching.rise_s / unit_s, switching.transfer_s / unit_s
        self.on, self.off = period.late_on_s / unit_s, (period.period_s + period.late_off_s) / unit_s
        peak = period.injected_c / period.current_unit_a / unit_s / (self.rise / 2)
        self.peak = bank.processor.array(peak) if peak.any() else None
        rising, falling = (self.on, self.on + self.rise), (self.off, self.off + self.rise / 2, self.off + self.rise)
        self.points = (0.0, *rising, *falling, lasts)

    def into_nodes(self, time: Array, state: Array) -> Array:
        """The clock's part of the bank's current, and the charge that is pushed out while the clock falls."""
        currents: Array = self._clock(time) * self._bank_into_nodes(state)
        if self.peak is not None:
            fallen = ((time - self.off) / self.rise).clip(0, 1)
            currents += (1 - namespace(time).abs(2 * fallen - 1))[:, None] * self.peak
        return currents

    def leaks(self, time: Array) -> Array:
        """(samples, nodes) conductances to ground of the switches that are off, this bank's as far as it is."""
        leaks: Array = self.leak * (1 - self._clock(time)) + self.others
        return leaks

    def _clock(self, time: Array) -> Array:
        """(samples, 1) which part of the current it lets through."""
        falling = 1 - ((time - self.off) / self.rise).clip(0, 1)
        rising = ((time - self.on) / self.rise).clip(0, 1)
        clock: Array = namespace(time).minimum(rising, falling)[:, None]
        return clock

    def _bank_into_nodes(self, state: Array) -> Array:
        """Currents of a bank that sits at the nodes' voltages less what is lost in the switches.

        The bank's voltages solve q = v + ohm * into_nodes(q): found by putting q in again, which converges where the
        switches are better conductors than the branches. Samples for which it does not become NaN.
        """
        into = self.bank.into_nodes(state)
        if self.ohm == 0:
            return into
        xp = namespace(state)
        allowed = _ROUNDING * (1 + xp.max(xp.abs(state), axis=1))
        left = allowed > 0
        for _ in range(_MOST_ROUNDS):
            found = self.bank.into_nodes(state + self.ohm * into)
            moved = xp.max(xp.abs(found - into), axis=1) * self.ohm
            into = xp.where(left[:, None], found, into)
            left = left & (moved > allowed)
            if not left.any():
                break
        stopped: Array = xp.where(left[:, None], np.nan, into)
        return stopped


class _Losses:
    """What nodes lose by themselves, in units: through leaks and off switches to ground, through clamps to the supply.

    A line with a corner at the supply either side, so what an implicit step comes to is known in closed form.
    """

    def __init__(
        self, losses: NodeLosses | None, period: OdePeriod, per_current: Array, switches: _Switches | None
    ) -> None:
        unit_ohm = period.unit_v / period.current_unit_a
        self.per_current, self.switches = per_current, switches
        losses = losses or NodeLosses(math.inf, math.inf, math.inf)
        self.leak, self.clamps = unit_ohm / losses.leak_ohm, losses.clamps
        self.supply, self.clamp = losses.supply_v / period.unit_v, unit_ohm / losses.clamp_ohm

    def slope(self, time: Array, state: Array) -> Array:
        """Change per time, (samples, nodes)."""
        lost: Array = self._leaks(time) * state
        if self.clamps:
            lost += self.clamp * (state - state.clip(-self.supply, self.supply))
        return -lost * self.per_current

    def settled(self, time: Array, state: Array, step: Array) -> Array:
        """What an implicit step from these states comes to, (samples, nodes)."""
        xp, weight = namespace(state), step[:, None] * self.per_current
        within = 1 + weight * self._leaks(time)
        settled: Array = state / within
        if not self.clamps:
            return settled
        clamped = weight * self.clamp
        beyond = (xp.abs(state) + clamped * self.supply) / (within + clamped)
        limited: Array = xp.where(xp.abs(settled) > self.supply, xp.sign(state) * beyond, settled)
        return limited

    @cached_property
    def largest(self) -> float:
        """The largest rate at which they pull any node."""
        switched = 0.0 if self.switches is None else self.switches.leak + float(self.switches.others.max())
        return float(self.per_current.max()) * (self.leak + switched + self.clamp * self.clamps)

    def _leaks(self, time: Array) -> Array | float:
        return self.leak if self.switches is None else self.leak + self.switches.leaks(time)
