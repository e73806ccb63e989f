"""KANalogue: a network of crossbars of negative-differential-resistance devices, in float64.

First paper ("Bridging Function Approximation and Device Physics via Negative Differential Resistance
Networks"), Eq. 2, with a bias per output:

    y_j = sum_i sum_k Theta[i, j, k] * phi_k(s(x_i)) + b_j

phi_k is the I-V curve of device type k, s the input stage (the second paper's hard clip, or another).
Between layers: BatchNorm (second paper), LayerNorm (first paper), or nothing; none after the last layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from kanspice.base.errors import InputError
from kanspice.devices import Device
from kanspice.families.common.inputs import check_input
from kanspice.families.common.network import Network
from kanspice.families.common.widths import check_widths
from kanspice.families.edgekan.original import Original
from kanspice.families.kanalogue.input_stages import INPUT_STAGES, InputStageName, input_stage_name
from kanspice.families.kanalogue.noise import CoefficientNoise

NormName = Literal["batch", "layer", "none"]
NORMS: tuple[NormName, ...] = get_args(NormName)
NORM_EPS = 1e-5
_INITIAL_RANGE = (-1.0, 1.4)  # inputs assumed when coefficients are initialised and the stage has no range


class CrossbarLayer(nn.Module):
    """One layer's currents: coeffs (n_in, n_out, K) and bias (n_out,), both float64 in model units."""

    def __init__(self, n_in: int, n_out: int, n_devices: int) -> None:
        super().__init__()
        self.coeffs = nn.Parameter(torch.zeros(n_in, n_out, n_devices, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros(n_out, dtype=torch.float64))

    def initialise(self, mean_square: float) -> None:
        """Draw coefficients that give outputs of unit variance for curves of this mean square; zero the bias."""
        n_in, _, n_devices = self.coeffs.shape
        nn.init.normal_(self.coeffs, std=(n_in * n_devices * mean_square) ** -0.5)
        nn.init.zeros_(self.bias)

    def sum_currents(self, basis: Tensor, coeffs: Tensor) -> Tensor:
        """Eq. 2: basis (samples, n_in, K) and coefficients (n_in, n_out, K) to outputs (samples, n_out)."""
        columns = coeffs.transpose(1, 2).reshape(-1, coeffs.shape[1])
        return basis.flatten(1) @ columns + self.bias


class KANalogue(Network):
    """A KANalogue network of any number of layers.

    widths: inputs, hidden widths..., outputs; one crossbar per neighbouring pair.
    devices: the K device types, in the order of the coefficients' last axis; shared by all layers.
    input_stage: "PosHC" (clip to [0, 1.4]), "NegHC" (clip to [-1, 1]), "sigmoid", "tanh", or "None"/None;
        applied before every layer.
    norm: "batch" or "layer" (eps 1e-5, with gain and offset) or "none"; between layers.
    noise: perturbation of the coefficients, or None. It belongs to an experiment, not to the trained network:
        checkpoints do not hold it.
    origin: sentences on where the network comes from, which checkpoints hold and reports repeat.
    original: the KAN of learnt functions that it was made of, where `kanspice project` made it; checkpoints hold it.

    Submodules: `crossbars[m].coeffs` (n_in, n_out, K), `crossbars[m].bias` (n_out,), `norms[m]` (identity for "none").
    Raises InputError for widths, devices, stages or norms that cannot be used.
    """

    def __init__(
        self,
        widths: Sequence[int],
        devices: Sequence[Device],
        *,
        input_stage: str | None = "PosHC",
        norm: str = "batch",
        noise: CoefficientNoise | None = None,
        origin: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.widths = check_widths(widths)
        self.devices = _check_devices(devices)
        self.input_stage: InputStageName = input_stage_name(input_stage)
        self.norm = _norm_name(norm)
        self.noise = noise
        self.origin = tuple(origin)
        self.original: Original | None = None
        self._training_draws = None if noise is None else noise.generator()
        self.crossbars = nn.ModuleList(
            CrossbarLayer(n_in, n_out, len(self.devices)) for n_in, n_out in pairwise(self.widths)
        )
        self.norms = nn.ModuleList(_norm_layers(self.norm, self.widths[1:-1]))
        self.initialise()

    @property
    def curves(self) -> tuple[Device, ...]:
        return self.devices

    @property
    def notes(self) -> tuple[str, ...]:
        return self.origin

    @property
    def input_width(self) -> int:
        return self.widths[0]

    @property
    def output_width(self) -> int:
        return self.widths[-1]

    def initialise(self) -> None:
        """Draw fresh coefficients from torch's global generator."""
        low, high = INPUT_STAGES[self.input_stage].output_range or _INITIAL_RANGE
        basis = self.basis(torch.linspace(low, high, 281, dtype=torch.float64))
        mean_square = float(basis.detach().square().mean()) or 1.0
        for crossbar in self._crossbars():
            crossbar.initialise(mean_square)

    def basis(self, voltage: Tensor) -> Tensor:
        """Every device's current: voltages (...) in model units to currents (..., K)."""
        return torch.stack([device.curve.torch(voltage) for device in self.devices], dim=-1)

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Every intermediate result for inputs x (samples, inputs), in order; each is (samples, width).

        `l<m>.input` (after the input stage), `l<m>.crossbar` (Eq. 2 with bias, before any norm) and `l<m>.norm`
        (where there is one), m from 1. The last entry is the network's output. In model units.
        Raises InputError if x has another shape.
        """
        values = check_input(x, self.input_width, "KANalogue.forward")
        draws = self._draws()
        results: dict[str, Tensor] = {}
        for index, crossbar in enumerate(self._crossbars()):
            layer = f"l{index + 1}"
            values = results[f"{layer}.input"] = INPUT_STAGES[self.input_stage].function(values)
            coeffs = self._perturbed(crossbar.coeffs, draws)
            values = results[f"{layer}.crossbar"] = crossbar.sum_currents(self.basis(values), coeffs)
            if self.norm != "none" and index < len(self.norms):
                values = results[f"{layer}.norm"] = self.norms[index](values)
        return results

    def forward(self, x: Tensor) -> Tensor:
        """The outputs (samples, outputs) for inputs x (samples, inputs): the last of `stages(x)`."""
        return list(self.stages(x).values())[-1]

    def _crossbars(self) -> list[CrossbarLayer]:
        return [module for module in self.crossbars if isinstance(module, CrossbarLayer)]

    def _draws(self) -> torch.Generator | None:
        if self.noise is None:
            return None
        if self.training:
            return self._training_draws if self.noise.training else None
        return self.noise.generator() if self.noise.evaluation else None

    def _perturbed(self, coeffs: Tensor, draws: torch.Generator | None) -> Tensor:
        return coeffs if self.noise is None or draws is None else self.noise.perturb(coeffs, draws)


def _norm_layers(norm: NormName, widths: Sequence[int]) -> list[nn.Module]:
    if norm == "batch":
        return [nn.BatchNorm1d(width, eps=NORM_EPS, dtype=torch.float64) for width in widths]
    if norm == "layer":
        return [nn.LayerNorm(width, eps=NORM_EPS, dtype=torch.float64) for width in widths]
    return [nn.Identity() for _ in widths]


def _norm_name(norm: str) -> NormName:
    for known in NORMS:
        if known == norm:
            return known
    raise InputError("unknown norm between layers", expected=f"one of {', '.join(NORMS)}", found=repr(norm))


def _check_devices(devices: Sequence[Device]) -> tuple[Device, ...]:
    if not devices:
        raise InputError("the network has no devices", expected="one device type or more", found="none")
    return tuple(devices)
