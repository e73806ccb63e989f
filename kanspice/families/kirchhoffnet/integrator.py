"""Solving dv/dt = f(v) with torchdiffeq: the tolerances, and what happens when a solution cannot be followed."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torchdiffeq import odeint, odeint_adjoint

from kanspice.base.errors import InputError
from kanspice.families.common.network import DivergenceError, LateError

Method = Literal["dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun"]
METHODS: tuple[Method, ...] = get_args(Method)

LARGEST_VOLTAGE = 1e6
"""In model units: what goes beyond it is not coming back, and no circuit follows it."""


@dataclass(frozen=True)
class Integrator:
    """An adaptive method of torchdiffeq and its tolerances.

    A step is accepted when for every sample the root mean square of error / (atol + rtol |v|) over its node voltages
    is at most 1. max_steps: per stretch between two requested times.
    deadline: of `time.monotonic`.
    Raises InputError for an unknown method or tolerances that are not positive.
    """

    method: Method = "dopri5"
    rtol: float = 1e-8
    atol: float = 1e-8
    max_steps: int = 100_000
    deadline: float | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(
                "unknown integration method", expected=f"one of {', '.join(METHODS)}", found=repr(self.method)
            )
        for name, value in (("rtol", self.rtol), ("atol", self.atol), ("max_steps", self.max_steps)):
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} cannot be used", expected="a positive number", found=repr(value))

    def tighter(self, times: float) -> Integrator:
        """The same with tolerances that many times smaller."""
        return replace(self, rtol=self.rtol / times, atol=self.atol / times)

    def solve(self, derivative: nn.Module, start: Tensor, times: Tensor) -> Tensor:
        """The solution (times, *start.shape) at increasing times (times,), the first of them the start's.

        derivative: f(t, v), of v's shape. Where gradients are recorded, they come from the adjoint equation
        (Section II-A of the KirchhoffNet paper), solved with the same tolerances.
        Raises DivergenceError if the solution cannot be followed to the last time, LateError without time for it.
        """
        if start.numel() == 0:
            return start.expand(len(times), *start.shape)
        method = odeint_adjoint if torch.is_grad_enabled() else odeint
        options = {"max_num_steps": self.max_steps, "norm": _worst_sample}
        try:
            solution: Tensor = method(
                _Bounded(derivative, self.deadline),
                start,
                times,
                rtol=self.rtol,
                atol=self.atol,
                method=self.method,
                options=options,
            )
        except AssertionError as error:  # torchdiffeq's way to say that it gives up
            raise DivergenceError(
                "the node voltages cannot be followed: they diverge, or change too fast",
                expected=f"a solution that takes at most {self.max_steps:,} steps",
                found=(str(error).strip().splitlines() or ["no reason given"])[0][:120],
                hint="check the parameters; looser tolerances will not help a solution that grows without bound",
            ) from error
        return solution


class _Bounded(nn.Module):
    """A derivative that says so when there is no time left, or when a voltage leaves all bounds, long before those of
    numbers.
    """

    def __init__(self, derivative: nn.Module, deadline: float | None) -> None:
        super().__init__()
        self.derivative, self.deadline = derivative, deadline

    def forward(self, at: Tensor, voltages: Tensor) -> Tensor:
        if self.deadline is not None and time.monotonic() > self.deadline:
            hint = "raise --timeout, or pass fewer samples with --limit"
            raise LateError("there was no time left to follow the network's own voltages", where="--timeout", hint=hint)
        if not bool((voltages.detach().abs() <= LARGEST_VOLTAGE).all()):
            raise DivergenceError(
                "the node voltages cannot be followed: they diverge",
                expected=f"voltages of at most {LARGEST_VOLTAGE:g}",
                found=f"more at {float(at):.4g} of the period",
                hint="check the parameters, and whether the network was trained on inputs like this one",
            )
        derivative: Tensor = self.derivative(at, voltages)
        return derivative


def _worst_sample(values: Tensor) -> Tensor:
    """The largest root mean square of a sample: (samples, nodes) to a scalar."""
    return values.square().mean(dim=1).sqrt().max()
