"""The parameters of a KANalogue network by name and shape, and a network built from given ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from kanspice.base.arrays import Array
from kanspice.devices import Device
from kanspice.families.kanalogue.arrays import LayerArrays, LayerNormArrays
from kanspice.families.kanalogue.network import KANalogue, NormName


def parameter_shapes(widths: Sequence[int], n_devices: int, norm: NormName) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor in the state dict of a KANalogue of these widths; allocates nothing."""
    shapes: dict[str, tuple[int, ...]] = {}
    for m, (n_in, n_out) in enumerate(pairwise(widths)):
        shapes[f"crossbars.{m}.coeffs"] = (n_in, n_out, n_devices)
        shapes[f"crossbars.{m}.bias"] = (n_out,)
    for m, width in enumerate(widths[1:-1]):
        shapes |= {f"norms.{m}.{name}": shape for name, shape in _norm_shapes(norm, width).items()}
    return shapes


def _norm_shapes(norm: NormName, width: int) -> dict[str, tuple[int, ...]]:
    if norm == "none":
        return {}
    affine: dict[str, tuple[int, ...]] = {"weight": (width,), "bias": (width,)}
    if norm == "layer":
        return affine
    return affine | {"running_mean": (width,), "running_var": (width,), "num_batches_tracked": ()}


def build(
    widths: Sequence[int],
    devices: Sequence[Device],
    input_stage: str | None,
    norm: NormName,
    state: Mapping[str, Tensor],
) -> KANalogue:
    """A network in eval mode with these parameters (checked before); float32 is widened to float64, exactly.

    Leaves torch's global random generator as it was.
    """
    with torch.random.fork_rng(devices=[]):
        model = KANalogue(widths, devices, input_stage=input_stage, norm=norm)
    model.load_state_dict(dict(state), strict=True)
    return model.eval()


def build_of_arrays(
    devices: Sequence[Device],
    input_stage: str,
    layers: Sequence[LayerArrays],
) -> KANalogue:
    """A network in eval mode of layers as arrays, with LayerNorm or nothing after each but the last."""
    norm: NormName = "layer" if any(layer.norm is not None for layer in layers) else "none"
    state: dict[str, Tensor] = {}
    for m, layer in enumerate(layers):
        state |= {f"crossbars.{m}.coeffs": _tensor(layer.coeffs), f"crossbars.{m}.bias": _tensor(layer.bias)}
        if isinstance(layer.norm, LayerNormArrays):
            state |= {f"norms.{m}.weight": _tensor(layer.norm.gain), f"norms.{m}.bias": _tensor(layer.norm.offset)}
    widths = [layers[0].coeffs.shape[0], *(layer.coeffs.shape[1] for layer in layers)]
    return build(widths, devices, input_stage, norm, state)


def _tensor(values: Array) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
