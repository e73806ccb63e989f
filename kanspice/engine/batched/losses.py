"""What the nodes of periods lose by themselves: to ground through leaks and off switches, to the supply by clamps."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from kanspice.base.arrays import Array, namespace
from kanspice.engine.batched.array_devices import Processor
from kanspice.engine.batched.period_numbers import PeriodNumbers
from kanspice.engine.batched.switches import BankSwitches


class Losses:
    """Losses in units of a period: a line of the node's voltage, with a corner at the supply either side.

    So what an implicit step comes to, and what nodes do while no branch drives them, is known in closed form.
    """

    def __init__(self, numbers: PeriodNumbers, processor: Processor, switches: BankSwitches | None) -> None:
        self.per_current: Array = processor.array(numbers.per_current)
        self.switches = switches
        self.leak, self.clamps = numbers.leak, numbers.clamps
        self.supply, self.clamp = numbers.supply, numbers.clamp

    def slope(self, time: Array, state: Array) -> Array:
        """Change per time, (samples, nodes)."""
        lost: Array = self.leaks(time) * state
        if self.clamps:
            lost += self.clamp * (state - state.clip(-self.supply, self.supply))
        return -lost * self.per_current

    def settled(self, time: Array, state: Array, step: Array) -> Array:
        """What an implicit step from these states comes to, (samples, nodes)."""
        xp, weight = namespace(state), step[:, None] * self.per_current
        within = 1 + weight * self.leaks(time)
        settled: Array = state / within
        if not self.clamps:
            return settled
        clamped = weight * self.clamp
        beyond = (xp.abs(state) + clamped * self.supply) / (within + clamped)
        limited: Array = xp.where(xp.abs(settled) > self.supply, xp.sign(state) * beyond, settled)
        return limited

    def left_alone(self, time: Array, state: Array, lasts: Array, drift: Array) -> Array:
        """What states come to after so long, (samples,), with the leaks of this time: exact, however fast they are.

        drift: what else changes them per time, (samples, nodes). Each moves one way, which is taken for upwards, and so
        turns each corner once at most: first the one at the lower supply.
        """
        xp, leak = namespace(state), self.per_current * self.leaks(time)
        with np.errstate(all="ignore"):
            way = xp.where(self.slope(time, state) + drift < 0, -1.0, 1.0)
            state, drift, left = way * state, way * drift, lasts[:, None] + 0.0 * state
            if self.clamps:
                clamp = self.per_current * self.clamp
                held = clamp * self.supply
                state, left = risen(state, left, leak + clamp, drift - held, -self.supply)
                state, left = risen(state, left, leak, drift, self.supply)
                leak, drift = leak + clamp, drift + held
            end: Array = way * risen(state, left, leak, drift, math.inf)[0]
        return end

    def eased(self, error: Array, step: Array) -> Array:
        """All of it: whether a clamp pulls changes within a step."""
        return error

    @cached_property
    def largest(self) -> float:
        """The largest rate at which they pull any node."""
        switched = 0.0 if self.switches is None else self.switches.leak + float(self.switches.others.max())
        return float(self.per_current.max()) * (self.leak + switched + self.clamp * self.clamps)

    def leaks(self, time: Array) -> Array | float:
        """Conductances to ground, (samples, nodes) or one for all."""
        return self.leak if self.switches is None else self.leak + self.switches.leaks(time)


def risen(state: Array, left: Array, rate: Array, drive: Array, corner: float) -> tuple[Array, Array]:
    """States that follow x' = drive - rate x upwards for as long as is left, or to a corner; and what then is left.

    Those beyond the corner stay as they are.
    """
    xp, speed = namespace(state), drive - rate * state
    end = state + speed * xp.where(rate > 0, -xp.expm1(-rate * left) / rate, left)
    away = (corner - state) / speed
    takes = xp.where(rate > 0, -xp.log1p(-rate * away) / rate, away)
    after = xp.where(end > corner, (left - takes).clip(min=0), 0.0)
    there = state >= corner
    return xp.where(there, state, end.clip(max=corner)), xp.where(there, left, after)
