"""PhyKAN: a network whose connections are band-pass filters, in float64.

A node's value x is squashed, s = 1/(1 + exp(-(x - threshold)/sigma)), and drives the filters of all its connections
as a sine of frequency f(s). Connection i -> j adds the amplitudes that its K filters leave, each with a signed gain:

    y_j = sum_i mask_ij sum_k g_ijk |j f/f_high / (1 + j f/f_high)| |1 / (1 + j f/f_low)|

A layer may be normalised: then its outputs are scale_j y_j + offset_j, which is what a batch norm is after training.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kanspice.base.errors import InputError
from kanspice.families.common.inputs import check_input
from kanspice.families.common.network import Network
from kanspice.families.common.widths import check_widths
from kanspice.families.phykan.bandpass import BandConstants, FilterGrid, amplitude

GAIN, LOW, HIGH = range(3)  # of the last axis of the raw parameters
_SPREAD = 0.01  # of raw cut-offs when drawn afresh, so that no two filters begin alike


class FilterSettings(NamedTuple):
    """Settings of a layer's filters, each (n_in, n_out, K): gain, signed, zero where masked; cut-offs in hertz."""

    gain: Tensor
    low_hz: Tensor
    high_hz: Tensor


class BandLayer(nn.Module):
    """One layer's connections.

    raw: (n_in, n_out, K, 3) trained numbers of any size, in the order gain, low-pass cut-off, high-pass cut-off.
    mask: (n_in, n_out), 0 where there is no connection, else 1. threshold: (n_in,), the value that is squashed to 1/2.
    scale, offset: (n_out,), of sums that are normalised; None where they are not.
    """

    mask: Tensor
    threshold: Tensor
    scale: Tensor | None
    offset: Tensor | None

    def __init__(self, n_in: int, n_out: int, filters: int, *, thresholding: bool, normalised: bool) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.zeros(n_in, n_out, filters, 3, dtype=torch.float64))
        self.register_buffer("mask", torch.ones(n_in, n_out, dtype=torch.float64))
        threshold = torch.zeros(n_in, dtype=torch.float64)
        if thresholding:
            self.threshold = nn.Parameter(threshold)
        else:
            self.register_buffer("threshold", threshold)
        self.scale = nn.Parameter(torch.ones(n_out, dtype=torch.float64)) if normalised else None
        self.offset = nn.Parameter(torch.zeros(n_out, dtype=torch.float64)) if normalised else None

    def initialise(self) -> None:
        """Spread the bands of a connection's filters evenly over the range, with random gains of both signs."""
        filters = self.raw.shape[2]
        centres = (2 * torch.arange(filters, dtype=torch.float64) + 1) / filters - 1
        with torch.no_grad():
            self.raw.uniform_(-_SPREAD, _SPREAD)
            self.raw.add_(centres[:, None])
            self.raw[..., GAIN].uniform_(-1 / filters, 1 / filters)
            self.threshold.zero_()
            if self.scale is not None and self.offset is not None:
                self.scale.fill_(1.0)
                self.offset.zero_()

    def normalised(self, sums: Tensor) -> Tensor:
        """The layer's outputs (samples, n_out) for what its filters add up to."""
        return sums if self.scale is None or self.offset is None else self.scale * sums + self.offset

    def settings(self, constants: BandConstants, grid: FilterGrid | None) -> FilterSettings:
        gain = constants.gain(self.raw[..., GAIN])
        low_hz, high_hz = constants.cutoff_hz(self.raw[..., LOW]), constants.cutoff_hz(self.raw[..., HIGH])
        if grid is not None:
            gain, low_hz, high_hz = grid.snapped(gain, low_hz, high_hz)
        return FilterSettings(gain * self.mask[..., None], low_hz, high_hz)


