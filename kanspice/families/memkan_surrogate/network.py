"""A MemKAN as its authors train it: an MLP stands for the memdiode synapses, so that gradients are cheap, in float64.

A node squashes its value, V = 1/(1 + exp(-x / sigma)) volts. Connection i -> j has K band-pass synapses; each gets V
and a trained bias, and five trained parameters p, squashed to 0..1 too, which stand for R_l, R, R_s, alpha and I_0:

    y_j = sum_i sum_k gain_ijk MLP(V_i + bias_ijk, p_ijk)

Training never solves the circuit's equations. The circuit has the synapses that the p stand for, so what it differs by
is how well the MLP, the surrogate, knew them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.families.common.inputs import check_input
from kanspice.families.common.network import Network, StageLaw
from kanspice.families.common.widths import check_widths
from kanspice.families.memkan.memdiode import PARAMETERS, SynapseParameters

SURROGATE_INPUTS = 1 + len(PARAMETERS)
_SPREAD = 0.5
"""Fresh raw parameters are at most so far from 0."""
_ROWS_AT_ONCE = 2**16
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Range = Annotated[tuple[_Positive, _Positive], Field(strict=False)]
_Decades = Annotated[tuple[_Number, _Number], Field(strict=False)]


_BLOCK = 256
"""Samples at a time."""


class SurrogateConstants(BaseModel):
    """What p = 0 and p = 1 stand for, with a linear law between them: what the authors' surrogate was made for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    sigma: _Positive = 0.5
    """Width of the squashing 1/(1 + exp(-x / sigma)), of values and of raw parameters."""
    load_ohm: _Range = (1.0, 100.0)
    """R_l."""
    divider_ohm: _Range = (1.0, 10.0)
    """R."""
    series_ohm: _Range = (0.01 / 1.01, 1.0)
    """R_s."""
    alpha_per_v: _Range = (10.0, 50.0)
    """alpha, in 1/V."""
    saturation_decades: _Decades = (-7.0, -5.0)
    """Decimal logarithm of I_0 in amperes."""

    def squash(self, x: Tensor) -> Tensor:
        """Any real numbers to 0..1."""
        return torch.sigmoid(x / self.sigma)

    def synapses(self, shares: Tensor) -> SynapseParameters:
        """What parameters p (..., 5) stand for."""
        ranges = (self.load_ohm, self.divider_ohm, self.series_ohm, self.alpha_per_v, self.saturation_decades)
        load, divider, series, alpha, decades = (
            low + (high - low) * shares[..., place] for place, (low, high) in enumerate(ranges)
        )
        return SynapseParameters(load, divider, series, alpha, 10**decades)


