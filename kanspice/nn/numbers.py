"""Gradients by the standard normal numbers behind a specimen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from kanspice.base.arrays import Array
from kanspice.base.draws import GivenDraw
from kanspice.base.traced import traced
from kanspice.nn.module import CircuitModule


def gradients_by_numbers(
    circuit: CircuitModule, draw: GivenDraw, inputs: Array, weights: Array, samples: Sequence[int]
) -> dict[str, Array]:
    """Of weighed sums of a circuit's outputs, by every normal number that the draw gives: arrays (sums, ...) by name.

    inputs: (samples, inputs) in model units. weights: (samples, outputs, sums). samples: which they are, for what is
    drawn for each. Samples without a result count nothing.
    """
    leaves = {name: torch.tensor(values, requires_grad=True) for name, values in draw.normals.items()}
    given = GivenDraw(draw.seed, {name: traced(leaf) for name, leaf in leaves.items()}, draw.uniforms)
    outputs = circuit(torch.from_numpy(inputs), given, numbers=samples)
    known = torch.isfinite(outputs).all(dim=1)
    found: dict[str, list[Array]] = {name: [] for name in leaves}
    for place in range(weights.shape[2]):
        total = (torch.from_numpy(np.ascontiguousarray(weights[..., place]))[known] * outputs[known]).sum()
        parts = torch.autograd.grad(total, list(leaves.values()), retain_graph=True, allow_unused=True)
        for (name, leaf), part in zip(leaves.items(), parts, strict=True):
            found[name].append(np.zeros(leaf.shape) if part is None else part.numpy())
    return {name: np.stack(parts) for name, parts in found.items()}
