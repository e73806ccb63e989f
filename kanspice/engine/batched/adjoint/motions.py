"""How fast the states of a period's nodes change, followed back: the counterpart of `period_ode`, term by term.

Of a function f of state, time and numbers, and weights of what it gives, each `..._back` adds to the period's sums what
the weighted sum changes by with its numbers, and returns what it changes by with the state and with the time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.batched.adjoint.branches import PulledBranches
from kanspice.engine.batched.adjoint.period_sums import PeriodSums
from kanspice.engine.batched.losses import Losses
from kanspice.engine.batched.period_ode import Lagging, Motion, Prompt
from kanspice.engine.batched.switches import BankSwitches

_MOST_ROUNDS = 200
_ROUNDING = 1e-14


@dataclass(frozen=True)
class ClockPiece:
    """Which way a clock goes between two of its corners, and with it what it lets through, and pushes out.

    rising, falling: 1 where that edge is on its way, else 0. pushing: what the part of the charge's current changes by
    per part of the falling edge: 2, then -2.
    """

    rising: float = 0.0
    falling: float = 0.0
    pushing: float = 0.0

    @classmethod
    def between(cls, switches: BankSwitches, begin: float, end: float) -> ClockPiece:
        """Of a stretch between two points."""
        middle = (begin + end) / 2
        risen, fallen = (middle - switches.on) / switches.rise, (middle - switches.off) / switches.rise
        if 0 < fallen < 1:
            return cls(falling=1.0, pushing=2.0 if fallen < 1 / 2 else -2.0)
        return cls(rising=1.0) if 0 < risen < 1 else cls()


class SwitchesBack:
    """Switches and clock in one stretch."""

    def __init__(self, switches: BankSwitches, branches: PulledBranches, sums: PeriodSums, piece: ClockPiece) -> None:
        self.switches, self.branches, self.sums, self.piece = switches, branches, sums, piece

    def passed_back(self, time: Array, into: Array, weights: Array) -> tuple[Array, Array, Array]:
        """Of `BankSwitches.passed`: what it gives, and what changes with its argument `into` and with time."""
        pushed, clock = self._pushed(time), self.switches.clock(time)
        self.sums.peak += (pushed[:, None] * weights).sum(axis=0)
        by_time = self.clock_back(
            time, (weights * into).sum(axis=1), (weights * self.switches.numbers.peak).sum(axis=1)
        )
        return self.switches.passed(time, into), clock * weights, by_time

    def clock_back(self, time: Array, by_clock: Array, by_pushed: Array | float = 0.0) -> Array:
        """What changes with time, (samples,), where by_clock and by_pushed do with what the clock lets through."""
        piece, sums, rise = self.piece, self.sums, self.switches.rise
        up, down = by_clock * piece.rising / rise, (by_pushed * piece.pushing - by_clock * piece.falling) / rise
        sums.on -= float(np.sum(up))
        sums.off -= float(np.sum(down))
        sums.rise -= float(np.sum(up * (time - self.switches.on) + down * (time - self.switches.off))) / rise
        return up + down

    def carried_back(self, state: Array, into: Array, weights: Array, part: Array | float = 1.0) -> tuple[Array, Array]:
        """Of `BankSwitches.carried`, which gave `into`: what changes with the state, and weights of `known`.

        Linear equations in the weights, solved as the engine solves those for currents: by putting them in again.
        """
        ohm, volts = self.switches.ohm, state
        counted = weights
        if ohm:
            volts = state + ohm * into
            allowed = _ROUNDING * np.abs(weights).max(initial=0.0)
            for _ in range(_MOST_ROUNDS):
                found = weights + ohm * self.branches.pulled_back(volts, part * counted, counts=False)[1]
                moved, counted = float(np.abs(found - counted).max(initial=0.0)), found
                if moved <= allowed:
                    break
        _, by_state = self.branches.pulled_back(volts, part * counted)
        self.sums.ohm += float((by_state * into).sum())
        return by_state, counted

    def _pushed(self, time: Array) -> Array:
        fallen = ((time - self.switches.off) / self.switches.rise).clip(0, 1)
        return np.asarray(1 - np.abs(2 * fallen - 1))


class LossesBack:
    """What nodes lose, in one stretch."""

    def __init__(self, losses: Losses, sums: PeriodSums, switches: SwitchesBack | None) -> None:
        self.losses, self.sums, self.switches = losses, sums, switches

    def slope_back(self, time: Array, state: Array, weights: Array) -> tuple[Array, Array]:
        """Of `Losses.slope`."""
        losses, sums = self.losses, self.sums
        lost = -weights * losses.per_current
        sums.per_current += (weights * losses.slope(time, state)).sum(axis=0) / losses.per_current
        by_leak = lost * state
        sums.leak += float(by_leak.sum())
        by_time = np.zeros(len(state))
        if self.switches is not None:
            known, off = self.switches.switches, 1 - self.switches.switches.clock(time)
            sums.off_leak += float((by_leak * off).sum())
            sums.others += by_leak.sum(axis=0)
            by_time = self.switches.clock_back(time, -known.leak * by_leak.sum(axis=1))
        if losses.clamps:
            sums.clamp += float((lost * (state - state.clip(-losses.supply, losses.supply))).sum())
            sums.supply -= losses.clamp * float((lost * np.sign(state) * self._beyond(state)).sum())
        return lost * self._siemens(time, state), by_time

    def settled_back(self, time: Array, settled: Array, step: Array, weights: Array) -> Array:
        """Weights of the equations that `Losses.settled` solves, where `weights` are those of its solution."""
        return np.asarray(weights / (1 + step[:, None] * self.losses.per_current * self._siemens(time, settled)))

    def _beyond(self, state: Array) -> Array:
        return (np.abs(state) > self.losses.supply).astype(np.float64)

    def _siemens(self, time: Array, state: Array) -> Array:
        """(samples, nodes) what is lost per voltage, there."""
        leaks = self.losses.leaks(time) + np.zeros_like(state)
        return leaks + self.losses.clamp * self._beyond(state) if self.losses.clamps else leaks


class MotionBack(ABC):
    """A `Motion` in one stretch."""

    def __init__(
        self, motion: Motion, losses: Losses, branches: PulledBranches, sums: PeriodSums, piece: ClockPiece
    ) -> None:
        self.motion, self.losses, self.branches, self.sums = motion, losses, branches, sums
        switches = losses.switches
        self.switches = None if switches is None else SwitchesBack(switches, branches, sums, piece)
        self.lost = LossesBack(losses, sums, self.switches)

    @abstractmethod
    def slope_back(self, time: Array, state: Array, weights: Array) -> tuple[Array, Array]:
        """Of the slope without the pull: what changes with the state, and with time."""

    @abstractmethod
    def pull_back(self, time: Array, state: Array, weights: Array) -> tuple[Array, Array]:
        """The same of the pull's slope."""

    @abstractmethod
    def settled_back(self, time: Array, settled: Array, step: Array, weights: Array) -> Array:
        """With x = known + step * pull(x): the weights of what is known, where `weights` are those of x."""

    def _moved_back(self, time: Array, into: Array, weights: Array) -> tuple[Array, Array]:
        """Of what currents into nodes change them by, through the switches: with the currents, and with time."""
        carried = weights * self.losses.per_current
        if self.switches is None:
            self.sums.per_current += (weights * into).sum(axis=0)
            return carried, np.zeros(len(into))
        passed, by_into, by_time = self.switches.passed_back(time, into, carried)
        self.sums.per_current += (weights * passed).sum(axis=0)
        return by_into, by_time


