"""A KAN and the areas that its edges are made of, as a KANalogue: scales between layers are folded into it.

Devices see 0 to 1.4 V. What a hidden node does on the samples is mapped onto that range by the layer before, whose
areas and bias (or the gain and offset of the LayerNorm between) are scaled: it costs nothing. Values of the network's
inputs within that range are taken as they are; others pass a first layer with one resistor for each, and its bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.devices import Device
from kanspice.families.edgekan.arrays import layer_biases, layer_norms
from kanspice.families.edgekan.moments import NodeMap, basis
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.edgekan.original import Original
from kanspice.families.kanalogue.arrays import LayerArrays, LayerNormArrays
from kanspice.families.kanalogue.network import KANalogue
from kanspice.families.kanalogue.parameters import build_of_arrays

TOP_V = 1.4
"""What devices see at most: the input stage "PosHC" clips there."""
RESISTOR = "ohmic"
"""The card of a resistor."""


@dataclass(frozen=True)
class Placement:
    """Where devices stand. maps: of each layer's inputs. first: whether a layer of resistors maps the network's inputs.

    devices: of every crosspoint. norms, biases: of the network's layers.
    """

    devices: tuple[Device, ...]
    maps: tuple[NodeMap, ...]
    first: bool
    norms: tuple[LayerNormArrays | None, ...]
    biases: tuple[Array, ...]

    @property
    def input_stage(self) -> str:
        """Inputs below 0 V must reach the first layer's resistors, where there are any."""
        return "None" if self.first else "PosHC"

    def volts(self, layer: int, values: Array) -> Array:
        """What devices of a layer, from 0, see of values (samples, inputs)."""
        volts = self.maps[layer](values)
        return volts if self.first else np.clip(volts, 0.0, TOP_V)

    def summed(self, layer: int, values: Array, areas: Array) -> Array:
        """The sums (samples, outputs) of a layer made of devices; before any norm."""
        curves = basis(self.devices, self.volts(layer, values))
        return curves.reshape(len(values), -1) @ areas.reshape(-1, areas.shape[2]) + self.biases[layer]

    def outputs(self, values: Array, areas: Sequence[Array]) -> Array:
        """The outputs of the whole network of devices, with these areas for each layer."""
        for layer, each in enumerate(areas):
            values = self.summed(layer, values, each)
            norm = self.norms[layer]
            if norm is not None:
                mean, variance = values.mean(axis=1, keepdims=True), values.var(axis=1, keepdims=True)
                values = (values - mean) / np.sqrt(variance + norm.eps) * norm.gain + norm.offset
        return values

    def built(self, areas: Sequence[Array]) -> KANalogue:
        """The same as a KANalogue."""
        layers = [self._first_layer()] if self.first else []
        for index, each in enumerate(areas):
            coeffs, bias = each[:, :-1].transpose(0, 2, 1), self.biases[index] + each[:, -1].sum(axis=0)
            layers.append(self._folded(index, coeffs, bias))
        return build_of_arrays(self.devices, self.input_stage, layers)

    def original(self, model: EdgeKAN) -> Original:
        """The learnt network, and where its nodes are in the KANalogue that was built of it."""
        return Original(model, self.maps[1:], self.first)

    def _folded(self, layer: int, coeffs: Array, bias: Array) -> LayerArrays:
        norm = self.norms[layer]
        if layer + 1 == len(self.maps):
            return LayerArrays(coeffs, bias, norm)
        after = self.maps[layer + 1]
        if norm is None:
            return LayerArrays(coeffs * after.gain[None, :, None], after(bias), None)
        return LayerArrays(coeffs, bias, LayerNormArrays(norm.gain * after.gain, after(norm.offset), norm.eps))

    def _first_layer(self) -> LayerArrays:
        width = len(self.maps[0].gain)
        coeffs = np.zeros((width, width, len(self.devices)))
        resistor = [device.name for device in self.devices].index(RESISTOR)
        coeffs[np.arange(width), np.arange(width), resistor] = self.maps[0].gain
        return LayerArrays(coeffs, self.maps[0].offset, None)


def planned(model: EdgeKAN, values: Sequence[Array], devices: Sequence[Device]) -> Placement:
    """Where the devices of a KAN stand, of what each of its layers sees on samples (samples, inputs).

    Raises InputError for inputs that no device takes, where there is no resistor to map them, or no place for one.
    """
    norms, biases = layer_norms(model), layer_biases(model)
    first = bool((values[0] < 0).any() or (values[0] > TOP_V).any())
    if first:
        _check_first(values[0], devices, norms)
    inputs = NodeMap.onto(values[0], TOP_V) if first else NodeMap.none(values[0].shape[1])
    maps = [inputs, *(NodeMap.onto(hidden, TOP_V) for hidden in values[1:])]
    return Placement(tuple(devices), tuple(maps), first, norms, biases)


def _check_first(inputs: Array, devices: Sequence[Device], norms: Sequence[object]) -> None:
    found = f"{inputs.min():.4g} to {inputs.max():.4g}"
    problem = "the inputs are beyond what devices see"
    if any(norm is not None for norm in norms):
        hint = "scale the inputs, and the network's first layer: between layers with LayerNorm no other can stand"
        raise InputError(problem, where="--inputs", expected=f"0 to {TOP_V:g} V", found=found, hint=hint)
    if RESISTOR not in [device.name for device in devices]:
        hint = "--resistor, of which a first layer then maps them"
        raise InputError(problem, where="--inputs", expected=f"0 to {TOP_V:g} V", found=found, hint=hint)
