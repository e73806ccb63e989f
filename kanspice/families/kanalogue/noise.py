"""Perturbation of the coefficients of a KANalogue network, as its papers train and test with it.

Four kinds, for a coefficient Theta and a scale s (i, j, k run over inputs, outputs and device types):

- "additive":  Theta + e,       e ~ N(0, s^2)      first KANalogue paper, Eq. 3; s in units of Theta
- "gaussian":  Theta (1 + e),   e ~ N(0, s^2)      multiplicative; s is a fraction of Theta
- "uniform":   Theta (1 + e),   e ~ U(-s, s)       multiplicative; s is a fraction of Theta
- "binary":    Theta (1 + e),   e = +s or -s, each with probability 1/2    second paper, Eq. 6; s is its delta
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from kanspice.base.errors import InputError

NoiseKind = Literal["additive", "gaussian", "uniform", "binary"]
NOISE_KINDS: tuple[NoiseKind, ...] = get_args(NoiseKind)


@dataclass(frozen=True)
class CoefficientNoise:
    """How the coefficients of every layer are perturbed, and when.

    kind: one of NOISE_KINDS; the equations are in the module's description.
    scale: not negative; in units of the coefficients for "additive", a fraction of them otherwise.
    training, evaluation: whether noise acts in `model.train()` and in `model.eval()` mode.
    seed: names the draw. In training every forward pass continues one sequence of draws that starts at the
        seed; in evaluation the seed names one fixed realisation (one manufactured circuit), so that the same
        input always gives the same output.

    Raises InputError for an unknown kind or a scale that is negative or not finite.
    """

    kind: NoiseKind
    scale: float
    training: bool
    evaluation: bool
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in NOISE_KINDS:
            raise InputError(
                "unknown kind of coefficient noise", expected=f"one of {', '.join(NOISE_KINDS)}", found=repr(self.kind)
            )
        if not (math.isfinite(self.scale) and self.scale >= 0):
            raise InputError(
                "the scale of the coefficient noise cannot be used",
                expected="a finite number that is not negative",
                found=repr(self.scale),
            )

    def generator(self) -> torch.Generator:
        """A generator at the start of the sequence of draws that the seed names."""
        return torch.Generator().manual_seed(self.seed)

    def perturb(self, coefficients: Tensor, generator: torch.Generator) -> Tensor:
        """One perturbed copy of the coefficients, of the same shape; gradients flow to the unperturbed ones."""
        if self.kind == "additive":
            return coefficients + self.scale * _normal(coefficients, generator)
        return coefficients * (1 + self.scale * _relative(self.kind, coefficients, generator))


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, dtype=like.dtype)


def _relative(kind: NoiseKind, like: Tensor, generator: torch.Generator) -> Tensor:
    """Relative deviations at scale 1, of the shape of `like`."""
    if kind == "gaussian":
        return _normal(like, generator)
    if kind == "uniform":
        return 2 * torch.rand(like.shape, generator=generator, dtype=like.dtype) - 1
    return 2 * torch.randint(2, like.shape, generator=generator).to(like.dtype) - 1
