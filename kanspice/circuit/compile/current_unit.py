"""What one unit of device current is in amps: what the devices' cards say, unless the technology says otherwise."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kanspice.base.quantities import si
from kanspice.devices import Device
from kanspice.technology import Technology

_SAME = 1e-9
"""Relative difference of two units that are one."""


def with_current_unit(technology: Technology, devices: Sequence[Device]) -> Technology:
    """The technology with `units.i_unit_a` as the devices' cards have it, where nobody has set it.

    A network adds numbers, so one unit is the same current for all its devices. Where cards state different ones it is
    the smallest: the others are then made smaller than measured, none larger. Cards that state none follow.
    """
    if math.isinf(stated_unit_a(devices)) or "i_unit_a" in technology.units.model_fields_set:
        return technology
    units = technology.units
    fields = {**dict(units), "i_unit_a": stated_unit_a(devices)}
    units = units.model_construct(_fields_set=set(units.model_fields_set), **fields)  # nobody has set it, still
    return technology.model_copy(update={"units": units})


def current_unit_notes(devices: Sequence[Device], unit_a: float) -> tuple[str, ...]:
    """What a report says of devices (a network's) in a circuit whose unit of device current is `unit_a` amps."""
    stated = _stated(devices)
    silent = [name for name in dict.fromkeys(device.name for device in devices) if name not in stated]
    as_measured = [name for name, amps in stated.items() if abs(unit_a - amps) <= _SAME * amps]
    notes = []
    if as_measured:
        notes.append(f"one unit of device current is {si(unit_a, 'A')}, as the card of {_listed(as_measured)} says")
    for name, amps in stated.items():
        if name not in as_measured:
            notes.append(
                f"{name} is scaled to {unit_a / amps:.4g} of its measured size: its card's unit of current is "
                f"{si(amps, 'A')}, the circuit's {si(unit_a, 'A')}"
            )
    if silent:
        notes.append(
            f"the card of {_listed(silent)} does not say what its unit of current is: {si(unit_a, 'A')} is assumed, "
            "and power, wires, noise and stability are those of such a device (units.i_unit_a sets another)"
        )
    return tuple(notes)


def power_notes(devices: Sequence[Device]) -> tuple[str, ...]:
    """What a report says of curves that no passive device has."""
    notes = []
    for device in {device.name: device for device in devices}.values():
        found = device.delivers
        if found is not None:
            volts, current = found
            notes.append(
                f"the curve of {device.name} carries {current:.3g} units at {volts:.3g} V: there it delivers power, "
                "which no passive device does (cards such as z21_passive, and those of `kanspice devices fit --kind "
                "passive`, do not)"
            )
    return tuple(notes)


def stated_unit_a(devices: Sequence[Device]) -> float:
    """The smallest unit of current that the devices' cards state; infinite where none does."""
    return min(_stated(devices).values(), default=math.inf)


def _stated(devices: Sequence[Device]) -> dict[str, float]:
    """Amps of a unit of current by device, of the cards that say it."""
    units = {device.name: device.card.units.current_unit_a for device in devices}
    return {name: amps for name, amps in units.items() if amps is not None}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
