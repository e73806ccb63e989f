"""How fast the states of a period's nodes change, and which part of that is taken implicitly; all in units.

Where branches follow their laws at once the states are the nodes' voltages. Where each follows through one pole, the
same for all of them, what matters to a node is the sum of its branches' currents, and that sum follows the sum of the
laws through the same pole: one more state for every node, and exact.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from kanspice.base.arrays import Array, namespace
from kanspice.engine.batched.branch_banks import Bank
from kanspice.engine.batched.integrator import Pull
from kanspice.engine.batched.losses import Losses

_STIFF = 300.0
"""What a period's duration in time constants, of its nodes' losses or its branches' pole, is at most for explicit
steps."""


class Motion(ABC):
    """states_per_node: how many there are. pull: what is taken implicitly; None where all is explicit."""

    states_per_node: int
    pull: Pull | None

    @abstractmethod
    def begun(self, volts: Array) -> Array:
        """States (samples, states) when the bank is switched on at voltages (samples, nodes); NumPy's."""

    @abstractmethod
    def slope(self, time: Array, state: Array) -> Array:
        """Change per time of states (samples, states), without the pull."""


class Prompt(Motion):
    """Branches follow their laws at once."""

    states_per_node = 1

    def __init__(self, bank: Bank, losses: Losses, lasts: float) -> None:
        self.bank, self.losses = bank, losses
        self.pull = losses if losses.largest * lasts > _STIFF else None

    def begun(self, volts: Array) -> Array:
        return volts

    def slope(self, time: Array, state: Array) -> Array:
        switches = self.losses.switches
        into = self.bank.into_nodes(state) if switches is None else switches.passed(time, switches.carried(state))
        into *= self.losses.per_current
        return into if self.pull is not None or self.losses.largest == 0 else into + self.losses.slope(time, state)


class Lagging(Motion):
    """Branches follow their laws through a pole: voltages first, then what flows into each node, 0 at the beginning."""

    states_per_node = 2

    def __init__(self, bank: Bank, losses: Losses, lasts: float, lag: float) -> None:
        """lag: the pole's time constant."""
        self.losses, self.poles = losses, _Poles(bank, losses, lag)
        self.pull = self.poles if max(losses.largest, 1 / lag) * lasts > _STIFF else None

    def begun(self, volts: Array) -> Array:
        return np.concatenate([volts, np.zeros_like(volts)], axis=1)

    def slope(self, time: Array, state: Array) -> Array:
        xp, (_, into) = namespace(state), _halves(state)
        switches = self.losses.switches
        moved = (into if switches is None else switches.passed(time, into)) * self.losses.per_current
        change: Array = xp.concat([moved, xp.zeros_like(moved)], axis=1)
        return change if self.pull is not None else change + self.poles.slope(time, state)


class _Poles:
    """What nodes lose, and what the pole makes of their branches: known in closed form one after the other."""

    def __init__(self, bank: Bank, losses: Losses, lag: float) -> None:
        self.bank, self.losses, self.rate = bank, losses, 1 / lag

    def slope(self, time: Array, state: Array) -> Array:
        xp, (volts, into) = namespace(state), _halves(state)
        switches = self.losses.switches
        law = self.bank.into_nodes(volts if switches is None else volts + switches.ohm * into)
        lost = self.losses.slope(time, volts) if self.losses.largest else xp.zeros_like(volts)
        change: Array = xp.concat([lost, self.rate * (law - into)], axis=1)
        return change

    def settled(self, time: Array, state: Array, step: Array) -> Array:
        xp, (volts, into) = namespace(state), _halves(state)
        if self.losses.largest:
            volts = self.losses.settled(time, volts, step)
        within = 1 + self.rate * step[:, None]
        known, part = into / within, 1 - 1 / within
        switches = self.losses.switches
        into = known + part * self.bank.into_nodes(volts) if switches is None else switches.carried(volts, known, part)
        settled: Array = xp.concat([volts, into], axis=1)
        return settled

    def eased(self, error: Array, step: Array) -> Array:
        xp, (volts, into) = namespace(error), _halves(error)
        eased: Array = xp.concat([volts, into / (1 + self.rate * step[:, None])], axis=1)
        return eased


def _halves(state: Array) -> tuple[Array, Array]:
    nodes = state.shape[1] // 2
    return state[:, :nodes], state[:, nodes:]
