"""Reads current-voltage tables: measured points, straight segments, and the KANalogue authors' data folder."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from kanspice.devices.cards import CARD_FORMAT, Device, piecewise_table, read_device
from kanspice.devices.curves import Array, PiecewisePolynomial
from kanspice.devices.registry import canonical_name, device_key
from kanspice.errors import InputError
from kanspice.files import is_folder, read_text

FitMode = Literal["univariate", "spline", "line", "poly"]

MAX_CSV_BYTES = 4_000_000

PAPER = "Li et al., Bridging Function Approximation and Device Physics via Negative Differential Resistance Networks"

# The authors' own choice of file for each device in fit_mode "line".
SEGMENT_FILES = {"a21": "NbHf_a30a21a30", "z21": "NbHf_z30z21z30", "z15": "NbHf_z30z15z30", "zaz21": "NbHf_z30a21z30"}


def read_points(path: Path, minimum: int = 2) -> tuple[Array, Array]:
    """Voltages (n,) in volts and currents (n,) of a two-column CSV file, with or without a header line.

    Raises InputError, with the line number, on anything but finite numbers at strictly rising voltages, and on fewer
    than `minimum` points.
    """
    numbers, rows = read_table(path, 2)
    _check_rising(path, numbers, rows[:, 0])
    if len(rows) < minimum:
        raise InputError("too few points", where=path, expected=f"at least {minimum}", found=str(len(rows)))
    return rows[:, 0], rows[:, 1]


def read_segments(path: Path) -> PiecewisePolynomial:
    """Straight segments of a CSV file with the columns v0, v1, i0, i1. Raises InputError with the line number."""
    numbers, rows = read_table(path, 4)
    _check_rising(path, numbers, rows[:, 0])
    try:
        return PiecewisePolynomial.from_segments(*rows.T)
    except InputError as error:
        raise InputError(error.problem, where=path, expected=error.expected, found=error.found) from error


def read_table(path: Path, columns: int) -> tuple[list[int], Array]:
    """Line numbers and numbers (n, columns) of a CSV file; blank lines and one header line are skipped."""
    parsed = [
        (number, cells)
        for number, cells in enumerate(csv.reader(_text(path).splitlines()), start=1)
        if any(cell.strip() for cell in cells)
    ]
    if parsed and not any(_is_number(cell) for cell in parsed[0][1]):
        parsed = parsed[1:]
    if not parsed:
        raise InputError("holds no numbers", where=path, expected=f"{columns} columns of numbers")
    rows = np.array([_row(path, number, cells, columns) for number, cells in parsed])
    return [number for number, _ in parsed], rows


def devices_from_folder(folder: Path, names: Sequence[str], fit_mode: FitMode | str) -> list[Device]:
    """The devices `names` as a KANalogue checkpoint used them, from the authors' data folder, in the order of `names`.

    A card `<name>.toml` in the folder wins. Measured points come with it, from the card itself or else from
    `<name>_nodes.csv` where that exists; "line" takes the segments' ends for them. Without a card `fit_mode` says what
    is read: "univariate" the authors' smoothing spline (`<name>_knots.csv`, `<name>_coefficients.csv`), "spline" a
    natural cubic spline of `<name>_nodes.csv`, "line" straight segments (`normalised_segments/` or the folder itself).
    Raises InputError for an unknown mode, a missing file, bad data, and for "poly", whose degree the authors do not
    record.
    """
    _check_folder(folder)
    return [_with_points(_device_from_folder(folder, canonical_name(name), fit_mode), folder) for name in names]


def with_points_from(folder: Path, devices: Sequence[Device]) -> tuple[Device, ...]:
    """The same devices, curves unchanged, with the measured points that the folder has of them.

    Points come from a card `<name>.toml` or from `<name>_nodes.csv`. Raises InputError where there are none of any.
    """
    _check_folder(folder)
    found = [(device, _points_in(folder, device.name)) for device in devices]
    if all(points is None for _, points in found):
        names = " or ".join(f"{device.name}_nodes.csv" for device in devices)
        raise InputError("holds no measured points of the model's devices", where=folder, expected=names)
    return tuple(device if points is None else device.with_points(*points) for device, points in found)


def _points_in(folder: Path, name: str) -> tuple[Array, Array, Path] | None:
    card = _find(folder, f"{name}.toml")
    points = None if card is None else read_device(card).card.points
    if card is not None and points is not None:
        return np.array(points.v), np.array(points.i), card
    nodes = _find(folder, f"{name}_nodes.csv")
    return None if nodes is None else (*read_points(nodes), nodes)


def _with_points(device: Device, folder: Path) -> Device:
    """The device with the folder's points of it, unless it has its own."""
    points = None if device.card.points is not None else _points_in(folder, device.name)
    return device if points is None else device.with_points(*points)


