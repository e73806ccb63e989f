"""A circuit of periods in torch's graph: what the engine found, and how it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kanspice.base.arrays import Array
from kanspice.base.traced import TracedArray, is_traced, plain, tensor_of
from kanspice.circuit import Design
from kanspice.engine.batched.adjoint.period_parts import gradients_by_number, gradients_of, numbers_of


@dataclass(frozen=True)
class _SolvedPeriods:
    """A circuit, and what arrived of samples that have a result; by the names of which numbers it is followed back."""

    design: Design
    inputs_v: Array
    late_s: Array
    names: tuple[str, ...]


class _Read(torch.autograd.Function):
    """What the periods' last stage gave, (samples, width) volts."""

    @staticmethod
    def forward(ctx: Any, solved: _SolvedPeriods, found_v: Tensor, *_parts: Tensor) -> Tensor:
        ctx.solved = solved
        return found_v

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        solved: _SolvedPeriods = ctx.solved
        gradient_v = {solved.design.last_of_circuit.name: np.ascontiguousarray(gradients[0].numpy())}
        found = gradients_of(solved.design, solved.inputs_v, solved.late_s, gradient_v)
        by_number = gradients_by_number(solved.design, found)
        parts = (found.inputs_v, found.late_s, *(by_number[name] for name in solved.names))
        return None, None, *(torch.from_numpy(np.array(part)) for part in parts)


def read_v(solved: Design, design: Design, inputs: Any, found_v: Array, numbers: Sequence[int] | None) -> TracedArray:
    """What leaves the circuit, (samples, width) volts, with a graph to all that is traced.

    solved: the circuit that was solved, for inputs (samples, inputs) that gave found_v, and design: the traced one.
    numbers: which samples these are.
    """
    inputs_v, late_s = design.inputs_v(inputs, numbers), design.read_late_s(len(inputs), numbers)
    traced_numbers = {name: value for name, value in numbers_of(design).items() if is_traced(value)}
    known = _SolvedPeriods(solved, plain(inputs_v), plain(late_s), tuple(traced_numbers))
    parts = [tensor_of(part) for part in (inputs_v, late_s, *traced_numbers.values())]
    found = torch.from_numpy(np.ascontiguousarray(found_v))
    return TracedArray(_Read.apply(known, found, *parts))  # type: ignore[no-untyped-call]
