"""The functions that an edge may be fixed to by name: a closed table, of pykan 0.2's library of symbols."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "x": lambda x: x,
    "x^2": lambda x: x**2,
    "x^3": lambda x: x**3,
    "x^4": lambda x: x**4,
    "x^5": lambda x: x**5,
    "1/x": lambda x: 1 / x,
    "1/x^2": lambda x: 1 / x**2,
    "1/x^3": lambda x: 1 / x**3,
    "1/x^4": lambda x: 1 / x**4,
    "1/x^5": lambda x: 1 / x**5,
    "sqrt": torch.sqrt,
    "x^0.5": torch.sqrt,
    "x^1.5": lambda x: torch.sqrt(x) ** 3,
    "1/sqrt(x)": torch.rsqrt,
    "1/x^0.5": torch.rsqrt,
    "exp": torch.exp,
    "log": torch.log,
    "abs": torch.abs,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "tanh": torch.tanh,
    "sgn": torch.sign,
    "arcsin": torch.arcsin,
    "arccos": torch.arccos,
    "arctan": torch.arctan,
    "arctanh": torch.arctanh,
    "0": torch.zeros_like,
    "gaussian": lambda x: torch.exp(-(x**2)),
}
