"""What a projection needs to know of a layer's edges: their products with device curves, mean over samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from kanspice.base.arrays import Array
from kanspice.devices import Device
from kanspice.families.edgekan.layers import EdgeLayer

BLOCK = 256
"""Samples whose edges are held at a time."""


@dataclass(frozen=True)
class NodeMap:
    """Values of nodes as devices see them: gain x + offset, (width,) each."""

    gain: Array
    offset: Array

    def __call__(self, values: Array) -> Array:
        return values * self.gain + self.offset

    @classmethod
    def onto(cls, values: Array, top: float) -> NodeMap:
        """The range of each column of values (samples, width) becomes 0 to top; one that stands still, the middle."""
        low, span = values.min(axis=0), np.ptp(values, axis=0)
        moves = span > 0
        gain = np.divide(top, span, out=np.ones_like(span), where=moves)
        return cls(gain, np.where(moves, 0.0, top / 2) - gain * low)

    @classmethod
    def none(cls, width: int) -> NodeMap:
        """Values as they are."""
        return cls(np.ones(width), np.zeros(width))


@dataclass(frozen=True)
class Moments:
    """Means over samples, K devices and a constant last. gram: (inputs, K + 1, K + 1), of the curves' products.

    cross: (inputs, K + 1, outputs), of curves and edge functions. square: (inputs, outputs), of the functions' squares.
    """

    gram: Array
    cross: Array
    square: Array

    @property
    def variance(self) -> Array:
        """(inputs, outputs) of the edge functions."""
        return np.maximum(self.square - self.cross[:, -1] ** 2, 0.0)


def basis(devices: Sequence[Device], volts: Array) -> Array:
    """Each device's current at volts (samples, inputs), and 1: (samples, inputs, K + 1)."""
    return np.stack([*(device.curve.numpy(volts)[0] for device in devices), np.ones_like(volts)], axis=-1)


def edge_functions(layer: EdgeLayer, values: Array) -> Array:
    """Every edge's function (samples, inputs, outputs) at values (samples, inputs)."""
    with torch.no_grad():
        return np.asarray(layer.edges(torch.from_numpy(np.ascontiguousarray(values))).numpy())


def moments(layer: EdgeLayer, values: Array, to_volts: NodeMap, devices: Sequence[Device]) -> Moments:
    """Of a layer and the values (samples, inputs) that its edges see."""
    gram: Array | float = 0.0
    cross: Array | float = 0.0
    square: Array | float = 0.0
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        curves = basis(devices, to_volts(block)).transpose(1, 2, 0)
        functions = edge_functions(layer, block)
        gram = gram + curves @ curves.transpose(0, 2, 1)
        cross = cross + curves @ functions.transpose(1, 0, 2)
        square = square + (functions**2).sum(axis=0)
    return Moments(*(np.asarray(total) / len(values) for total in (gram, cross, square)))
