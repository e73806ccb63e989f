"""A trained multilayer perceptron as arrays, for those who build its circuit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.devices import Device
from kanspice.families.common.network import as_array
from kanspice.families.mlp.activations import DeviceActivation, PlainName, plain_name
from kanspice.families.mlp.network import MLP


@dataclass(frozen=True)
class LinearArrays:
    """y = W x + b. weight: (outputs, inputs). name, place: of the stage with its result, and of the layer."""

    place: int
    name: str
    weight: Array
    bias: Array


@dataclass(frozen=True)
class LayerNormArrays:
    """y = (x - mean) / sqrt(variance + eps) * gain + offset over a sample; gain and offset (width,)."""

    place: int
    gain: Array
    offset: Array
    eps: float


@dataclass(frozen=True)
class DeviceArrays:
    """y = (phi(x) + shift) / scale, x limited to [low, high] first."""

    place: int
    device: Device
    low: float
    high: float
    shift: float
    scale: float


@dataclass(frozen=True)
class LimiterArrays:
    """An activation without a device."""

    place: int
    kind: PlainName


Step = LinearArrays | LayerNormArrays | DeviceArrays | LimiterArrays


@dataclass(frozen=True)
class _Affine:
    """y = gain x + offset, each (width,): a BatchNorm whose statistics are known."""

    place: int
    gain: Array
    offset: Array


def steps(model: MLP) -> tuple[Step, ...]:
    """What the network does, every BatchNorm fused into a linear layer beside it: the one before, else the one after.

    Raises InputError for a BatchNorm that stands beside none.
    """
    found = list[Step]()
    waiting: _Affine | None = None
    for place, layer in enumerate(model.layers, 1):
        step = _step(place, layer)
        if isinstance(step, _Affine):
            before = found[-1] if found else None
            if waiting is None and isinstance(before, LinearArrays):
                found[-1] = _after(before, step)
            else:
                waiting = step if waiting is None else _both(waiting, step)
        elif waiting is None:
            found.append(step)
        elif isinstance(step, LinearArrays):
            found.append(_before(waiting, step))
            waiting = None
        else:
            break
    if waiting is not None:
        raise InputError(
            f"the BatchNorm1d at layer {waiting.place} stands beside no linear layer",
            expected="a Linear before or after it, into which it is fused",
            hint="leave it out, or put a linear layer behind it",
        )
    return tuple(found)


def _step(place: int, layer: nn.Module) -> Step | _Affine:
    match layer:
        case nn.Linear():
            return LinearArrays(place, f"l{place}.crossbar", as_array(layer.weight), as_array(layer.bias))
        case nn.BatchNorm1d():
            gain = as_array(layer.weight) / np.sqrt(as_array(layer.running_var) + layer.eps)
            return _Affine(place, gain, as_array(layer.bias) - as_array(layer.running_mean) * gain)
        case nn.LayerNorm():
            return LayerNormArrays(place, as_array(layer.weight), as_array(layer.bias), layer.eps)
        case DeviceActivation():
            return DeviceArrays(place, layer.device, layer.low, layer.high, layer.shift, layer.scale)
        case _:
            return LimiterArrays(place, plain_name(layer))


def _after(linear: LinearArrays, norm: _Affine) -> LinearArrays:
    weight, bias = linear.weight * norm.gain[:, None], linear.bias * norm.gain + norm.offset
    return LinearArrays(linear.place, f"l{norm.place}.norm", weight, bias)


def _before(norm: _Affine, linear: LinearArrays) -> LinearArrays:
    bias = linear.bias + linear.weight @ norm.offset
    return LinearArrays(linear.place, linear.name, linear.weight * norm.gain, bias)


def _both(first: _Affine, second: _Affine) -> _Affine:
    return _Affine(first.place, first.gain * second.gain, first.offset * second.gain + second.offset)
