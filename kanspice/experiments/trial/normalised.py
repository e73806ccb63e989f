"""A device in the units of a network: its whole range of voltages, and its largest current as one unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanspice.base.errors import InputError
from kanspice.devices import Device, PiecewisePolynomial, behind, is_resistance
from kanspice.families.kanalogue.starting import full_scale

_POINTS = 4001
_OF_RAILS = 0.8
"""That amplifiers drive devices to: the rest is for what their parts are off."""


@dataclass(frozen=True)
class NormalisedDevice:
    """measured: the device as it is. device: with a curve of model units. range_v: volts that the network's full scale
    is. unit: current units of the card that are one unit of the network's."""

    measured: Device
    device: Device
    range_v: float
    unit: float

    @property
    def volts_per_unit(self) -> float:
        return self.range_v / full_scale()


def normalised(device: Device, rail_v: float, part: float = 1.0) -> NormalisedDevice:
    """The device from 0 V to a part of its range, which ends where amplifiers with rails of `rail_v` can drive it.

    A resistance, which has no range of its own, has the network's.

    The card's unit of current is gone: circuits take what their technology assumes for one unit, so that devices of any
    size can be compared. Raises InputError for a curve without positive voltages, or without current.
    """
    curve = device.curve if isinstance(device.curve, PiecewisePolynomial) else behind(device.curve, 0.0)
    whole_v = full_scale() if is_resistance(curve) else curve.hi_v
    range_v = part * min(whole_v, _OF_RAILS * rail_v)
    largest = float(np.abs(curve.numpy(np.linspace(0, range_v, _POINTS))[0]).max()) if range_v > 0 else 0.0
    if largest == 0:
        raise InputError(
            "a network drives its devices with voltages from 0 V up",
            where=f"device {device.name}",
            expected="a current somewhere above 0 V",
            found=f"{curve.lo_v:g} V to {curve.hi_v:g} V",
            hint="measure the other direction, or change the sign of voltage and current",
        )
    stretched = curve.stretched(full_scale() / range_v)
    scaled = PiecewisePolynomial(stretched.breakpoints, stretched.coefficients / largest)
    card = device.with_curve(scaled).to_dict()
    card["units"] = {"voltage": "V", "current": "the largest current"}
    return NormalisedDevice(device, Device.from_dict(card, f"device {device.name}"), range_v, largest)
