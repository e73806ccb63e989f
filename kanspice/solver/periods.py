"""A design of periods: the node voltages of a block of samples, period by period."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kanspice.design import Design, OdePeriod, ReadOut, Switching
from kanspice.netlist.switching import capacitor_nodes
from kanspice.solution import FailedSample, Outcome, Waveform
from kanspice.solver.banks import Bank, bank_of
from kanspice.solver.block import Block
from kanspice.solver.integrator import KINKED, SMOOTH, Followed, Method, Tolerance, follow

Array = npt.NDArray[np.float64]

_SMOOTH_TOLERANCE = Tolerance(1e-9, 1e-10)
_KINKED_TOLERANCE = Tolerance(1e-7, 1e-8)
_TIGHTER = 10.0
_WAVEFORM_POINTS = 201
_MOST_ROUNDS = 100
_ROUNDING = 1e-13


class Periods:
    """A design's periods, ready for blocks of samples."""

    def __init__(self, design: Design) -> None:
        self.design = design
        capacitors = capacitor_nodes(design)
        self.periods = [
            _Period(design, period, [sum(node in nodes for nodes in capacitors) for node in own])
            for period, own in zip(design.periods, capacitors, strict=True)
        ]

    @property
    def block(self) -> int:
        """How many samples are followed at a time."""
        return min(period.bank.block for period in self.periods)

    @property
    def facts(self) -> Mapping[str, object]:
        """The error that a step may have."""
        first = self.periods[0]
        return {"relative_tolerance": first.tolerance.relative, "absolute_tolerance": first.tolerance.absolute}

    def solve(self, inputs_v: Array, *, tighter: bool = False, deadline: float | None = None) -> Block:
        """Voltages for inputs (samples, inputs) in volts; `tighter`: a tenth of the error in every step."""
        found, volts = Block(), inputs_v
        for stage, period in zip(self.design.periods, self.periods, strict=True):
            followed = period.follow(stage.start_v(volts) / stage.unit_v, tighter=tighter, deadline=deadline)
            for place in np.flatnonzero(followed.reached < period.points[-1]).tolist():
                found.failures.setdefault(place, _failure(stage, period, place, followed))
            volts = np.where(followed.reached[:, None] < period.points[-1], np.nan, followed.end * stage.unit_v)
            found.stage_v[stage.name] = volts
        last = self.design.stages[-1]
        if isinstance(last, ReadOut):
            found.stage_v[last.name] = volts[:, last.start : last.start + last.width]
        return found

    def waveforms(self, sample: int, input_v: Array) -> tuple[Waveform, ...]:
        """One sample's node voltages over time, for its inputs (inputs,) in volts."""
        kept, volts, starts_s = [], input_v[None, :], (0.0, *self.design.ends_s)
        for stage, period, start_s in zip(self.design.periods, self.periods, starts_s, strict=False):
            time, states = period.trace(stage.start_v(volts) / stage.unit_v)
            volts = states[-1:] * stage.unit_v
            kept.append(Waveform(sample, stage.name, start_s + time * period.unit_s, states * stage.unit_v))
        return tuple(kept)


def _failure(stage: OdePeriod, period: _Period, place: int, followed: Followed) -> FailedSample:
    if followed.late[place]:
        return FailedSample(place, Outcome.TIMED_OUT)
    came_s = max(float(followed.reached[place]), 0.0) * period.unit_s
    seen = f"{stage.name} came to {came_s:.4g} s of {stage.period_s:.4g} s: it explodes there, or is too stiff"
    return FailedSample(place, Outcome.DIVERGED, seen)


