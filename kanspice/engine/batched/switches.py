"""Switches between the nodes of a period and its bank of branches, and their clock."""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array, namespace
from kanspice.engine.batched.branch_banks import Bank
from kanspice.engine.batched.period_numbers import SwitchNumbers

_MOST_ROUNDS = 100
_ROUNDING = 1e-13


class BankSwitches:
    """Switches between a period's nodes and its bank, and what all the banks that are off draw."""

    def __init__(self, numbers: SwitchNumbers, bank: Bank) -> None:
        self.numbers, self.bank = numbers, bank
        self.ohm, self.leak = numbers.ohm, numbers.off_leak
        self.on, self.off, self.rise = numbers.on, numbers.off, numbers.rise
        self.others = bank.processor.array(numbers.others)
        self.peak = bank.processor.array(numbers.peak) if numbers.peak.any() else None

    def passed(self, time: Array, into: Array) -> Array:
        """The clock's part of a bank's currents into nodes, and the charge that is pushed out while the clock falls."""
        currents: Array = self.clock(time) * into
        if self.peak is not None:
            fallen = ((time - self.off) / self.rise).clip(0, 1)
            currents += (1 - namespace(time).abs(2 * fallen - 1))[:, None] * self.peak
        return currents

    def leaks(self, time: Array) -> Array:
        """(samples, nodes) conductances to ground of the switches that are off, this bank's as far as it is."""
        leaks: Array = self.leak * (1 - self.clock(time)) + self.others
        return leaks

    def clock(self, time: Array) -> Array:
        """(samples, 1) which part of the current it lets through."""
        falling = 1 - ((time - self.off) / self.rise).clip(0, 1)
        rising = ((time - self.on) / self.rise).clip(0, 1)
        clock: Array = namespace(time).minimum(rising, falling)[:, None]
        return clock

    def carried(self, state: Array, known: Array | float = 0.0, part: Array | float = 1.0) -> Array:
        """Currents into nodes, known + part * law(q), of a bank at the nodes' voltages less what is lost in switches.

        The bank's voltages q are v + ohm * currents: found by putting them in again, which converges where the switches
        are better conductors than the branches. Samples for which it does not become NaN.
        """
        into: Array = known + part * self.bank.into_nodes(state)
        if self.ohm == 0:
            return into
        xp = namespace(state)
        allowed = _ROUNDING * (1 + xp.max(xp.abs(state), axis=1))
        left = allowed > 0
        for _ in range(_MOST_ROUNDS):
            found = known + part * self.bank.into_nodes(state + self.ohm * into)
            moved = xp.max(xp.abs(found - into), axis=1) * self.ohm
            into = xp.where(left[:, None], found, into)
            left = left & (moved > allowed)
            if not left.any():
                break
        stopped: Array = xp.where(left[:, None], np.nan, into)
        return stopped
