"""Branch functions of KirchhoffNet: the current g(v_s, v_d, theta) that a branch carries from its source s to d.

The names and the parameter rows are those of the authors' code; the equations are Eqs. 10-13 of the KirchhoffNet
paper, p0, p1, p2 the rows of theta. Voltages, currents and parameters are plain numbers in model units.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

import numpy as np
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.piecewise import Bends
from kanspice.base.validation import CheckedTable, similar, validate

_LEAK = 0.01
"""Slope of torch's leaky_relu below zero."""

ActivationName = Literal[
    "celu",
    "elu",
    "gelu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "logsigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
]
ACTIVATIONS: tuple[ActivationName, ...] = get_args(ActivationName)


class Branch(CheckedTable):
    """A branch function; its fields are the `args` that `config.yaml` gives it."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many parameters a branch has."""

    @property
    def stored_rows(self) -> int:
        """How many rows the authors' code stores; those beyond `rows` are not used."""
        return self.rows

    @property
    def name(self) -> str:
        return next(name for name, kind in BRANCHES.items() if type(self) is kind)

    @abstractmethod
    def current(self, v_source: Tensor, v_destination: Tensor, theta: Tensor) -> Tensor:
        """The currents (..., edges), from voltages (..., edges) at both ends and parameters theta (rows, edges)."""

    @property
    def is_piecewise(self) -> bool:
        """True where currents are piecewise linear in v_s - v_d."""
        return False

    def bends(self, theta: Array) -> Bends:
        """The currents as functions of v_s - v_d, for theta (rows, edges), of a branch that `is_piecewise`."""
        raise NotImplementedError(f"{self.name} is not piecewise linear in v_s - v_d")


class ShiftRelu1(Branch):
    """p1 relu(v_s - v_d - p0): Eq. 10, written with the shift and the slope apart."""

    @property
    def rows(self) -> int:
        return 2

    def current(self, v_source: Tensor, v_destination: Tensor, theta: Tensor) -> Tensor:
        return theta[1] * functional.relu(v_source - v_destination - theta[0])

    @property
    def is_piecewise(self) -> bool:
        return True

    def bends(self, theta: Array) -> Bends:
        none = np.zeros_like(theta[0])
        return Bends(theta[0], (none, none), (theta[1], -theta[1] * theta[0]))


class ShiftLeakyRelu1(Branch):
    """p1 leaky_relu(v_s - v_d - p0), slope 0.01 below the shift."""

    @property
    def rows(self) -> int:
        return 2

    def current(self, v_source: Tensor, v_destination: Tensor, theta: Tensor) -> Tensor:
        return theta[1] * functional.leaky_relu(v_source - v_destination - theta[0])

    @property
    def is_piecewise(self) -> bool:
        return True

    def bends(self, theta: Array) -> Bends:
        slope, offset = theta[1], -theta[1] * theta[0]
        return Bends(theta[0], (_LEAK * slope, _LEAK * offset), (slope, offset))


class ShiftRelu2(Branch):
    """relu(p0 v_s + p1 v_d + p2): Eq. 12."""

    @property
    def rows(self) -> int:
        return 3

    def current(self, v_source: Tensor, v_destination: Tensor, theta: Tensor) -> Tensor:
        return functional.relu(_affine(v_source, v_destination, theta))


class ShiftLeakyRelu2(Branch):
    """leaky_relu(p0 v_s + p1 v_d + p2), slope 0.01 below zero."""

    @property
    def rows(self) -> int:
        return 3

    def current(self, v_source: Tensor, v_destination: Tensor, theta: Tensor) -> Tensor:
        return functional.leaky_relu(_affine(v_source, v_destination, theta))


class ShiftTanh1(Branch):
    """tanh(p1 (v_s - v_d) + p0): Eq. 11. The authors' code stores a third row."""

    @property
    def rows(self) -> int:
        return 2

    @property
    def stored_rows(self) -> int:
        return 3

    def current(self, v_source: Tensor, v_destination: Tensor, theta: Tensor) -> Tensor:
        return functional.tanh(theta[1] * (v_source - v_destination) + theta[0])


class ShiftTanh2(Branch):
    """tanh(p0 v_s + p1 v_d + p2): Eq. 13."""

    @property
    def rows(self) -> int:
        return 3

    def current(self, v_source: Tensor, v_destination: Tensor, theta: Tensor) -> Tensor:
        return functional.tanh(_affine(v_source, v_destination, theta))


class Conductance(Branch):
    """p0 (v_s - v_d): Eq. 3. The authors' code stores a second and a third row."""

    @property
    def rows(self) -> int:
        return 1

    @property
    def stored_rows(self) -> int:
        return 3

    def current(self, v_source: Tensor, v_destination: Tensor, theta: Tensor) -> Tensor:
        return theta[0] * (v_source - v_destination)


class DeviceBranch(Branch):
    """An activation a of torch.nn.functional (none: the identity), with its default arguments.

    With negation a(p1 (v_s - v_d) + p0), as Eqs. 10 and 11; without it a(p0 v_s + p1 v_d + p2), as Eqs. 12 and 13.
    """

    negation: Annotated[bool, Field(strict=True)]
    activation: ActivationName | None

    @property
    def rows(self) -> int:
        return 2 if self.negation else 3

    def current(self, v_source: Tensor, v_destination: Tensor, theta: Tensor) -> Tensor:
        if self.negation:
            drive = theta[1] * (v_source - v_destination) + theta[0]
        else:
            drive = _affine(v_source, v_destination, theta)
        return drive if self.activation is None else _activation(self.activation)(drive)


BRANCHES: dict[str, type[Branch]] = {
    "ShiftRelu1": ShiftRelu1,
    "ShiftLeakyRelu1": ShiftLeakyRelu1,
    "ShiftRelu2": ShiftRelu2,
    "ShiftLeakyRelu2": ShiftLeakyRelu2,
    "ShiftTanh1": ShiftTanh1,
    "ShiftTanh2": ShiftTanh2,
    "Conductance": Conductance,
    "Device": DeviceBranch,
}
"""By the names that the authors' `config.yaml` has for them."""


def branch_function(name: str, args: Mapping[str, Any], where: str | Path) -> Branch:
    """The branch function of this name with these arguments. Raises InputError naming `where`."""
    if name not in BRANCHES:
        raise InputError(
            "unknown branch function",
            where=where,
            expected=f"one of {', '.join(BRANCHES)}",
            found=repr(name)[:80],
            hint=similar(name, BRANCHES),
        )
    return validate(BRANCHES[name], args, where)


def _affine(v_source: Tensor, v_destination: Tensor, theta: Tensor) -> Tensor:
    return theta[0] * v_source + theta[1] * v_destination + theta[2]


def _activation(name: ActivationName) -> Callable[[Tensor], Tensor]:
    return cast(Callable[[Tensor], Tensor], getattr(functional, name))
