"""EdgeKAN: a Kolmogorov-Arnold network of any library, of layers of learnt edge functions, in float64."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from kanspice.base.errors import InputError
from kanspice.families.common.inputs import check_input
from kanspice.families.common.network import Network
from kanspice.families.edgekan.layers import AnySpec, EdgeLayer, module_of

NormName = Literal["layer", "none"]
NORMS: tuple[NormName, ...] = get_args(NormName)
NORM_EPS = 1e-5


class EdgeKAN(Network):
    """A KAN of any number of layers, each with its own basis; LayerNorm (eps 1e-5) or nothing between them.

    layers: what each layer is, as in `layers`. Submodules: `layers[m]`, `norms[m]` (identity for "none").
    Raises InputError for layers that do not follow each other, and for an unknown norm.
    """

    def __init__(self, layers: Sequence[AnySpec], *, norm: str = "none") -> None:
        super().__init__()
        self.specs = _check_specs(layers)
        self.norm = _norm_name(norm)
        self.layers = nn.ModuleList(module_of(spec) for spec in self.specs)
        self.norms = nn.ModuleList(_norm(self.norm, spec.outputs) for spec in self.specs[:-1])

    @property
    def input_width(self) -> int:
        return self.specs[0].inputs

    @property
    def output_width(self) -> int:
        return self.specs[-1].outputs

    @property
    def part_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(spec.label for spec in self.specs))

    @property
    def edge_layers(self) -> tuple[EdgeLayer, ...]:
        """The layers, in order."""
        return tuple(layer for layer in self.layers if isinstance(layer, EdgeLayer))

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Every intermediate result for inputs x (samples, inputs), in order; each is (samples, width).

        `l<m>.layer` (sums of edges and bias) and `l<m>.norm` (where there is one), m from 1. The last is the output.
        Raises InputError if x has another shape.
        """
        values = check_input(x, self.input_width, "EdgeKAN.forward")
        results: dict[str, Tensor] = {}
        for index, layer in enumerate(self.layers):
            values = results[f"l{index + 1}.layer"] = layer(values)
            if self.norm != "none" and index < len(self.norms):
                values = results[f"l{index + 1}.norm"] = self.norms[index](values)
        return results

    def forward(self, x: Tensor) -> Tensor:
        """The outputs (samples, outputs) for inputs x (samples, inputs): the last of `stages(x)`."""
        return list(self.stages(x).values())[-1]


def _norm(norm: NormName, width: int) -> nn.Module:
    return nn.LayerNorm(width, eps=NORM_EPS, dtype=torch.float64) if norm == "layer" else nn.Identity()


def _norm_name(norm: str) -> NormName:
    for known in NORMS:
        if known == norm:
            return known
    raise InputError("unknown norm between layers", expected="layer or none", found=repr(norm))


def _check_specs(layers: Sequence[AnySpec]) -> tuple[AnySpec, ...]:
    if not layers:
        raise InputError("the network has no layers", expected="one layer or more", found="none")
    for number, (before, after) in enumerate(pairwise(layers), 1):
        if before.outputs != after.inputs:
            raise InputError(
                f"layer {number + 1} does not take what layer {number} gives",
                expected=f"{before.outputs} inputs",
                found=str(after.inputs),
            )
    return tuple(layers)
