"""Memdiode synapses: what voltage U each of the three circuits answers a voltage V with, solved exactly.

"Low-power analogue neural networks with trainable nonlinear connections for continuous control" (MemKAN). A memdiode
of series resistance R_s and load R_l (and, in BP, a resistor R from the input) carries the current I:

    LP: U = R_l I,                I = I_0 exp(alpha ((V_ref - V) - U - I R_s))
    HP: U = R_l I,                I = I_0 exp(alpha ((V - U) - I R_s))
    BP: U = R_l ((V - U)/R - I),  I = I_0 exp(alpha ((U + V) - I R_s))

Without U each is I = I_0 exp(alpha (drive - loop I)), with a drive that is affine in V and the resistance `loop` seen
by the current. Hence w = alpha loop I is the Wright omega function: w + ln w = ln(alpha loop I_0) + alpha drive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.special import wrightomega
from torch import Tensor

SynapseKind = Literal["LP", "BP", "HP"]
KINDS: tuple[SynapseKind, ...] = get_args(SynapseKind)

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Range = Annotated[tuple[_Positive, _Positive], Field(strict=False)]


class SynapseConstants(BaseModel):
    """What the synapses of a MemKAN have in common: voltages in volts, and the ranges that parameters are trained in.

    The ranges span those that the authors drew parameters from and those of their single circuits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    reference_v: _Number = 0.5
    """V_ref of LP synapses."""
    low_v: _Number = 0.0
    """Inputs of every layer are limited to low_v..high_v."""
    high_v: _Number = 0.5
    """The upper limit."""
    input_offset_v: _Number = 0.25
    """The voltage that an input of 0 becomes."""
    input_v_per_unit: _Positive = 0.25
    """The voltage that one unit of input adds: by default -1..1 covers the range."""
    load_ohm: _Range = (1.0, 1000.0)
    """Range of R_l."""
    divider_ohm: _Range = (1.0, 300.0)
    """Range of R, which only BP synapses have."""
    series_ohm: _Range = (0.01, 1.0)
    """Range of R_s."""
    alpha_per_v: _Range = (10.0, 50.0)
    """Range of alpha, in 1/V."""
    saturation_a: _Range = (1e-7, 1e-5)
    """Range of I_0."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low_v >= self.high_v:
            raise ValueError("low_v must be below high_v")
        for name, (low, high) in zip(PARAMETERS, self.ranges(), strict=True):
            if low > high:
                raise ValueError(f"the lower end of {name} must not be above its upper end")
        return self

    def ranges(self) -> list[tuple[float, float]]:
        """The ranges of PARAMETERS, in that order."""
        return [getattr(self, name) for name in PARAMETERS]


class SynapseParameters(NamedTuple):
    """Parameters of synapses, each (..., K): R_l, R, R_s in ohms, alpha in 1/V, I_0 in amperes."""

    load_ohm: Tensor
    divider_ohm: Tensor
    series_ohm: Tensor
    alpha_per_v: Tensor
    saturation_a: Tensor


PARAMETERS = SynapseParameters._fields


def bounded(raw: Tensor, constants: SynapseConstants) -> SynapseParameters:
    """Parameters within their ranges from trained numbers (..., K, 5) of any size: 0 is a range's geometric mean."""
    shares = torch.sigmoid(raw)
    ranges = enumerate(constants.ranges())
    return SynapseParameters(*(low * (high / low) ** shares[..., index] for index, (low, high) in ranges))


class _WrightOmega(torch.autograd.Function):
    """w of w + ln w = z; by the implicit function theorem dw/dz = w / (1 + w)."""

    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        w = torch.from_numpy(wrightomega(z.detach().contiguous().numpy()))
        ctx.save_for_backward(w)
        return w

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        w: Tensor = ctx.saved_tensors[0]
        return gradients[0] * w / (1 + w)


def wright_omega(z: Tensor) -> Tensor:
    """The Wright omega function of real numbers in float64, to 1e-14 relative, with its gradient."""
    w: Tensor = _WrightOmega.apply(z)  # type: ignore[no-untyped-call]
    return w


def answers(
    v: Tensor, kinds: Sequence[SynapseKind], synapses: SynapseParameters, constants: SynapseConstants
) -> tuple[Tensor, Tensor]:
    """Every synapse's U in volts and I in amperes at V = v.

    v: in volts, of a shape that broadcasts against (..., K). kinds: the K kinds along the last axis.
    """
    is_lp, is_bp = (torch.tensor([kind == wanted for kind in kinds]) for wanted in ("LP", "BP"))
    share = torch.where(is_bp, synapses.load_ohm / (synapses.load_ohm + synapses.divider_ohm), 0.0)
    output_ohm = torch.where(is_bp, -share * synapses.divider_ohm, synapses.load_ohm)
    loop_ohm = synapses.series_ohm + output_ohm.abs()
    drive_v = torch.where(is_lp, constants.reference_v - v, (1 + share) * v)
    alpha_ohm = synapses.alpha_per_v * loop_ohm
    z = torch.log(alpha_ohm * synapses.saturation_a) + synapses.alpha_per_v * drive_v
    current_a = wright_omega(z) / alpha_ohm
    return share * v + output_ohm * current_a, current_a
