"""A trained MemKAN as arrays, for those who build its circuit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.families.common.network import as_array
from kanspice.families.memkan.network import MemKAN


@dataclass(frozen=True)
class SynapseArrays:
    """One layer of a MemKAN: its synapses, each (n_in, n_out, K), and bias (n_out,) in volts.

    input_bias: volts that each synapse gets besides its row's.

    kind: "LP", "BP" or "HP". load_ohm: R_l; divider_ohm: R, which only BP has; series_ohm: R_s; alpha_per_v: alpha;
    saturation_a: I_0. gain: volts per volt, signed.
    """

    kind: npt.NDArray[np.str_]
    load_ohm: Array
    divider_ohm: Array
    series_ohm: Array
    alpha_per_v: Array
    saturation_a: Array
    gain: Array
    bias: Array
    input_bias: Array


def synapse_arrays(model: MemKAN) -> tuple[SynapseArrays, ...]:
    """The trained layers, in order. Voltages that layers have in common are in `model.constants`."""
    return tuple(
        SynapseArrays(
            kind=np.broadcast_to(np.array(model.kinds), tuple(layer.gain.shape)).copy(),
            **{name: as_array(parameter) for name, parameter in found._asdict().items()},
            gain=as_array(layer.gain),
            bias=as_array(layer.bias),
            input_bias=np.zeros(tuple(layer.gain.shape)),
        )
        for found, layer in zip(model.synapses(), model.synapse_layers(), strict=True)
    )
