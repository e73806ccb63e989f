"""Followers that drive rows, as they come out of production: their offsets."""

from __future__ import annotations

from dataclasses import replace

from kanspice.base.draws import Draw
from kanspice.circuit import Drivers
from kanspice.technology import Technology


def drivers_specimen(drivers: Drivers, technology: Technology, draw: Draw) -> Drivers:
    """The followers with the offsets that they really have."""
    tia = technology.tia
    drawn_v = tia.offset_sigma_v * draw.normal(f"{drivers.name}.offset_v", (drivers.width,))
    return replace(drivers, offset_v=tia.offset_v + drawn_v)
