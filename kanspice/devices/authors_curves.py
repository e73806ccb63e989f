"""The curves of the KANalogue authors' program, as `kanalogue fit` writes them and `kanalogue train` reads them.

Of a device `<d>` they are, by fit mode: univariate `<d>_knots.csv` and `<d>_coefficients.csv` (a, b, c, d of every
piece); spline and fft `<d>_nodes.csv` and `<d>_coefficients.csv`; poly `<d>_coefficients.csv` (coefficient, degree) and
`<d>_clamp_params.csv`; line `<d>.csv` (v0, v1, i0, i1). They lie in `data/processed` itself, or by basis type in
`pos-norm/` and others there, polynomials also in `deg<N>/<basis type>/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never, get_args

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.files import is_folder
from kanspice.devices.cards import CARD_FORMAT, MAX_DEGREE, Device, piecewise_table, read_device
from kanspice.devices.curves import PiecewisePolynomial
from kanspice.devices.ivdata import read_points, read_segments, read_table
from kanspice.devices.registry import canonical_name, device_key

FitMode = Literal["univariate", "spline", "line", "poly", "fft"]
FIT_MODES: tuple[FitMode, ...] = get_args(FitMode)

BASIS_TYPES = ("pos-norm", "pos-ori", "neg-norm", "neg-ori", "odd-sym", "pos-larger", "neg-larger")
"""Folders that the authors' program looks into before `data/processed` itself."""

PAPER = "Li et al., Bridging Function Approximation and Device Physics via Negative Differential Resistance Networks"

# The authors' own choice of file for each device in fit_mode "line".
SEGMENT_FILES = {"a21": "NbHf_a30a21a30", "z21": "NbHf_z30z21z30", "z15": "NbHf_z30z15z30", "zaz21": "NbHf_z30a21z30"}

_SAME = 1e-9
"""Of the largest current: how far a spline may miss its nodes and still be theirs."""
_UNIT = "the authors' unit"


@dataclass(frozen=True)
class FoundCurves:
    """The devices in the order in which they were asked for, and what was decided on the way.

    fit_mode: None where every device is a card, which needs none. found_in: the folder that holds the files.
    """

    devices: tuple[Device, ...]
    fit_mode: FitMode | None
    found_in: Path


def devices_from_folder(
    folder: Path, names: Sequence[str], fit_mode: FitMode | None = None, basis_type: str | None = None
) -> FoundCurves:
    """The devices `names` as a KANalogue checkpoint used them, from the authors' data folder.

    fit_mode: what the network was trained with; None to tell it from the files. basis_type: of BASIS_TYPES, whose
    folder is taken where there is one. A card `<name>.toml` in the folder wins over everything else. Measured points
    come with a device, from the card itself or else from `<name>_nodes.csv`; "line" takes the segments' ends for them,
    and "fft", whose nodes are those of the smoothed curve, has none. Raises InputError for a missing file, for bad
    data, and where the files do not tell the fit mode, or tell different ones.
    """
    check_folder(folder)
    own_names = list(dict.fromkeys(canonical_name(name) for name in names))
    place = _place(folder, own_names, basis_type)
    drawn = [name for name in own_names if find(place, f"{name}.toml") is None]
    mode: FitMode = fit_mode or (_mode_of(place, drawn) if drawn else "univariate")
    devices = {name: _device(place, name, mode) for name in own_names}
    return FoundCurves(tuple(devices[canonical_name(name)] for name in names), mode if drawn else None, place)


def with_points_from(folder: Path, devices: Sequence[Device]) -> tuple[Device, ...]:
    """The same devices, curves unchanged, with the measured points that the folder has of them.

    Points come from a card `<name>.toml` or from `<name>_nodes.csv`. Raises InputError where there are none of any.
    """
    check_folder(folder)
    found = [(device, _points_in(folder, device.name)) for device in devices]
    if all(points is None for _, points in found):
        names = " or ".join(f"{device.name}_nodes.csv" for device in devices)
        raise InputError("holds no measured points of the model's devices", where=folder, expected=names)
    return tuple(device if points is None else device.with_points(*points) for device, points in found)


def check_folder(folder: Path) -> None:
    """Raise InputError unless this is a folder."""
    if not is_folder(folder):
        raise InputError("is not a folder", where=folder, expected="the folder with the devices' CSV files or cards")


