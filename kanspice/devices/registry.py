"""The shipped devices, found by name."""

from __future__ import annotations

from pathlib import Path

from kanspice.base import resources
from kanspice.base.errors import InputError
from kanspice.base.validation import read_toml, similar
from kanspice.devices.cards import Card, Device, parse_card, read_device


def device_key(name: str) -> str:
    """The form in which names are compared: ZAZ_21, ZAZ-21, ZAZ21 and zaz21 are one device."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def load_device(name_or_path: str | Path) -> Device:
    """A shipped device by name or alias, or any card by its path (a `Path`, or text that ends in `.toml`).

    Raises InputError for an unknown name, with the nearest one, and for a card that cannot be used.
    """
    if isinstance(name_or_path, Path) or name_or_path.lower().endswith(".toml"):
        return read_device(Path(name_or_path))
    cards = _cards()
    found = _index(cards).get(device_key(name_or_path))
    if found is None:
        names = sorted(card.name for card in cards.values())
        raise InputError(
            f"there is no device '{name_or_path}'",
            expected=f"one of {', '.join(names)}, or the path of a .toml card",
            hint=similar(device_key(name_or_path), names),
        )
    return Device.from_card(cards[found], found)


def list_devices() -> list[Device]:
    """Every shipped device, in the order of their names."""
    cards = _cards()
    _index(cards)
    return [Device.from_card(card, path) for path, card in sorted(cards.items())]


def canonical_name(name: str) -> str:
    """The shipped device's own name for `name` or an alias of it; for any other device, the key of `name`."""
    cards = _cards()
    found = _index(cards).get(device_key(name))
    return device_key(name) if found is None else cards[found].name


def _cards() -> dict[Path, Card]:
    return {path: parse_card(read_toml(path), path) for path in sorted(resources.DEVICE_MODELS.glob("*.toml"))}


def _index(cards: dict[Path, Card]) -> dict[str, Path]:
    """Card path by key of its name and aliases. Raises InputError when two cards share one."""
    index: dict[str, Path] = {}
    for path, card in cards.items():
        for key in {device_key(name) for name in (card.name, *card.aliases)}:
            if key in index:
                raise InputError(f"the name '{key}' is taken by another card", where=path, found=str(index[key]))
            index[key] = path
    return index
