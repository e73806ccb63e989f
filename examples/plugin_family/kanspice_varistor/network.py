"""The network in torch: it knows nothing of circuits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from kanspice.devices import Device, load_device
from kanspice.families.common.inputs import check_input
from kanspice.families.common.network import Network
from kanspice.families.common.widths import check_widths

CARD = Path(__file__).with_name("varistor.toml")
REACH = 1.0
"""Where inputs of a layer are clipped, either sign, in model units."""


class VaristorNet(Network):
    """y_j = sum_i w_ij phi(clip(x_i)) + b_j in every layer, LayerNorm between layers; phi is a varistor's curve.

    widths: inputs, hidden widths..., outputs. Parameters of layer m, from 0: `weights.<m>` (n_in, n_out), `biases.<m>`
    (n_out,); `norms.<m>` after every layer but the last.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = check_widths(widths)
        pairs = list(pairwise(self.widths))
        self.weights = nn.ParameterList(torch.randn(pair, dtype=torch.float64) / pair[0] ** 0.5 for pair in pairs)
        self.biases = nn.ParameterList(torch.zeros(out, dtype=torch.float64) for _, out in pairs)
        self.norms = nn.ModuleList(nn.LayerNorm(out, dtype=torch.float64) for _, out in pairs[:-1])
        self.device: Device = load_device(CARD)

    @property
    def input_width(self) -> int:
        return self.widths[0]

    @property
    def output_width(self) -> int:
        return self.widths[-1]

    @property
    def curves(self) -> tuple[Device, ...]:
        return (self.device,)

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        x = check_input(x, self.input_width, "VaristorNet")
        found: dict[str, Tensor] = {}
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            x = found[f"l{layer}.input"] = x.clamp(-REACH, REACH)
            x = found[f"l{layer}.crossbar"] = self.device.curve.torch(x) @ weight + bias
            if layer <= len(self.norms):
                x = found[f"l{layer}.norm"] = self.norms[layer - 1](x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        return list(self.stages(x).values())[-1]