def find(folder: Path, file_name: str) -> Path | None:
    """The file of `folder` with this name; case, `_` and `-` do not count."""
    matches = sorted(path for path in folder.iterdir() if device_key(path.name) == device_key(file_name))
    return matches[0] if matches else None


def _place(folder: Path, names: Sequence[str], basis_type: str | None) -> Path:
    """The folder itself, or the one in it of a basis type.

    The stated basis type's folder comes first, as in the authors' program, then the folder itself, then the only folder
    of a basis type that has files of the devices.
    """
    types = BASIS_TYPES if basis_type is None else (basis_type,)
    inner = [place for kind in types for place in (folder / kind, *sorted(folder.glob(f"deg*/{kind}")))]
    inner = [place for place in inner if is_folder(place) and any(_holds(place, name) for name in names)]
    flat = any(_holds(folder, name) for name in names)
    if (basis_type is None and flat) or not inner:
        return folder
    if len(inner) > 1:
        raise InputError(
            "holds curves of several kinds, and the checkpoint does not say which are its own",
            where=folder,
            found=", ".join(str(place.relative_to(folder)) for place in inner),
            hint=f"pass one of them, as in --curves {inner[0]}",
        )
    return inner[0]


def _holds(folder: Path, name: str) -> bool:
    endings = (".toml", "_nodes.csv", "_coefficients.csv", ".csv")
    return any(find(folder, f"{name}{ending}") for ending in endings) or _segments(folder, name) is not None


def _mode_of(folder: Path, names: Sequence[str]) -> FitMode:
    modes = {name: _mode_of_files(folder, name) for name in names}
    if len(set(modes.values())) > 1:
        raise InputError(
            "the devices' curves are of different fit modes, and the authors' networks have one for all",
            where=folder,
            found=", ".join(f"{name}: {mode}" for name, mode in modes.items()),
            hint="put each fit into a folder of its own, or say fit_mode in the configuration",
        )
    return modes[names[0]]


def _mode_of_files(folder: Path, name: str) -> FitMode:
    """What the shape of a device's files says. "spline" stands for "fft" too: both are read in the same way."""
    coefficients = find(folder, f"{name}_coefficients.csv")
    if coefficients is None:
        nodes = find(folder, f"{name}_nodes.csv")
        if _segments(folder, name) is not None and nodes is None:
            return "line"
        raise InputError(
            f"the files of device '{name}' do not say what its curve is",
            where=folder,
            expected=f"{name}_coefficients.csv, as `kanalogue fit` writes it, or a card {name}.toml",
            found="no such file" if nodes is None else nodes.name,
        )
    columns = read_table(coefficients, 4, 2)[1].shape[1]
    if columns == 2:
        return "poly"
    return "spline" if find(folder, f"{name}_knots.csv") is None else "univariate"


def _device(folder: Path, name: str, mode: FitMode) -> Device:
    card = find(folder, f"{name}.toml")
    device = _of_mode(folder, name, mode) if card is None else read_device(card)
    if device.card.points is not None or (card is None and mode == "fft"):
        return device
    points = _points_in(folder, device.name)
    return device if points is None else device.with_points(*points)


def _of_mode(folder: Path, name: str, mode: FitMode) -> Device:
    match mode:
        case "univariate":
            return _smoothing_spline(folder, name)
        case "spline":
            return _natural_spline(folder, name)
        case "fft":
            return _smoothed_spline(folder, name)
        case "poly":
            return _polynomial(folder, name)
        case "line":
            return _straight_segments(folder, name)
        case _:
            assert_never(mode)


def _points_in(folder: Path, name: str) -> tuple[Array, Array, Path] | None:
    card = find(folder, f"{name}.toml")
    points = None if card is None else read_device(card).card.points
    if card is not None and points is not None:
        return np.array(points.v), np.array(points.i), card
    nodes = find(folder, f"{name}_nodes.csv")
    return None if nodes is None else (*read_points(nodes), nodes)


def _smoothing_spline(folder: Path, name: str) -> Device:
    _, knots = read_table(_require(folder, f"{name}_knots.csv"), 1)
    path = _require(folder, f"{name}_coefficients.csv")
    curve = _pieces(knots[:, 0], read_table(path, 4)[1], path)
    return _curve_device(name, curve, "smoothing spline as published", _UNIT)