class SurrogateLayer(nn.Module):
    """One layer's connections: raw (n_in, n_out, K, 5), in the order R_l, R, R_s, alpha, I_0; gain (n_in, n_out, K);
    bias (n_in, n_out, K), volts that each synapse gets besides its row's."""

    def __init__(self, n_in: int, n_out: int, units: int) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.zeros(n_in, n_out, units, len(PARAMETERS), dtype=torch.float64))
        self.gain = nn.Parameter(torch.zeros(n_in, n_out, units, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros(n_in, n_out, units, dtype=torch.float64))

    def initialise(self) -> None:
        """Parameters in the middle of their ranges, small gains of both signs, no bias."""
        n_in, n_out, _ = self.gain.shape
        with torch.no_grad():
            self.raw.uniform_(-_SPREAD, _SPREAD)
            self.gain.uniform_(-1, 1).div_(2 * (n_in + n_out))
            self.bias.zero_()

    def forward(self, v: Tensor, surrogate: nn.Module, constants: SurrogateConstants) -> Tensor:
        """Voltages (samples, n_in) to sums (samples, n_out)."""
        shares = constants.squash(self.raw).expand(len(v), *self.raw.shape)
        volts = v[:, :, None, None] + self.bias
        rows = torch.cat([volts[..., None], shares], dim=-1).reshape(-1, SURROGATE_INPUTS)
        parts = torch.split(rows, _ROWS_AT_ONCE)
        answers = torch.cat([surrogate(part) for part in parts]).reshape(volts.shape)
        return torch.einsum("sijk,ijk->sj", answers, self.gain)


class SurrogateMemKAN(Network):
    """A MemKAN of any number of layers, with its surrogate.

    widths: inputs, hidden widths..., outputs. units: K, how many synapses each connection has. hidden: widths of the
    surrogate's hidden layers, with a ReLU behind each. constants belong to the surrogate.

    Submodules: `layers[m].raw` (n_in, n_out, K, 5), `.gain` and `.bias` (n_in, n_out, K), m from 0; `surrogate[2 n]`,
    linear layers. Raises InputError for widths or numbers that cannot be used.
    """

    def __init__(
        self,
        widths: Sequence[int],
        units: int = 3,
        hidden: Sequence[int] = (125, 125),
        *,
        constants: SurrogateConstants | None = None,
    ) -> None:
        super().__init__()
        self.widths = check_widths(widths)
        if not isinstance(units, int) or units < 1:
            expected = "a whole number from 1"
            raise InputError("the number of synapses cannot be used", expected=expected, found=repr(units)[:80])
        self.units = units
        self.hidden = check_widths((SURROGATE_INPUTS, *hidden, 1))[1:-1]
        self.constants = constants or SurrogateConstants()
        self.surrogate = _surrogate(self.hidden)
        self.layers = nn.ModuleList(SurrogateLayer(n_in, n_out, units) for n_in, n_out in pairwise(self.widths))
        for layer in self.surrogate_layers():
            layer.initialise()

    @property
    def input_width(self) -> int:
        return self.widths[0]

    @property
    def output_width(self) -> int:
        return self.widths[-1]

    @property
    def stage_laws(self) -> dict[str, StageLaw]:
        """Of the synapses: what the surrogate makes of them."""
        return {f"l{m}.synapses": self._law(layer) for m, layer in enumerate(self.surrogate_layers(), start=1)}

    def _law(self, layer: SurrogateLayer) -> StageLaw:
        def law(values: Array) -> Array:
            blocks = torch.split(torch.from_numpy(values), _BLOCK)
            with torch.no_grad():
                return torch.cat([layer(block, self.surrogate, self.constants) for block in blocks]).numpy()

        return law

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Every intermediate result for inputs x (samples, inputs), in order; each is (samples, width) in volts.

        `l<m>.input` (the squashed values, 0..1) and `l<m>.synapses` (the sums), m from 1. The last entry is the
        network's output. Raises InputError if x has another shape.
        """
        values = check_input(x, self.input_width, "SurrogateMemKAN.forward")
        results: dict[str, Tensor] = {}
        for index, layer in enumerate(self.surrogate_layers(), start=1):
            values = results[f"l{index}.input"] = self.constants.squash(values)
            values = results[f"l{index}.synapses"] = layer(values, self.surrogate, self.constants)
        return results

    def forward(self, x: Tensor) -> Tensor:
        """The outputs (samples, outputs) for inputs x (samples, inputs): the last of `stages(x)`."""
        return list(self.stages(x).values())[-1]

    def synapses(self) -> list[SynapseParameters]:
        """What every layer's parameters stand for, each (n_in, n_out, K), in SI units: what the circuit has."""
        return [self.constants.synapses(self.constants.squash(layer.raw)) for layer in self.surrogate_layers()]

    def surrogate_layers(self) -> list[SurrogateLayer]:
        return [module for module in self.layers if isinstance(module, SurrogateLayer)]


def _surrogate(hidden: Sequence[int]) -> nn.Sequential:
    parts: list[nn.Module] = []
    for n_in, n_out in pairwise((SURROGATE_INPUTS, *hidden, 1)):
        parts += [nn.Linear(n_in, n_out, dtype=torch.float64), nn.ReLU()]
    return nn.Sequential(*parts[:-1])
