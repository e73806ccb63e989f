"""The learnt network that a network of devices was made of, kept with it, and where its nodes are in the other's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from kanspice.base.arrays import Array
from kanspice.families.common.following import reference_stages
from kanspice.families.edgekan.layers import EdgeLayer
from kanspice.families.edgekan.moments import BLOCK, NodeMap
from kanspice.families.edgekan.network import EdgeKAN


@dataclass(frozen=True)
class MadeLayer:
    """A layer's sums (samples, outputs) before any norm, in units of the learnt network.

    made: by devices. learnt: by the learnt network. own: what the learnt layer makes of the values that the layer of
    devices was given.
    """

    name: str
    made: Array
    learnt: Array
    own: Array


@dataclass(frozen=True)
class Original:
    """network: of learnt edges. mapped: whether a first layer of resistors maps the inputs of the network of devices.

    maps: of what reaches each layer but the first, to the volts that devices have instead.
    """

    network: EdgeKAN
    maps: tuple[NodeMap, ...]
    mapped: bool

    def sums(self, layer: int, stages: Mapping[str, Array]) -> Array:
        """What a layer, from 0, adds up to in the stages of the network of devices."""
        crossbar = stages[f"{self._place(layer)}.crossbar"]
        if layer == len(self.maps) or self.network.norm != "none":
            return crossbar
        return self._values(layer, crossbar)

    def layers(self, inputs: Array, stages: Mapping[str, Array]) -> tuple[MadeLayer, ...]:
        """Layer by layer, for the inputs (samples, inputs) and the stages of the network of devices."""
        learnt = reference_stages(self.network, inputs)
        found, values = list[MadeLayer](), inputs
        for index, layer in enumerate(self.network.edge_layers):
            made = self.sums(index, stages)
            found.append(MadeLayer(f"l{index + 1}", made, learnt[f"l{index + 1}.layer"], _answered(layer, values)))
            if index < len(self.maps):
                kind = "crossbar" if self.network.norm == "none" else "norm"
                values = self._values(index, stages[f"{self._place(index)}.{kind}"])
        return tuple(found)

    def outputs(self, inputs: Array) -> Array:
        """The learnt network's own outputs (samples, outputs) for inputs (samples, inputs); not always finite."""
        return list(reference_stages(self.network, inputs).values())[-1]

    def _place(self, layer: int) -> str:
        return f"l{layer + 1 + self.mapped}"

    def _values(self, layer: int, volts: Array) -> Array:
        """What the next layer is given, where devices see these volts."""
        after = self.maps[layer]
        return (volts - after.offset) / after.gain


def _answered(layer: EdgeLayer, values: Array) -> Array:
    blocks = [values[start : start + BLOCK] for start in range(0, len(values), BLOCK)]
    with torch.no_grad():
        return np.concatenate([layer(torch.from_numpy(np.ascontiguousarray(block))).numpy() for block in blocks])