def _natural_spline(folder: Path, name: str) -> Device:
    """Through the nodes: as written, or made again where the folder's coefficients are those of another fit."""
    v, i = read_points(_require(folder, f"{name}_nodes.csv"), minimum=3)
    written = _written_spline(folder, name, v, i)
    curve = PiecewisePolynomial.natural_spline(v, i) if written is None else written
    return _curve_device(name, curve, "natural spline", _UNIT, len(v))


def _smoothed_spline(folder: Path, name: str) -> Device:
    nodes = _require(folder, f"{name}_nodes.csv")
    v, i = read_points(nodes, minimum=3)
    curve = _written_spline(folder, name, v, i)
    if curve is None:
        raise InputError(
            f"the spline of device '{name}' does not go through its nodes",
            where=nodes,
            expected=f"{name}_coefficients.csv with one row fewer, column d the currents of the nodes",
            hint="write both anew with `kanalogue fit --mode fft`",
        )
    return _curve_device(name, curve, "spline of the Fourier-filtered curve as published", _UNIT)


def _written_spline(folder: Path, name: str, v: Array, i: Array) -> PiecewisePolynomial | None:
    """The pieces of `<name>_coefficients.csv` between the nodes v, i (n,); None where they are not of these nodes."""
    path = find(folder, f"{name}_coefficients.csv")
    rows = None if path is None else read_table(path, 4, 2)[1]
    if path is None or rows is None or rows.shape != (len(v) - 1, 4):
        return None
    missed = np.abs(rows[:, 3] - i[:-1]).max() > _SAME * np.abs(i).max()
    return None if missed else _pieces(v, rows, path)


def _pieces(knots: Array, rows: Array, path: Path) -> PiecewisePolynomial:
    try:
        return PiecewisePolynomial.from_authors_spline(knots, rows)
    except InputError as error:
        raise InputError(error.problem, where=path, expected=error.expected, found=error.found) from error


def _polynomial(folder: Path, name: str) -> Device:
    path = _require(folder, f"{name}_coefficients.csv")
    rows = read_table(path, 2)[1]
    degree = len(rows) - 1
    if degree > MAX_DEGREE or not np.array_equal(rows[:, 1], np.arange(degree, -1, -1)):
        raise InputError(
            f"the coefficients of device '{name}' are not those of a polynomial",
            where=path,
            expected=f"the columns coefficient and degree, from the highest degree, at most {MAX_DEGREE}, down to 0",
            found=f"{len(rows)} lines of degrees {', '.join(f'{value:g}' for value in rows[:4, 1])}, ...",
        )
    ends = _require(folder, f"{name}_clamp_params.csv")
    limits = read_table(ends, 2)[1]
    if len(limits) != 1 or limits[0, 0] >= limits[0, 1]:
        raise InputError(
            "the range of the polynomial is not one", where=ends, expected="one line: V_min, V_max, in rising order"
        )
    try:
        curve = PiecewisePolynomial.power_series(rows[::-1, 0], limits[0, 0], limits[0, 1])
    except InputError as error:
        raise InputError(error.problem, where=path, expected=error.expected, found=error.found) from error
    return _curve_device(name, curve, f"polynomial of degree {degree} as published", _UNIT)


def _straight_segments(folder: Path, name: str) -> Device:
    path = _segments(folder, name)
    if path is None:
        raise _missing(
            folder, " or ".join(f"{stem}.csv" for stem in dict.fromkeys((name, SEGMENT_FILES.get(name, name))))
        )
    curve = read_segments(path)
    device = _curve_device(name, curve, "segments as published", "share of the largest current")
    return device.with_points(curve.breakpoints, curve.numpy(curve.breakpoints)[0], path)


def _segments(folder: Path, name: str) -> Path | None:
    """The table of straight segments: `<name>.csv`, or the authors' file of that device's materials."""
    published = f"{SEGMENT_FILES.get(name, name)}.csv"
    inner = folder / "normalised_segments"
    return (
        find(folder, f"{name}.csv") or (find(inner, published) if is_folder(inner) else None) or find(folder, published)
    )


def _curve_device(name: str, curve: PiecewisePolynomial, method: str, unit: str, points: int | None = None) -> Device:
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


def _require(folder: Path, file_name: str) -> Path:
    found = find(folder, file_name)
    if found is None:
        raise _missing(folder, file_name)
    return found


def _missing(folder: Path, expected: str) -> InputError:
    return InputError("a device's file is missing", where=folder, expected=expected)