class PromptBack(MotionBack):
    """Branches follow their laws at once."""

    def slope_back(self, time: Array, state: Array, weights: Array) -> tuple[Array, Array]:
        if self.switches is None:
            into, by_state = self.branches.pulled_back(state, weights * self.losses.per_current)
            self.sums.per_current += (weights * into).sum(axis=0)
            by_time = np.zeros(len(state))
        else:
            into = self.switches.switches.carried(state)
            by_into, by_time = self._moved_back(time, into, weights)
            by_state, _ = self.switches.carried_back(state, into, by_into)
        if self.motion.pull is None and self.losses.largest != 0:
            more, later = self.lost.slope_back(time, state, weights)
            by_state, by_time = by_state + more, by_time + later
        return by_state, by_time

    def pull_back(self, time: Array, state: Array, weights: Array) -> tuple[Array, Array]:
        return self.lost.slope_back(time, state, weights)

    def settled_back(self, time: Array, settled: Array, step: Array, weights: Array) -> Array:
        return self.lost.settled_back(time, settled, step, weights)


class LaggingBack(MotionBack):
    """Branches follow their laws through a pole: voltages, then what flows into each node."""

    def __init__(self, motion: Lagging, branches: PulledBranches, sums: PeriodSums, piece: ClockPiece) -> None:
        super().__init__(motion, motion.losses, branches, sums, piece)
        self.rate = motion.poles.rate

    def slope_back(self, time: Array, state: Array, weights: Array) -> tuple[Array, Array]:
        nodes = state.shape[1] // 2
        by_into, by_time = self._moved_back(time, state[:, nodes:], weights[:, :nodes])
        by_state = np.concatenate([np.zeros_like(by_into), by_into], axis=1)
        if self.motion.pull is None:
            more, later = self.pull_back(time, state, weights)
            by_state, by_time = by_state + more, by_time + later
        return by_state, by_time

    def pull_back(self, time: Array, state: Array, weights: Array) -> tuple[Array, Array]:
        (volts, into), (by_lost, by_followed) = (np.split(part, 2, axis=1) for part in (state, weights))
        law, by_seen = self.branches.pulled_back(self._seen(volts, into), self.rate * by_followed)
        by_into = -self.rate * by_followed + self._ohm * by_seen
        self.sums.rate += float((by_followed * (law - into)).sum())
        self.sums.ohm += float((by_seen * into).sum())
        by_volts, by_time = by_seen, np.zeros(len(state))
        if self.losses.largest:
            more, by_time = self.lost.slope_back(time, volts, by_lost)
            by_volts = by_volts + more
        return np.concatenate([by_volts, by_into], axis=1), by_time

    def settled_back(self, time: Array, settled: Array, step: Array, weights: Array) -> Array:
        """The currents first, which see the voltages that they settle to; then these."""
        (volts, into), (of_volts, of_into) = (np.split(part, 2, axis=1) for part in (settled, weights))
        eased = self.rate * step[:, None]
        counted, seen = of_into / (1 + eased), self._seen(volts, into)
        by_seen = self.branches.pulled_back(seen, eased * counted, counts=False)[1]
        if self._ohm:
            allowed = _ROUNDING * np.abs(counted).max(initial=0.0)
            for _ in range(_MOST_ROUNDS):
                found = (of_into + self._ohm * by_seen) / (1 + eased)
                moved, counted = float(np.abs(found - counted).max(initial=0.0)), found
                by_seen = self.branches.pulled_back(seen, eased * counted, counts=False)[1]
                if moved <= allowed:
                    break
        of_volts = of_volts + by_seen
        if self.losses.largest:
            of_volts = self.lost.settled_back(time, volts, step, of_volts)
        return np.concatenate([of_volts, counted], axis=1)

    @property
    def _ohm(self) -> float:
        return 0.0 if self.losses.switches is None else self.losses.switches.ohm

    def _seen(self, volts: Array, into: Array) -> Array:
        return volts + self._ohm * into if self._ohm else volts


def motion_back(motion: Motion, branches: PulledBranches, sums: PeriodSums, piece: ClockPiece) -> MotionBack:
    """The counterpart of a motion. Raises TypeError for one that has none."""
    match motion:
        case Prompt():
            return PromptBack(motion, motion.losses, branches, sums, piece)
        case Lagging():
            return LaggingBack(motion, branches, sums, piece)
        case _:
            raise TypeError(f"no derivative of {type(motion).__name__} is known here")