def _check_folder(folder: Path) -> None:
    if not is_folder(folder):
        raise InputError("is not a folder", where=folder, expected="the folder with the devices' CSV files or cards")


def _device_from_folder(folder: Path, name: str, fit_mode: str) -> Device:
    card = _find(folder, f"{name}.toml")
    if card is not None:
        return read_device(card)
    if fit_mode == "univariate":
        return _published_spline(folder, name)
    if fit_mode == "spline":
        return _natural_spline(folder, name)
    if fit_mode == "line":
        return _published_segments(folder, name)
    if fit_mode == "poly":
        raise InputError(
            f"the polynomial of device '{name}' cannot be rebuilt: its degree is not recorded",
            where=folder,
            hint=f"fit a card with `kanspice devices fit --kind polynomial` and put {name}.toml in the folder",
        )
    raise InputError("unknown fit_mode", expected="univariate | spline | line | poly", found=fit_mode)


def _published_spline(folder: Path, name: str) -> Device:
    _, knots = read_table(_require(folder, f"{name}_knots.csv"), 1)
    path = _require(folder, f"{name}_coefficients.csv")
    _, coefficients = read_table(path, 4)
    try:
        curve = PiecewisePolynomial.from_authors_spline(knots[:, 0], coefficients)
    except InputError as error:
        raise InputError(error.problem, where=path, expected=error.expected, found=error.found) from error
    return curve_device(name, curve, "smoothing spline as published", "the authors' unit")


def _natural_spline(folder: Path, name: str) -> Device:
    v, i = read_points(_require(folder, f"{name}_nodes.csv"), minimum=3)
    return curve_device(name, PiecewisePolynomial.natural_spline(v, i), "natural spline", "the authors' unit", len(v))


def _published_segments(folder: Path, name: str) -> Device:
    wanted = f"{SEGMENT_FILES.get(name, name)}.csv"
    inner = folder / "normalised_segments"
    path = (_find(inner, wanted) if is_folder(inner) else None) or _require(folder, wanted)
    curve = read_segments(path)
    device = curve_device(name, curve, "segments as published", "share of the largest current")
    return device.with_points(curve.breakpoints, curve.numpy(curve.breakpoints)[0], path)


def curve_device(name: str, curve: PiecewisePolynomial, method: str, unit: str, points: int | None = None) -> Device:
    """A device for a curve of the authors' data, with a card that says where it came from."""
    data = {
        "format": CARD_FORMAT,
        "name": name,
        "description": f"Cold-metal tunnel diode {name.upper()}, {method}",
        "source": PAPER,
        "reverse": "clamp",
        "units": {"voltage": "V", "current": unit},
        "range": {"lo_v": curve.lo_v, "hi_v": curve.hi_v},
        "curve": piecewise_table(curve),
        "fit": {"method": method, **({} if points is None else {"points": points})},
    }
    return Device.from_dict(data, f"device {name}")


def _find(folder: Path, file_name: str) -> Path | None:
    """The file of `folder` with this name; case, `_` and `-` do not count."""
    matches = sorted(path for path in folder.iterdir() if device_key(path.name) == device_key(file_name))
    return matches[0] if matches else None


def _require(folder: Path, file_name: str) -> Path:
    found = _find(folder, file_name)
    if found is None:
        raise InputError("a device's file is missing", where=folder, expected=file_name)
    return found


def _text(path: Path) -> str:
    return read_text(path, "a table of numbers", MAX_CSV_BYTES)


def _row(path: Path, number: int, cells: list[str], columns: int) -> list[float]:
    if len(cells) != columns:
        raise InputError(
            f"line {number} does not have {columns} columns",
            where=path,
            expected=f"{columns} numbers separated by commas",
            found=",".join(cells)[:200],
        )
    for cell in cells:
        if not _is_number(cell) or not math.isfinite(float(cell)):
            raise InputError(f"line {number}: not a finite number", where=path, found=repr(cell)[:200])
    return [float(cell) for cell in cells]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_rising(path: Path, numbers: list[int], v: Array) -> None:
    falling = np.flatnonzero(np.diff(v) <= 0)
    if falling.size:
        k = int(falling[0])
        raise InputError(
            f"line {numbers[k + 1]}: the voltages must rise from line to line",
            where=path,
            found=f"{v[k]:g} V, then {v[k + 1]:g} V",
        )