class PhyKAN(Network):
    """A PhyKAN of any number of layers.

    widths: inputs, hidden widths..., outputs. filters: K, how many filters each connection has.
    constants: how numbers become frequencies, gains and cut-offs; belongs to the trained network.
    thresholding: whether each node's threshold is trained; it is 0 otherwise.
    grid: what gains and cut-offs are rounded to, or None; training sees the rounded ones.
    input_sigmoid: whether the first layer squashes its inputs, too; if not they are taken to be within 0..1 already.
    normalised: whether every layer's sums have a trained scale and offset.

    Submodules: `layers[m].raw` (n_in, n_out, K, 3), `.mask` (n_in, n_out), `.threshold` (n_in,), m from 0; where
    normalised also `.scale` and `.offset`, (n_out,).
    Raises InputError for widths or numbers of filters that cannot be used.
    """

    def __init__(
        self,
        widths: Sequence[int],
        filters: int = 3,
        *,
        constants: BandConstants | None = None,
        thresholding: bool = False,
        grid: FilterGrid | None = None,
        input_sigmoid: bool = True,
        normalised: bool = False,
    ) -> None:
        super().__init__()
        self.widths = check_widths(widths)
        self.filters = _check_filters(filters)
        self.constants = constants or BandConstants()
        self.thresholding = thresholding
        self.grid = grid
        self.input_sigmoid = input_sigmoid
        self.normalised = normalised
        self.layers = nn.ModuleList(
            BandLayer(n_in, n_out, filters, thresholding=thresholding, normalised=normalised)
            for n_in, n_out in pairwise(self.widths)
        )
        self.initialise()

    @property
    def input_width(self) -> int:
        return self.widths[0]

    @property
    def output_width(self) -> int:
        return self.widths[-1]

    def initialise(self) -> None:
        """Draw fresh filters from torch's global generator, with no threshold; masks stay as they are."""
        for layer in self.band_layers():
            layer.initialise()

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Every intermediate result for inputs x (samples, inputs), in order; each is (samples, width), dimensionless.

        `l<m>.encoder` (the squashed values s, 0..1) and `l<m>.filters` (the sums y of amplitudes, normalised if the
        network is), m from 1. The last entry is the network's output. Raises InputError if x has another shape.
        """
        values = check_input(x, self.input_width, "PhyKAN.forward")
        results: dict[str, Tensor] = {}
        for index, layer in enumerate(self.band_layers(), start=1):
            shifted = values - layer.threshold
            squashed = self.constants.squash(shifted) if index > 1 or self.input_sigmoid else shifted
            results[f"l{index}.encoder"] = squashed
            values = results[f"l{index}.filters"] = layer.normalised(self._summed(squashed, layer))
        return results

    def forward(self, x: Tensor) -> Tensor:
        """The outputs (samples, outputs) for inputs x (samples, inputs): the last of `stages(x)`."""
        return list(self.stages(x).values())[-1]

    def settings(self) -> list[FilterSettings]:
        """Every layer's gains and cut-offs, as its filters have them."""
        return [layer.settings(self.constants, self.grid) for layer in self.band_layers()]

    def discrete(
        self, low_hz: Sequence[float] | Tensor, high_hz: Sequence[float] | Tensor, gain_step: float = 0.01
    ) -> PhyKAN:
        """A copy as a field-programmable array has it: gains in steps, cut-offs the nearest in hertz of those offered.

        low_hz, high_hz: (cut-offs,) that the array's low-pass and high-pass filters can have.
        Raises InputError as `FilterGrid`.
        """
        snapped = copy.deepcopy(self)
        snapped.grid = FilterGrid(low_hz, high_hz, gain_step)
        return snapped

    def band_layers(self) -> list[BandLayer]:
        return [module for module in self.layers if isinstance(module, BandLayer)]

    def _summed(self, squashed: Tensor, layer: BandLayer) -> Tensor:
        """Squashed values (samples, n_in) to the sums of amplitudes (samples, n_out)."""
        filters = layer.settings(self.constants, self.grid)
        frequency_hz = self.constants.frequency_hz(squashed)[..., None, None]
        return torch.einsum("sijk,ijk->sj", amplitude(frequency_hz, filters.high_hz, filters.low_hz), filters.gain)


def _check_filters(filters: int) -> int:
    if not isinstance(filters, int) or filters < 1:
        raise InputError("the number of filters cannot be used", expected="a whole number from 1", found=repr(filters))
    return filters
