"""Gradients by numbers of a technology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.nn.module import CircuitModule


def squared_error_by_keys(  # noqa: PLR0917 - a circuit, its samples, and by what
    circuit: CircuitModule,
    draw: Draw,
    inputs: Array,
    expected: Array,
    keys: Mapping[str, float],
    samples: Sequence[int],
) -> tuple[float, dict[str, float]]:
    """The mean squared error of a specimen's outputs, and its derivatives by keys, `section.key`.

    inputs: (samples, inputs), expected: (samples, outputs), in model units. samples: which they are, for what is drawn
    for each. Samples without a result are left out; without any the error is 0.
    """
    values = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in keys.items()}
    outputs = circuit(torch.from_numpy(inputs), draw, keys=values, numbers=samples)
    known = torch.isfinite(outputs).all(dim=1)
    if not known.any() or not outputs.requires_grad:
        return 0.0, dict.fromkeys(keys, 0.0)
    square = (outputs - torch.from_numpy(expected))[known].square().mean()
    found = torch.autograd.grad(square, list(values.values()), allow_unused=True)
    return square.item(), {
        name: 0.0 if slope is None else slope.item() for name, slope in zip(keys, found, strict=True)
    }
