"""The activations of the KANalogue authors' MLPs (`utils/MLP_KAN_build.py` of their branch `tjr`), by `model_name`.

`MLP_RTDAF`: (I(V) + 0.3564...) / 0.4443..., I the first paper's Eq. 4 with b = 0.5 V, V limited to 10 V either way.
`MLP_MOSFETac`: 6.17 (V - 1)^2 above 1 V, up to 10 V. `MLP_CMTDAF`: a cubic spline whose tables are in the state dict,
limited to its ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from torch import Tensor

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError, errors_at
from kanspice.devices import Device, PiecewisePolynomial, load_device
from kanspice.families.common.network import as_array
from kanspice.families.common.state import check_tensors
from kanspice.families.mlp.activations import DeviceActivation

AuthorsName = Literal["MLP_RTDAF", "MLP_CMTDAF", "MLP_MOSFETac"]
TABLES = ("x", "y", "xs", "a", "b", "c", "d")
"""Of a spline: measured points, knots, and coefficients of the pieces between them, the cube's first."""
_LIMIT_V = 10.0
_RTD_SHIFT, _RTD_SCALE = 0.3564077949854996, 0.44437022056753417
_RTD_KELVIN = 299.9995870223968
"""Their 300 K, 1.60218e-19 C and 1.38065e-23 J/K give q / kT; with the exact constants this temperature does."""
_JOINED_V = 1e-6
"""Length of the line that joins two pieces: tables in single precision meet to some 1e-7 of a unit only."""
_MOST_APART = 1e-5
"""Of the largest current: pieces that are farther apart are no curve."""


def authors_activation(name: AuthorsName, state: Mapping[str, Tensor], layer: str, path: Path) -> DeviceActivation:
    """The activation at `layer` (`network.1`) of a state dict read from `path`.

    Raises InputError for tables that are missing or no curve, and for tables where the activation has none.
    """
    found = [table for table in TABLES if f"{layer}.{table}" in state]
    if (name == "MLP_CMTDAF") != bool(found):
        raise InputError(
            "'model_name' contradicts the weights",
            where=path,
            expected=f"{layer}.xs, {layer}.a and the other tables of a spline"
            if name == "MLP_CMTDAF"
            else f"MLP_CMTDAF: the weights have the tables of a spline, {layer}.xs among them",
            found=f"model_name {name}{'' if found else ', and no such tables'}",
            hint="use the configuration that was written with this checkpoint",
        )
    match name:
        case "MLP_RTDAF":
            device = _of_card("rtd_unscaled", {"temperature_k": _RTD_KELVIN})
            return DeviceActivation(device, (-_LIMIT_V, _LIMIT_V), shift=_RTD_SHIFT, scale=_RTD_SCALE)
        case "MLP_MOSFETac":
            return DeviceActivation(_of_card("nmos_2n7002", {}), (-_LIMIT_V, _LIMIT_V))
        case "MLP_CMTDAF":
            return DeviceActivation(_spline(state, layer, path))


def _of_card(name: str, parameters: Mapping[str, float]) -> Device:
    """A shipped device with other parameters, known as far as the authors' limit."""
    card = load_device(name).to_dict()
    card["curve"]["parameters"] |= parameters
    card["range"] = {"lo_v": -_LIMIT_V, "hi_v": _LIMIT_V}
    return Device.from_dict(card, f"device {name}")


def _spline(state: Mapping[str, Tensor], layer: str, path: Path) -> Device:
    missing = [f"{layer}.{name}" for name in TABLES if f"{layer}.{name}" not in state]
    if missing:
        raise InputError(
            "the activation's spline is not whole", where=path, expected="all of its tables", found=f"no {missing[0]}"
        )
    tables = {name: state[f"{layer}.{name}"] for name in TABLES}
    points, knots = tables["x"].numel(), tables["xs"].numel()
    shapes = {"x": (points,), "y": (points,), "xs": (knots,), **dict.fromkeys("abcd", (knots - 1,))}
    check_tensors(
        {f"{layer}.{name}": table for name, table in tables.items()},
        {f"{layer}.{name}": shape for name, shape in shapes.items()},
        path,
    )
    x, y, xs, *rows = (as_array(tables[name]) for name in TABLES)
    with errors_at(f"{path}, {layer}"):
        curve = joined(xs, np.stack(rows, axis=1))
        device = load_device("a21").with_curve(curve)
        return device.with_points(x, y, layer)


def joined(knots: Array, rows: Array) -> PiecewisePolynomial:
    """The authors' spline: row k of `rows` (n, 4) is a, b, c, d of a x^3 + b x^2 + c x + d, x = v - knots[k] (n + 1,).

    Pieces of length zero are skipped. Where the next piece begins a little off, as in tables that were rounded, a line
    of a microvolt leads to it. Raises InputError for pieces that are farther apart, and knots in no rising order.
    """
    real = np.diff(knots) != 0
    starts, pieces = np.append(knots[:-1][real], knots[-1]), rows[real, ::-1]
    if len(pieces) == 0 or (np.diff(starts) <= 3 * _JOINED_V).any():
        raise InputError("the knots of the spline are not in rising order")
    ends = np.array([np.polynomial.polynomial.polyval(w, c) for w, c in zip(np.diff(starts), pieces, strict=True)])
    apart = np.abs(ends[:-1] - pieces[1:, 0])
    if (apart > _MOST_APART * np.abs(pieces[:, 0]).max()).any():
        worst = int(np.argmax(apart))
        raise InputError(
            f"the spline jumps at {starts[worst + 1]:g} V",
            expected=f"pieces that meet within {_MOST_APART:g} of the largest current",
            found=f"{ends[worst]:g} on the left, {pieces[worst + 1, 0]:g} on the right",
        )
    breakpoints, coefficients = [starts[0]], [pieces[0]]
    for knot, end, piece in zip(starts[1:-1], ends[:-1], pieces[1:], strict=True):
        later = np.polynomial.Polynomial(piece)(np.polynomial.Polynomial([_JOINED_V, 1.0])).coef
        slope = (later[0] - end) / _JOINED_V
        breakpoints += [knot, knot + _JOINED_V]
        coefficients += [np.array([end, slope, 0.0, 0.0]), np.pad(later, (0, 4 - len(later)))]
    return PiecewisePolynomial(np.array([*breakpoints, starts[-1]]), np.array(coefficients))
