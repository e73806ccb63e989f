"""How much devices differ from each other: what their cards say, unless somebody has set it."""

from __future__ import annotations

from collections.abc import Sequence

from kanspice.base.errors import InputError
from kanspice.base.quantities import si
from kanspice.devices import Device
from kanspice.technology import CrossbarDevices, Technology

_KEYS = ("area_sigma", "shift_sigma_v")
_NAMES = frozenset(f"devices.{key}" for key in _KEYS)


def with_card_spread(technology: Technology, devices: Sequence[Device]) -> Technology:
    """The technology with the mismatch on the devices' cards, where any has a `[spread]` and nobody has set another.

    A general technology's mismatch is a guess, and gives way to what was measured; what a technology of one's own or
    `--set` says does not. Each device then has its own card's spread, and one without has none: `devices.mismatch_of`.
    Raises InputError where cards are asked for, and none has a spread.
    """
    found, said = technology.devices, _set_by_hand(technology)
    has_spread = any(device.card.spread is not None for device in devices)
    if found.mismatch_of == "cards" and not has_spread:
        problem = "no card of the network's devices has a [spread]"
        raise InputError(problem, where="devices.mismatch_of", expected="all", found="cards")
    is_asked = found.mismatch_of == "cards" and _asks_for_cards(technology)
    if not has_spread or said or ("mismatch_of" in found.model_fields_set and not is_asked):
        return technology
    devices_ = found.model_copy(update={**_largest(devices), "mismatch_of": "cards"})
    drawn = technology.model_copy(update={"devices": devices_})
    if is_asked and technology.general:
        drawn._overridden = technology.overridden | _NAMES  # they are said now: without them there is no mismatch
    return drawn


def without_card_spread(technology: Technology) -> Technology:
    """The same technology, whatever the devices' cards say of how much these differ."""
    devices = technology.devices.model_copy(update={"mismatch_of": "all"})
    return technology.model_copy(update={"devices": devices})


def spread_notes(devices: Sequence[Device], mismatch: CrossbarDevices) -> tuple[str, ...]:
    """What a report says of devices (a network's) whose cards have a spread: whether specimens are drawn with it.

    mismatch: what the circuit's technology says.
    """
    notes, is_scaled = [], any(getattr(mismatch, key) != largest for key, largest in _largest(devices).items())
    sets = f"{mismatch.area_sigma:.3g} of the current and {si(mismatch.shift_sigma_v, 'V')}"
    for device in {device.name: device for device in devices}.values():
        spread = device.card.spread
        if spread is None:
            continue
        measured = f"{spread.area_sigma:.3g} of the current, {si(spread.shift_sigma_v, 'V')}"
        on_card = f"the spread on the card of {device.name}, {measured} ({spread.devices} devices)"
        if mismatch.mismatch_of == "cards" and is_scaled:
            notes.append(f"{on_card}, is scaled: the largest of the cards' spreads is drawn as {sets}")
        elif mismatch.mismatch_of == "cards":
            notes.append(f"{on_card}, is what its specimens are drawn with (devices.area_sigma sets another)")
        else:
            notes.append(f"{on_card}, is not used: the technology sets another mismatch")
    return tuple(notes)


def _set_by_hand(technology: Technology) -> bool:
    """Whether somebody has set a mismatch, and not only a general technology."""
    if technology.general:
        return bool(_NAMES & technology.overridden)
    return bool(set(_KEYS) & technology.devices.model_fields_set)


def _asks_for_cards(technology: Technology) -> bool:
    """Whether somebody has set which devices differ, and not only a general technology."""
    return not technology.general or "devices.mismatch_of" in technology.overridden


def _largest(devices: Sequence[Device]) -> dict[str, float]:
    """Of all cards, by key."""
    return {key: max((_of_card(device, key) for device in devices), default=0.0) for key in _KEYS}


def _of_card(device: Device, key: str) -> float:
    """What a card says of how much its devices differ; 0 where it says nothing."""
    return 0.0 if device.card.spread is None else float(getattr(device.card.spread, key))
