"""A projector: the linear layer that takes what a KirchhoffNet's nodes give, on a computer and outside the circuit.

The authors' `mlp_<a>_<b>` is one `Linear(a, b)`, without an activation: `y = W v + c` for the voltages v read out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from kanspice.base.errors import InputError

_NAME = re.compile(r"mlp_([0-9]{1,9})_([0-9]{1,9})")
_Part = Literal["weight", "bias"]
_PARTS: tuple[_Part, ...] = ("weight", "bias")


def projector_widths(name: str | None) -> tuple[int, int] | None:
    """How many voltages an `mlp_<a>_<b>` takes and how many outputs it has; None for any other name."""
    match = None if name is None else _NAME.fullmatch(name)
    return None if match is None else (int(match[1]), int(match[2]))


def projector_shapes(widths: tuple[int, int], prefix: str) -> dict[str, tuple[int, ...]]:
    """The shapes of its tensors in a state dict where their names begin with `prefix`."""
    taken, outputs = widths
    return {f"{prefix}weight": (outputs, taken), f"{prefix}bias": (outputs,)}


def projector_in(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Its tensors out of such a state dict, by the names that `projector_of` takes."""
    return {part: state[f"{prefix}{part}"] for part in _PARTS}


def check_projector(widths: tuple[int, int], read_out: int) -> None:
    """Raises InputError unless it takes all voltages that are read out, and has outputs."""
    taken, outputs = widths
    if taken != read_out or outputs < 1:
        raise InputError(
            "the projector does not fit the read-out",
            expected=f"a layer that takes {read_out} voltages and gives 1 output or more",
            found=f"one that takes {taken} and gives {outputs}",
        )


def projector_of(parameters: Mapping[str, Tensor], read_out: int) -> nn.Linear:
    """The layer in float64: weight (outputs, read_out) and bias (outputs,). Raises InputError for other shapes."""
    weight, bias = (parameters[part] for part in _PARTS)
    if weight.ndim != 2 or tuple(bias.shape) != (len(weight),):
        raise InputError(
            "the projector's parameters cannot be used",
            expected="weight (outputs, voltages) and bias (outputs,)",
            found=f"{tuple(weight.shape)} and {tuple(bias.shape)}",
        )
    outputs, taken = weight.shape
    check_projector((taken, outputs), read_out)
    layer = nn.Linear(taken, outputs, dtype=torch.float64)
    layer.weight.data.copy_(weight)
    layer.bias.data.copy_(bias)
    return layer
