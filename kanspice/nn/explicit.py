"""Derivatives of stages that are formulas, for code that knows nothing of torch."""

from __future__ import annotations

import numpy as np
import torch

from kanspice.base.arrays import Array
from kanspice.base.traced import tensor_of, traced
from kanspice.circuit import Design, DifferentialPairs, Drivers, LayerNorm, Limiter, Rectifier

Explicit = Limiter | Rectifier | DifferentialPairs | Drivers | LayerNorm
"""Stages whose outputs are a formula of their inputs."""


def pulled_back(design: Design, stage: Explicit, rows_v: Array, gradients: Array) -> Array:
    """Gradients (samples, many, rows) by a stage's inputs rows_v (samples, rows), exact.

    gradients: (samples, many, width) by its outputs, of many things. No sample has a say in another's.
    """
    inputs = torch.from_numpy(np.ascontiguousarray(rows_v)).requires_grad_()
    with torch.enable_grad():
        outputs = tensor_of(stage.ideal_v(design, traced(inputs)))
    found = np.empty((*gradients.shape[:2], rows_v.shape[1]))
    for which in range(gradients.shape[1]):
        weights = torch.from_numpy(np.ascontiguousarray(gradients[:, which]))
        (by_inputs,) = torch.autograd.grad(outputs, inputs, weights, retain_graph=True)
        found[:, which] = by_inputs.numpy()
    return found
