"""Training a network on all its samples at once: Adam to come near, then L-BFGS to get there."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from kanspice.base.errors import InputError
from kanspice.families.common.network import Network

_MEMORY = 30  # of L-BFGS: steps whose curvature it remembers


def fit(
    model: Network,
    inputs: Tensor,
    targets: Tensor,
    *,
    adam_steps: int = 1000,
    learning_rate: float = 0.01,
    lbfgs_steps: int = 500,
    penalty: Callable[[], Tensor] | None = None,
) -> float:
    """Fit the model in place to targets (samples, outputs); the mean squared error that it ends with.

    Nothing is drawn: the same model and samples give the same result. The learning rate is Adam's first, which falls
    to zero as a cosine. penalty: what is added to the error in training. Leaves the model in eval mode.
    Raises InputError if training diverges, and as the model does for inputs that do not fit.
    """
    model.train()
    adam = torch.optim.Adam(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, max(adam_steps, 1))
    lbfgs = torch.optim.LBFGS(
        model.parameters(), max_iter=lbfgs_steps, history_size=_MEMORY, line_search_fn="strong_wolfe"
    )

    def gradient() -> Tensor:
        model.zero_grad()
        error = mse_loss(model(inputs), targets)
        loss = error if penalty is None else error + penalty()
        if not math.isfinite(loss.item()):
            raise InputError("the training diverged", found=f"an error of {loss.item()}", hint="a lower learning rate")
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    for _ in range(adam_steps):
        gradient()
        adam.step()
        schedule.step()
    if lbfgs_steps:
        lbfgs.step(gradient)  # type: ignore[no-untyped-call]
    model.eval()
    with torch.no_grad():
        return mse_loss(model(inputs), targets).item()
