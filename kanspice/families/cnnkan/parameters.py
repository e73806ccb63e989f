"""The parameters of a CNN-KAN by name and shape, and a network built from given ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from kanspice.devices import Device
from kanspice.families.cnnkan.network import CNNKAN, Window


def parameter_shapes(channels: Sequence[int], outputs: int, n_devices: int, kernel: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor in the state dict of a CNN-KAN; allocates nothing.

    channels: of the image, and of each block.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for block, (before, width) in enumerate(pairwise(channels)):
        shapes[f"blocks.{block}.conv.weight"] = (width, before, kernel, kernel)
        shapes[f"blocks.{block}.kan.coeffs"] = (width, width, n_devices)
        shapes[f"blocks.{block}.kan.bias"] = (width,)
        shapes |= {
            f"blocks.{block}.norm.{name}": (width,) for name in ("weight", "bias", "running_mean", "running_var")
        }
        shapes[f"blocks.{block}.norm.num_batches_tracked"] = ()
    return shapes | {"head.coeffs": (channels[-1], outputs, n_devices), "head.bias": (outputs,)}


def build(
    state: Mapping[str, Tensor],
    image: tuple[int, int, int],
    channels: Sequence[int],
    outputs: int,
    devices: Sequence[Device],
    *,
    window: Window,
) -> CNNKAN:
    """A network in eval mode with these parameters (checked before); float32 is widened to float64, exactly.

    Leaves torch's global random generator as it was.
    """
    with torch.random.fork_rng(devices=[]):
        model = CNNKAN(image, channels, outputs, devices, **dataclasses.asdict(window))
    model.load_state_dict(dict(state), strict=True)
    return model.eval()
