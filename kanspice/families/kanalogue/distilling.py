"""Training a network on what another one answers, without a device where there is none."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from kanspice.base.arrays import Array
from kanspice.families.common.training import fit
from kanspice.families.kanalogue.network import CrossbarLayer, KANalogue


def distil(model: KANalogue, inputs: Array, outputs: Array, epochs: int) -> None:
    """Trains the model in place on outputs (samples, outputs) for inputs (samples, inputs): so many steps of L-BFGS.

    Every step sees all samples and makes their mean squared error smaller, or is not made. Coefficients that are zero
    stay zero. Nothing is drawn: the same model and samples give the same numbers.
    """
    crossbars = [module for module in model.crossbars if isinstance(module, CrossbarLayer)]
    hooks = [
        crossbar.coeffs.register_hook(partial(_where, exists=crossbar.coeffs.detach() != 0))  # type: ignore[no-untyped-call]
        for crossbar in crossbars
    ]
    scale = float(outputs.var(axis=0).mean() ** 0.5) or 1.0
    _scale(crossbars[-1], 1 / scale)
    fit(model, torch.from_numpy(inputs), torch.from_numpy(outputs / scale), adam_steps=0, lbfgs_steps=epochs)
    _scale(crossbars[-1], scale)
    for hook in hooks:
        hook.remove()


def _scale(crossbar: CrossbarLayer, by: float) -> None:
    """Outputs of another size: what training takes for the end depends on the size of the error."""
    with torch.no_grad():
        crossbar.coeffs.mul_(by)
        crossbar.bias.mul_(by)


def _where(gradient: Tensor, exists: Tensor) -> Tensor:
    return gradient * exists