class _Period:
    """One period in units: of voltage, of current, and of C V_0 / I_0 for time."""

    def __init__(self, design: Design, period: OdePeriod, banks: list[int]) -> None:
        """banks: (nodes,) how many banks hang on each node's capacitor, its own included."""
        self.bank: Bank = bank_of(period, design.schematic)
        self.unit_s = period.capacitor_f * period.unit_v / period.current_unit_a
        self.method, self.tolerance = self._method()
        self.switching = None
        self.points: tuple[float, ...] = (0.0, period.period_s / self.unit_s)
        if design.switching is not None:
            unit_ohm = period.unit_v / period.current_unit_a
            self.switching = _Switches(design.switching, self.bank, period, unit_ohm, np.array(banks))
            rise, hold = design.switching.rise_s / self.unit_s, design.switching.hold_s / self.unit_s
            self.points = (0.0, rise, self.points[1], self.points[1] + rise, self.points[1] + rise + hold)

    def _method(self) -> tuple[Method, Tolerance]:
        smooth = self.bank.branches.is_smooth
        return (SMOOTH, _SMOOTH_TOLERANCE) if smooth else (KINKED, _KINKED_TOLERANCE)

    def follow(self, start: Array, *, tighter: bool, deadline: float | None) -> Followed:
        """States (samples, nodes) at the end; one stretch after the other, since clocks have corners."""
        tolerance = self.tolerance.tighter(_TIGHTER) if tighter else self.tolerance
        return self._through(self.points, start, tolerance, deadline)

    def trace(self, start: Array) -> tuple[Array, Array]:
        """Times (points,) and states (points, nodes) of one sample, (1, nodes) at the start."""
        times = np.union1d(np.linspace(0.0, self.points[-1], _WAVEFORM_POINTS), self.points)
        states = [start]
        for span in pairwise(times.tolist()):
            states.append(self._through(span, states[-1], self.tolerance, None).end)
        return times, np.concatenate(states)

    def _through(
        self, points: tuple[float, ...], start: Array, tolerance: Tolerance, deadline: float | None
    ) -> Followed:
        reached, late = np.full(len(start), points[0]), np.zeros(len(start), dtype=bool)
        end, going = start.copy(), np.asarray(np.isfinite(start).all(axis=1))
        for span in pairwise(points):
            alive = np.flatnonzero(going)
            part = follow(self._slope, end[alive], span, self.method, tolerance, deadline=deadline)
            end[alive], reached[alive], late[alive] = part.end, part.reached, part.late
            going[alive] = part.reached >= span[1]
        return Followed(end, reached, late)

    def _slope(self, time: Array, state: Array) -> Array:
        return self.bank.into_nodes(state) if self.switching is None else self.switching.slope(time, state)


class _Switches:
    """Switches between a period's nodes and its bank, and what all the banks that are off draw."""

    def __init__(
        self, switching: Switching, bank: Bank, period: OdePeriod, unit_ohm: float, banks: npt.NDArray[np.int64]
    ) -> None:
        unit_s = period.capacitor_f * unit_ohm
        self.bank, self.ohm, self.leak = bank, switching.on_ohm / unit_ohm, unit_ohm / switching.off_ohm
        self.others = self.leak * (banks - 1)
        self.rise, self.fall = switching.rise_s / unit_s, period.period_s / unit_s

    def slope(self, time: Array, state: Array) -> Array:
        """As of a switch that lets the clock's part of the bank's current through, and leaks with the rest."""
        falling = 1 - np.clip((time - self.fall) / self.rise, 0, 1)
        clock = np.minimum(np.clip(time / self.rise, 0, 1), falling)[:, None]
        leaks = (self.leak * (1 - clock) + self.others) * state
        return np.asarray(clock * self._into_nodes(state) - leaks)

    def _into_nodes(self, state: Array) -> Array:
        """Currents of a bank that sits at the nodes' voltages less what is lost in the switches.

        The bank's voltages solve q = v + ohm * into_nodes(q): found by putting q in again, which converges where the
        switches are better conductors than the branches. Samples for which it does not become NaN.
        """
        into = self.bank.into_nodes(state)
        if self.ohm == 0:
            return into
        for _ in range(_MOST_ROUNDS):
            before, into = into, self.bank.into_nodes(state + self.ohm * into)
            moved = np.abs(into - before).max(axis=1) * self.ohm
            left = moved > _ROUNDING * (1 + np.abs(state).max(axis=1))
            if not left.any():
                return into
        return np.where(left[:, None], np.nan, into)
