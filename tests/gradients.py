"""Gradients of a circuit against central differences of the engine that solves it."""

from __future__ import annotations

import numpy as np
import torch

GOOD = 3e-7
NOTHING = 1e-6
"""A derivative of outputs of about 1 by a relative change, below which differences are of roundings."""
STEPS = (1e-4, 1e-5, 1e-6, 1e-3, 1e-2)
"""Of what is changed, tried until one is good: large ones lose to curvature and corners, small ones to rounding."""


def error_of(circuit, inputs, *values, seed=0, scale=None, **use):
    """Relative error of the derivative along a random direction by some values, tensors that are changed together.

    The circuit's outputs are weighted at random. scale: how large a change is; as large as each value is if None. use:
    what of the circuit's other arguments the values are part of.
    """
    drawn = np.random.default_rng(1)
    inputs = inputs if isinstance(inputs, torch.Tensor) else torch.from_numpy(inputs)
    kept = [value.detach().clone() for value in values]
    sizes = [value.abs() if scale is None else scale for value in kept]
    ways = [
        torch.from_numpy(drawn.normal(size=tuple(value.shape))) * size for value, size in zip(kept, sizes, strict=True)
    ]
    for value in (*circuit.network.parameters(), *values):
        value.grad = None
    for value in values:
        value.requires_grad_(True)
    outputs = circuit(inputs, seed, **use)
    weights = torch.from_numpy(drawn.normal(size=tuple(outputs.shape)))
    if outputs.requires_grad:  # what nothing depends on has a derivative too, of zero
        torch.nansum(outputs * weights).backward()
    assert not circuit.folds.by_stage
    exact = sum(
        float((value.grad * way).sum()) for value, way in zip(values, ways, strict=True) if value.grad is not None
    )
    for value in values:
        value.requires_grad_(False)

    def loss(change):
        with torch.no_grad():
            for value, known, way in zip(values, kept, ways, strict=True):
                value.copy_(known + change * way)
            found = float(torch.nansum(circuit(inputs, seed, **use) * weights))
            for value, known in zip(values, kept, strict=True):
                value.copy_(known)
        return found

    errors = []
    for step in STEPS:
        wide, narrow = ((loss(h) - loss(-h)) / (2 * h) for h in (step, step / 2))
        extrapolated = (4 * narrow - wide) / 3
        size = max(abs(extrapolated), abs(exact), NOTHING)
        errors.append(abs(exact - extrapolated) / size)
        if errors[-1] < GOOD:
            break
    return min(errors)
