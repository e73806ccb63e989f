"""How the checkpoint of a network of devices keeps the learnt network that it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor, from_numpy

from kanspice.base.errors import InputError
from kanspice.families.common.network import as_array
from kanspice.families.common.state import check_tensors
from kanspice.families.edgekan.checkpoint import OwnConfig
from kanspice.families.edgekan.moments import NodeMap
from kanspice.families.edgekan.original import Original
from kanspice.families.edgekan.parameters import build, parameter_shapes

PREFIX = "original."
_MAPS = "maps."


class OriginalConfig(OwnConfig):
    """What the JSON text says of it: an EdgeKAN, and whether its inputs pass a first layer of resistors."""

    mapped: bool

    @property
    def widths(self) -> list[int]:
        """Of the network of devices."""
        inputs = [self.layers[0].inputs] * (1 + self.mapped)
        return [*inputs, *(layer.outputs for layer in self.layers)]


def kept_config(original: Original) -> OriginalConfig:
    """What goes into the JSON text."""
    network = original.network
    return OriginalConfig(layers=list(network.specs), norm=network.norm, mapped=original.mapped)


def kept_state(original: Original) -> dict[str, Tensor]:
    """The tensors beside those of the network of devices."""
    maps = {
        f"{_MAPS}{number}.{name}": from_numpy(np.ascontiguousarray(values))
        for number, each in enumerate(original.maps)
        for name, values in (("gain", each.gain), ("offset", each.offset))
    }
    return {f"{PREFIX}{name}": tensor for name, tensor in {**original.network.state_dict(), **maps}.items()}


def kept_shapes(config: OriginalConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of those tensors."""
    maps = {
        f"{_MAPS}{number}.{name}": (layer.outputs,)
        for number, layer in enumerate(config.layers[:-1])
        for name in ("gain", "offset")
    }
    return {
        f"{PREFIX}{name}": shape for name, shape in {**parameter_shapes(config.layers, config.norm), **maps}.items()
    }


def original_of(config: OriginalConfig, state: Mapping[str, Tensor], path: Path) -> Original:
    """Of what `kept_state` wrote, and no other tensors. Raises InputError if anything in it is unusable."""
    check_tensors(state, kept_shapes(config), path)
    own = {name.removeprefix(PREFIX): tensor for name, tensor in state.items()}
    maps = tuple(_map(own, number, path) for number in range(len(config.layers) - 1))
    weights = {name: tensor for name, tensor in own.items() if not name.startswith(_MAPS)}
    return Original(build(config.layers, config.norm, weights, path), maps, config.mapped)


def _map(own: Mapping[str, Tensor], number: int, path: Path) -> NodeMap:
    gain, offset = (as_array(own[f"{_MAPS}{number}.{name}"]) for name in ("gain", "offset"))
    if (gain == 0).any():
        problem = f"{PREFIX}{_MAPS}{number}.gain has a zero"
        raise InputError(problem, where=path, expected="how many volts each unit of a node is", found="0")
    return NodeMap(gain, offset)
