"""The band-pass connections of a PhyKAN: how a value becomes a frequency, and what a filter makes of it.

"Low-power analogue neural networks with trainable nonlinear connections for continuous control" (PhyKAN). A filter is
a first-order high-pass, a first-order low-pass and a signed gain; its answer is the amplitude of its steady state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from kanspice.base.errors import InputError

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_CUTOFFS_SHOWN = 4
_LARGEST_DECADE = 30.0
"""Values that nothing squashes set no faster tones; no filter passes anything of one as fast."""


class BandConstants(BaseModel):
    """The constants that a PhyKAN was trained with: those of the authors' class for the field-programmable array.

    Their earlier class has others: `EARLIER_CONSTANTS`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    sigma: _Positive = 0.5
    """Width of the squashing 1/(1 + exp(-x / sigma)), of values and of raw parameters."""
    squash_limit: _Positive | None = None
    """What is squashed is limited to this, of either sign, before; None: not limited."""
    frequency_offset: _Number = 3.65
    """A value squashed to s becomes the frequency 10^(offset + span * s) in hertz."""
    frequency_span: _Positive = 1.5
    """Decades from s = 0 to s = 1."""
    clock_hz: _Positive | None = 4e6
    """The array samples at this rate, and frequencies are pre-warped for it; None: not sampled."""
    gain_span: _Positive = 3.0
    """A raw gain squashed to p is the gain span * (p - centre)."""
    gain_centre: _Number = 0.5
    """The squashed raw gain that means no gain."""
    cutoff_offset: _Number = 3.65
    """A raw cut-off squashed to p is the frequency 10^(offset + span * p) in hertz."""
    cutoff_span: _Positive = 1.9
    """Decades of cut-offs."""

    def squash(self, x: Tensor) -> Tensor:
        """Any real numbers to 0..1."""
        limit = self.squash_limit
        return torch.sigmoid((x if limit is None else x.clamp(-limit, limit)) / self.sigma)

    def frequency_hz(self, squashed: Tensor) -> Tensor:
        """The frequency that a squashed value drives the filters with, pre-warped for the array's clock."""
        most = max(_LARGEST_DECADE, self.frequency_offset + self.frequency_span)
        frequency = 10 ** (self.frequency_offset + self.frequency_span * squashed).clamp(max=most)
        if self.clock_hz is None:
            return frequency
        return self.clock_hz / math.pi * torch.atan(math.pi / self.clock_hz * frequency)

    def gain(self, raw: Tensor) -> Tensor:
        """The signed gain of raw parameters."""
        return self.gain_span * (self.squash(raw) - self.gain_centre)

    def cutoff_hz(self, raw: Tensor) -> Tensor:
        """The cut-off frequency of raw parameters."""
        return 10 ** (self.cutoff_offset + self.cutoff_span * self.squash(raw))


EARLIER_CONSTANTS = BandConstants(
    frequency_offset=3.69, frequency_span=2.0, clock_hz=None, gain_span=10.0, cutoff_offset=3.5, cutoff_span=3.0
)
"""Those of the authors' class before the array's, which has the high-pass filter's cut-off first."""


def amplitude(frequency_hz: Tensor, high_hz: Tensor, low_hz: Tensor) -> Tensor:
    """What a high-pass of cut-off high_hz and then a low-pass of cut-off low_hz leave of a sine's amplitude, 0..1."""
    above, below = frequency_hz / high_hz, frequency_hz / low_hz
    return above / torch.sqrt((1 + above.square()) * (1 + below.square()))


class FilterGrid(nn.Module):
    """What a field-programmable array can be set to: the nearest of these cut-offs in hertz, gains in steps.

    low_hz, high_hz: (cut-offs,) of low-pass and high-pass filters, in any order. gain_step: dimensionless.
    Gradients pass as if nothing had been snapped.
    Raises InputError for what is no list of positive frequencies, and for a step that is not positive.
    """

    low_hz: Tensor
    high_hz: Tensor

    def __init__(self, low_hz: Sequence[float] | Tensor, high_hz: Sequence[float] | Tensor, gain_step: float) -> None:
        super().__init__()
        self.register_buffer("low_hz", _cutoffs(low_hz, "low-pass"))
        self.register_buffer("high_hz", _cutoffs(high_hz, "high-pass"))
        if not (math.isfinite(gain_step) and gain_step > 0):
            raise InputError("the gain step cannot be used", expected="a positive number", found=repr(gain_step))
        self.gain_step = float(gain_step)

    def snapped(self, gain: Tensor, low_hz: Tensor, high_hz: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gains and cut-offs as the array has them."""
        rounded = torch.round(gain.detach() / self.gain_step) * self.gain_step
        low, high = _nearest(low_hz.detach(), self.low_hz), _nearest(high_hz.detach(), self.high_hz)
        return _as_if(gain, rounded), _as_if(low_hz, low), _as_if(high_hz, high)


def _as_if(value: Tensor, snapped: Tensor) -> Tensor:
    """`snapped`, to the last bit, with the gradient of `value`."""
    return snapped + (value - value.detach())


def _nearest(values: Tensor, offered: Tensor) -> Tensor:
    """For each value the nearest of those offered (increasing); the lower one of two as near."""
    above = torch.searchsorted(offered, values.contiguous()).clamp(max=len(offered) - 1)
    below = (above - 1).clamp(min=0)
    return torch.where(values - offered[below] <= offered[above] - values, offered[below], offered[above])


def _cutoffs(values: Sequence[float] | Tensor, which: str) -> Tensor:
    offered = torch.as_tensor(values, dtype=torch.float64).detach().clone()
    if offered.ndim != 1 or len(offered) == 0 or not bool((torch.isfinite(offered) & (offered > 0)).all()):
        raise InputError(
            f"the {which} cut-offs cannot be used",
            expected="a list of positive frequencies in hertz",
            found=f"shape {tuple(offered.shape)}: {offered.flatten()[:_CUTOFFS_SHOWN].tolist()}",
        )
    return offered.sort().values
