"""Activations: those of software, and the current of a device (first KANalogue paper, Fig. 9)."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from kanspice.base.errors import InputError
from kanspice.devices import Device

PlainName = Literal["relu", "sigmoid", "tanh"]
PLAIN: dict[PlainName, type[nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}
"""Activations without a device, by name."""


class DeviceActivation(nn.Module):
    """(phi(v) + shift) / scale of a device's curve phi, v being limited to `clamp` first.

    clamp: (low, high), in units of voltage, within the device's range; the range itself if None.
    shift: in units of the device's current. scale: of either sign, not 0.
    It is a module without parameters, and may stand in any `nn.Sequential`. Raises InputError for a clamp beyond the
    curve, which says nothing there, and for numbers that cannot be used.
    """

    def __init__(
        self, device: Device, clamp: tuple[float, float] | None = None, *, shift: float = 0.0, scale: float = 1.0
    ) -> None:
        super().__init__()
        if not isinstance(device, Device):
            hint = "kanspice.load_device(NAME) makes one"
            raise InputError("an activation needs a device", found=f"{device!r}"[:80], hint=hint)
        curve = device.curve
        if clamp is not None and len(np.atleast_1d(clamp)) != 2:
            raise InputError("the activation's clamp is no range", expected="(low, high)", found=f"{clamp!r}"[:80])
        low, high = (curve.lo_v, curve.hi_v) if clamp is None else clamp
        if not curve.lo_v <= low < high <= curve.hi_v:
            raise InputError(
                f"the activation's clamp goes beyond the curve of {device.name}",
                expected=f"low < high, both from {curve.lo_v:g} to {curve.hi_v:g} V",
                found=f"{low:g} to {high:g}",
                hint="a card with a wider range, or a narrower clamp: inputs beyond it are limited, not refused",
            )
        if not (math.isfinite(shift) and math.isfinite(scale) and scale != 0):
            raise InputError(
                "the activation's shift or scale cannot be used",
                expected="finite numbers, a scale other than 0",
                found=f"shift {shift!r}, scale {scale!r}",
            )
        self.device, self.low, self.high = device, float(low), float(high)
        self.shift, self.scale = float(shift), float(scale)

    def __deepcopy__(self, _memo: dict[int, object]) -> DeviceActivation:
        """Another module of the same device, which never changes."""
        return DeviceActivation(self.device, (self.low, self.high), shift=self.shift, scale=self.scale)

    def limited(self, x: Tensor) -> Tensor:
        """What the device gets, for any x."""
        return x.clamp(self.low, self.high)

    def forward(self, x: Tensor) -> Tensor:
        current: Tensor = self.device.curve.torch(self.limited(x))
        return ((current + self.shift) / self.scale).to(x.dtype if x.is_floating_point() else torch.float64)

    def extra_repr(self) -> str:
        """What `print` shows of it."""
        clamp = f"{self.low:g} to {self.high:g} V"
        return f"{self.device.name}, {clamp}, shift={self.shift:g}, scale={self.scale:g}"


def plain_name(layer: nn.Module) -> PlainName:
    """The name of the module of an activation without a device."""
    for name, module in PLAIN.items():
        if type(layer) is module:
            return name
    raise TypeError(f"{type(layer).__name__} is no layer of a multilayer perceptron")
