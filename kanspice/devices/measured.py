"""A device made of what somebody has of it: a file of measured points, a card, or a shipped device's name."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files import is_there
from kanspice.devices.cards import Device
from kanspice.devices.fit import CardIdentity, FitKind, FitReport, fit_card
from kanspice.devices.instruments.columns import ColumnChoice
from kanspice.devices.instruments.reading import IVReading, read_iv
from kanspice.devices.instruments.sweeps import Branch
from kanspice.devices.registry import load_device


def read_points_of(path: Path, choice: ColumnChoice | None = None, branch: Branch = "up") -> IVReading:
    """A file as somebody says that its columns and sweeps are. Raises InputError."""
    if any("\ud800" <= letter <= "\udfff" for letter in path.name):  # how Python has bytes that are not UTF-8
        raise InputError(
            "the file's name is not UTF-8, so that the card cannot say whose points it has",
            where=path,
            hint="rename the file",
        )
    return read_iv(path, choice or ColumnChoice(), branch)


def device_from(
    source: str | Path, kind: FitKind = "smooth", choice: ColumnChoice | None = None, branch: Branch = "up"
) -> tuple[Device, FitReport | None, tuple[str, ...]]:
    """A shipped device or a card; or a curve through a file's points, how it was fitted, and how the file was read.

    Raises InputError for a file that cannot be read or fitted, and for an area where there are no points.
    """
    path = Path(source)
    if not _are_points(path):
        if choice is not None and choice.area_cm2 is not None:
            expected, found = "a file of points", str(source)
            raise InputError("an area is of no use here", where="--area-cm2", expected=expected, found=found)
        return load_device(str(source)), None, ()
    points = read_points_of(path, choice, branch)
    identity = identity_of(name_of(path.stem), path, points)
    return (*fit_card(points.v, points.i, identity, kind), points.notes)


def name_from(source: str | Path) -> str:
    """What `device_from` calls the device. Raises InputError for a card that cannot be read, or is not there."""
    path = Path(source)
    return name_of(path.stem) if _are_points(path) else load_device(str(source)).name


def _are_points(path: Path) -> bool:
    """Whether it is a file of points, not a card nor a shipped device's name."""
    return path.suffix.lower() != ".toml" and (is_there(path) or bool(path.suffix))


def name_of(stem: str) -> str:
    """A device's name made of a file's: lower case letters, digits and _, a letter first."""
    kept = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:31]
    return kept if kept[:1].isalpha() else f"d{kept}"[:31]


def identity_of(name: str, points: Path, found: IVReading, reverse: str = "clamp") -> CardIdentity:
    """What the card of a file's points says besides numbers."""
    identity = CardIdentity(name, f"points of {points.name}", reverse=reverse, spread=found.spread)
    unit = found.current_unit
    return identity if unit is None else replace(identity, current_unit=unit.text, current_unit_a=unit.si)
