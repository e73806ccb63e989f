"""A trained KANalogue network as arrays, for those who build its circuit."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from kanspice.base.arrays import Array
from kanspice.families.common.network import as_array
from kanspice.families.kanalogue.input_stages import INPUT_STAGES
from kanspice.families.kanalogue.network import NORM_EPS, KANalogue


@dataclass(frozen=True)
class BatchNormArrays:
    """y = (x - mean) / sqrt(variance + eps) * gain + offset, each (width,)."""

    mean: Array
    variance: Array
    gain: Array
    offset: Array
    eps: float = NORM_EPS


@dataclass(frozen=True)
class LayerNormArrays:
    """The same over a sample's own mean and biased variance; gain and offset (width,)."""

    gain: Array
    offset: Array
    eps: float = NORM_EPS


@dataclass(frozen=True)
class LayerArrays:
    """One layer: coefficients (n_in, n_out, K), bias (n_out,), and the norm after it, if any."""

    coeffs: Array
    bias: Array
    norm: BatchNormArrays | LayerNormArrays | None


def layer_arrays(model: KANalogue) -> tuple[LayerArrays, ...]:
    """The trained parameters, layer by layer, without noise."""
    norms: list[nn.Module | None] = [*model.norms, None]
    return tuple(
        LayerArrays(as_array(crossbar.coeffs), as_array(crossbar.bias), _norm_arrays(norm))
        for crossbar, norm in zip(model.crossbars, norms, strict=True)
    )


def input_range(model: KANalogue) -> tuple[float, float] | None:
    """What the input stage limits to, [low, high] in model units; None when it does not limit."""
    return INPUT_STAGES[model.input_stage].output_range


def _norm_arrays(norm: nn.Module | None) -> BatchNormArrays | LayerNormArrays | None:
    if isinstance(norm, nn.BatchNorm1d):
        statistics = as_array(norm.running_mean), as_array(norm.running_var)
        return BatchNormArrays(*statistics, as_array(norm.weight), as_array(norm.bias))
    if isinstance(norm, nn.LayerNorm):
        return LayerNormArrays(as_array(norm.weight), as_array(norm.bias))
    return None
