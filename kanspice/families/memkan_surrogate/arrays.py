"""The synapses that a trained surrogate stands for as arrays, for those who build their circuit."""

from __future__ import annotations

import numpy as np

from kanspice.families.common.network import as_array
from kanspice.families.memkan.arrays import SynapseArrays
from kanspice.families.memkan_surrogate.network import SurrogateMemKAN


def surrogate_arrays(model: SurrogateMemKAN) -> tuple[SynapseArrays, ...]:
    """The synapses that a surrogate stands for, layer by layer: all of them are band-pass ones."""
    return tuple(
        SynapseArrays(
            kind=np.full(tuple(layer.gain.shape), "BP"),
            **{name: as_array(parameter) for name, parameter in found._asdict().items()},
            gain=as_array(layer.gain),
            bias=np.zeros(layer.gain.shape[1]),
            input_bias=as_array(layer.bias),
        )
        for found, layer in zip(model.synapses(), model.surrogate_layers(), strict=True)
    )
