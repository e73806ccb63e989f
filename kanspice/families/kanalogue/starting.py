"""A KANalogue before its training, at a start from which any device's curve can be trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from kanspice.base.arrays import Array
from kanspice.devices import Device
from kanspice.families.kanalogue.input_stages import INPUT_STAGES, InputStageName
from kanspice.families.kanalogue.network import KANalogue

_STAGE: InputStageName = "PosHC"


def fresh(widths: Sequence[int], devices: Sequence[Device], inputs: Array, seed: int) -> KANalogue:
    """A network whose hidden voltages lie in the middle of what devices get, a quarter of the range each way.

    inputs: samples (samples, inputs) in model units, which batch normalisation has its statistics from; further
    training keeps them. seed: of the coefficients.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = KANalogue(widths, devices, input_stage=_STAGE, norm="batch")
    low, high = INPUT_STAGES[_STAGE].output_range or (-1.0, 1.0)
    norms = [norm for norm in model.norms if isinstance(norm, nn.BatchNorm1d)]
    for norm in norms:
        nn.init.constant_(norm.weight, (high - low) / 4)
        nn.init.constant_(norm.bias, (high + low) / 2)
        norm.momentum = None  # statistics of all samples, not of the last ones
    model.train()
    with torch.no_grad():
        model(torch.from_numpy(inputs))
    model.eval()
    for norm in norms:
        norm.momentum = 0.1
    return model


def full_scale() -> float:
    """The largest voltage, in model units, that devices of such a network get."""
    found = INPUT_STAGES[_STAGE].output_range
    assert found is not None  # noqa: S101 - this stage has one
    return found[1]
