"""What every network checks of the samples that it is given."""

from __future__ import annotations

import torch
from torch import Tensor

from kanspice.base.errors import InputError


def check_input(x: Tensor | object, width: int, where: str) -> Tensor:
    """x as float64, checked to be real and of shape (samples, width). float32 is widened, exactly.

    where: the method that was called, for the error. Raises InputError.
    """
    if not isinstance(x, Tensor):
        raise InputError(
            "the inputs are no torch tensor",
            where=where,
            expected="a tensor (samples, inputs)",
            found=type(x).__name__,
            hint="torch.from_numpy(x)",
        )
    if x.ndim != 2 or x.shape[1] != width:
        raise InputError(
            "the inputs do not fit the network",
            where=where,
            expected=f"shape (samples, {width})",
            found=f"shape {tuple(x.shape)}",
            hint="reshape one sample to (1, inputs)" if x.ndim == 1 else None,
        )
    if x.dtype not in (torch.float32, torch.float64):
        raise InputError(
            "the inputs are not real numbers in floating point",
            where=where,
            expected="float64 (float32 is widened)",
            found=str(x.dtype),
        )
    return x.to(torch.float64)
