"""MemKAN: a network whose connections are memdiode synapses, trained on the circuit's own law, in float64.

A node's value is a voltage V. Connection i -> j has K synapses, each with five trained parameters, whose answers U
(see `memdiode`) are amplified and summed:

    y_j = sum_i sum_k gain_ijk U_ijk(V_i) + bias_j

Inputs become voltages, V = offset + (volts per unit) x; the sums y are voltages themselves, and those of the last
layer are the outputs: 1 V is one unit. What reaches the synapses of a layer is limited to the range that they work in.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from kanspice.base.errors import InputError
from kanspice.families.common.inputs import check_input
from kanspice.families.common.network import Network
from kanspice.families.common.widths import check_widths
from kanspice.families.memkan.memdiode import (
    KINDS,
    PARAMETERS,
    SynapseConstants,
    SynapseKind,
    SynapseParameters,
    answers,
    bounded,
)

_INITIAL_SPREAD = 1.0  # standard deviation of raw parameters when drawn afresh
_INITIAL_SWEEP = 33  # voltages over the range, to see how far fresh synapses swing


class SynapseLayer(nn.Module):
    """One layer's connections: raw (n_in, n_out, K, 5) for R_l, R, R_s, alpha, I_0; gain (n_in, n_out, K), in volts
    per volt; bias (n_out,) in volts."""

    def __init__(self, n_in: int, n_out: int, kinds: tuple[SynapseKind, ...]) -> None:
        super().__init__()
        self.kinds = kinds
        self.raw = nn.Parameter(torch.zeros(n_in, n_out, len(kinds), len(PARAMETERS), dtype=torch.float64))
        self.gain = nn.Parameter(torch.zeros(n_in, n_out, len(kinds), dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros(n_out, dtype=torch.float64))

    def initialise(self, constants: SynapseConstants, centre_v: float, swing_v: float) -> None:
        """Draw synapses, and gains and biases that give sums around centre_v with swing_v as standard deviation."""
        n_in, _, units = self.gain.shape
        with torch.no_grad():
            self.raw.normal_(std=_INITIAL_SPREAD)
            sweep = torch.linspace(constants.low_v, constants.high_v, _INITIAL_SWEEP, dtype=torch.float64)
            u = answers(sweep[:, None, None, None], self.kinds, bounded(self.raw, constants), constants)[0]
            swings = u.std(dim=0).clamp(min=1e-6)
            self.gain.normal_().mul_(swing_v / ((n_in * units) ** 0.5 * swings))
            self.bias.copy_(centre_v - (self.gain * u.mean(dim=0)).sum(dim=(0, 2)))

    def forward(self, v: Tensor, constants: SynapseConstants) -> Tensor:
        """Voltages (samples, n_in) to sums (samples, n_out)."""
        u, _ = answers(v[..., None, None], self.kinds, bounded(self.raw, constants), constants)
        return torch.einsum("sijk,ijk->sj", u, self.gain) + self.bias


class MemKAN(Network):
    """A MemKAN of any number of layers.

    widths: inputs, hidden widths..., outputs. kinds: what the K synapses of every connection are.
    constants: voltages and ranges of parameters; belong to the trained network.

    Submodules: `layers[m].raw` (n_in, n_out, K, 5), `.gain` (n_in, n_out, K), `.bias` (n_out,), m from 0.
    Raises InputError for widths or kinds that cannot be used.
    """

    def __init__(
        self,
        widths: Sequence[int],
        kinds: Sequence[str] = ("LP", "BP", "HP"),
        *,
        constants: SynapseConstants | None = None,
    ) -> None:
        super().__init__()
        self.widths = check_widths(widths)
        self.kinds = _check_kinds(kinds)
        self.constants = constants or SynapseConstants()
        self.layers = nn.ModuleList(SynapseLayer(n_in, n_out, self.kinds) for n_in, n_out in pairwise(self.widths))
        self.initialise()

    @property
    def input_width(self) -> int:
        return self.widths[0]

    @property
    def output_width(self) -> int:
        return self.widths[-1]

    def initialise(self) -> None:
        """Draw fresh parameters from torch's global generator: hidden sums within the range, outputs around 0 V."""
        low, high = self.constants.low_v, self.constants.high_v
        *hidden, last = self.synapse_layers()
        for layer in hidden:
            layer.initialise(self.constants, centre_v=(low + high) / 2, swing_v=(high - low) / 4)
        last.initialise(self.constants, centre_v=0.0, swing_v=(high - low) / 2)

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Every intermediate result for inputs x (samples, inputs), in order; each is (samples, width) in volts.

        `l<m>.input` (what the synapses get, within the range) and `l<m>.synapses` (the sums), m from 1. The last entry
        is the network's output. Raises InputError if x has another shape.
        """
        constants = self.constants
        values = check_input(x, self.input_width, "MemKAN.forward")
        values = constants.input_offset_v + constants.input_v_per_unit * values
        results: dict[str, Tensor] = {}
        for index, layer in enumerate(self.synapse_layers(), start=1):
            values = results[f"l{index}.input"] = values.clamp(constants.low_v, constants.high_v)
            values = results[f"l{index}.synapses"] = layer(values, constants)
        return results

    def forward(self, x: Tensor) -> Tensor:
        """The outputs (samples, outputs) for inputs x (samples, inputs): the last of `stages(x)`."""
        return list(self.stages(x).values())[-1]

    def synapses(self) -> list[SynapseParameters]:
        """Every layer's parameters, each (n_in, n_out, K), in SI units."""
        return [bounded(layer.raw, self.constants) for layer in self.synapse_layers()]

    def synapse_layers(self) -> list[SynapseLayer]:
        return [module for module in self.layers if isinstance(module, SynapseLayer)]


def _check_kinds(kinds: Sequence[str]) -> tuple[SynapseKind, ...]:
    known = tuple(kind for wanted in kinds for kind in KINDS if kind == wanted)
    if not known or len(known) != len(kinds):
        raise InputError(
            "the kinds of synapses cannot be used",
            expected=f"one or more of {', '.join(KINDS)}",
            found=str(list(kinds))[:200],
        )
    return known
