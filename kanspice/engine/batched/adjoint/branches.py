"""How the currents of a period's branches change with the nodes' voltages and with the branches themselves."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit.branches import BranchArrays

NUMBERS = ("alpha", "beta", "gamma", "weight", "ratio", "level")
"""What `BranchArrays` has of each branch that currents depend on."""


class PulledBranches:
    """The branches of one period, followed back; those that carry nothing are among them, since they could.

    At a corner of a law a change counts as it would on one of both sides. A term that nothing limits has no derivative
    by its level: it counts 0.
    """

    def __init__(self, branches: BranchArrays) -> None:
        self.branches = branches
        self._way: _Compiled | _Activated = (
            _Activated(branches) if branches.shape == "activation" else _Compiled(branches)
        )

    def pulled_back(self, volts: Array, weights: Array, *, counts: bool = True) -> tuple[Array, Array]:
        """Currents into nodes, (samples, nodes), and how their sum with weights (samples, nodes) changes with voltages.

        volts: (samples, nodes). counts: whether what branches change it by counts in `sums`.
        """
        padded = np.zeros((2, len(volts), self.branches.nodes + 1))
        padded[0, :, 1:], padded[1, :, 1:] = volts, weights
        into, by_volts = self._way.pulled_back(padded[0], padded[1], counts=counts)
        return into[:, 1:].copy(), by_volts[:, 1:].copy()

    @property
    def sums(self) -> dict[str, Array]:
        """What was counted so far, by each of `NUMBERS`, (branches,)."""
        return self._way.counted()


class _Compiled:
    """In machine code: straight lines, rectifiers and tanh."""

    def __init__(self, branches: BranchArrays) -> None:
        from kanspice.engine.batched.adjoint.branch_loops import BranchSums, pairs_of  # noqa: PLC0415 - see `compiled`
        from kanspice.engine.batched.branch_currents import wiring_of  # noqa: PLC0415

        self.order = pairs_of(branches.first, branches.second)
        self.wiring = wiring_of(_taken(branches, self.order))
        self.sums = BranchSums(*np.zeros((len(NUMBERS), len(self.order))))

    def pulled_back(self, volts: Array, weights: Array, *, counts: bool) -> tuple[Array, Array]:
        from kanspice.engine.batched.adjoint.branch_loops import add_pulled_back  # noqa: PLC0415

        into, by_volts = np.zeros((2, *volts.shape))
        add_pulled_back(volts, weights, self.wiring, into, by_volts, self.sums, counts)
        return into, by_volts

    def counted(self) -> dict[str, Array]:
        counted = {name: np.empty(len(self.order)) for name in NUMBERS}
        for name, part in zip(NUMBERS, self.sums, strict=True):
            counted[name][self.order] = part
        return counted


class _Activated:
    """Of any activation, whose slope torch knows."""

    def __init__(self, branches: BranchArrays) -> None:
        self.branches = branches
        self.sums = {name: np.zeros(len(branches.weight)) for name in NUMBERS}

    def counted(self) -> dict[str, Array]:
        return self.sums

    def pulled_back(self, volts: Array, weights: Array, *, counts: bool) -> tuple[Array, Array]:
        branches = self.branches
        first, second = branches.first, branches.second
        first_v, second_v = volts[:, first], volts[:, second]
        shaped, slope = _activated(branches, branches.alpha * first_v + branches.beta * second_v + branches.gamma)
        into, by_volts = np.zeros((2, *volts.shape))
        current, counted = branches.weight * shaped, weights[:, second] - weights[:, first]
        by_drive = counted * branches.weight * slope
        for node, sign, factor in ((first, -1.0, branches.alpha), (second, 1.0, branches.beta)):
            np.add.at(into.T, node, sign * current.T)
            np.add.at(by_volts.T, node, (by_drive * factor).T)
        if counts:
            self.sums["weight"] += (counted * shaped).sum(axis=0)
            self.sums["gamma"] += by_drive.sum(axis=0)
            self.sums["alpha"] += (by_drive * first_v).sum(axis=0)
            self.sums["beta"] += (by_drive * second_v).sum(axis=0)
        return into, by_volts


def _activated(branches: BranchArrays, drive: Array) -> tuple[Array, Array]:
    """What an activation makes of drives, and its slope there."""
    import torch  # noqa: PLC0415 - torch takes a second to import

    with torch.inference_mode(False), torch.enable_grad():
        at: Any = torch.from_numpy(drive).requires_grad_()
        shaped: Any = branches.activation.function(at)
        (slope,) = torch.autograd.grad(shaped.sum(), at)
    return shaped.detach().numpy(), slope.numpy()


def _taken(branches: BranchArrays, order: Indices) -> BranchArrays:
    """The same branches in another order."""
    arrays = [each.name for each in fields(branches) if isinstance(getattr(branches, each.name), np.ndarray)]
    return replace(branches, **{name: getattr(branches, name)[order] for name in arrays})
