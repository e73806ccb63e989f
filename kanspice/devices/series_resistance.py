"""Devices as they are built: behind a resistance of their own, or shorted."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.traced import plain
from kanspice.devices.cards import CARD_FORMAT, Device, piecewise_table
from kanspice.devices.curves import Curve, PiecewisePolynomial

_DEGREE = 7
_ERROR = 1e-11
"""Of the largest current: what the new curve may differ from the exact one."""
_THROUGH_ZERO = 4 * float(np.finfo(np.float64).eps)
"""Of a line's largest current: what rounding may leave at 0 V."""
_FIRST_PIECES, _MOST_HALVINGS = 32, 12
_NODES = 0.5 - 0.5 * np.cos(np.pi * np.arange(_DEGREE + 1) / _DEGREE)
"""Where a polynomial goes through the curve, of a piece's length: Chebyshev's points, both ends among them."""
_BETWEEN = 0.5 - 0.5 * np.cos(np.pi * (np.arange(_DEGREE) + 0.5) / _DEGREE)
"""Where it is compared with the curve: near where the error of such an interpolation is largest."""


def is_resistance(curve: Curve) -> TypeGuard[PiecewisePolynomial]:
    """One straight line that rises through 0 V."""
    if not isinstance(curve, PiecewisePolynomial) or curve.coefficients.shape != (1, 2):
        return False
    at_start, slope = curve.coefficients[0].tolist()
    return bool(slope >= 0 and abs(at_start - slope * curve.lo_v) <= _THROUGH_ZERO * abs(at_start))


def behind(curve: Curve, ohm: float) -> PiecewisePolynomial:
    """The curve of a device whose current i also drops `ohm` volts per current unit: i(v + ohm phi(v)) = phi(v).

    Pieces of degree 7 through exact points, halved until they are exact to 1e-11 of the largest current in between: a
    layer norm whose inputs hardly differ multiplies what is left by up to 316, the square root of its 1e-5.
    Raises InputError where a falling current is steeper than the resistance allows: the device would have several
    currents at one voltage.
    """
    if is_resistance(curve):
        return _longer_resistance(curve, ohm)
    if isinstance(curve, PiecewisePolynomial):
        volts = curve.breakpoints
    else:
        volts = np.linspace(curve.lo_v, curve.hi_v, _FIRST_PIECES + 1)
    largest = float(np.abs(curve.numpy(volts)[0]).max())
    for _ in range(_MOST_HALVINGS):
        ends, coefficients, error = _pieces(curve, volts, ohm)
        wrong = error > _ERROR * largest
        if not wrong.any():
            break
        volts = np.sort(np.concatenate([volts, (0.5 * (volts[1:] + volts[:-1]))[wrong]]))
    return PiecewisePolynomial(ends, coefficients)


def bent(device: Device, series: float, stretch: float) -> Device:
    """The device behind a resistance of `series` volts per unit of current, its voltages then `stretch` times as large.

    Traced numbers bend no curve: they are kept for those who ask how currents change with them.
    """
    ohm, factor = plain((series, stretch))
    curve = device.curve
    if ohm > 0:
        curve = behind(curve, ohm)
    if factor != 1:
        curve = curve.stretched(factor)
    if curve is not device.curve:
        device = device.with_curve(curve if isinstance(curve, PiecewisePolynomial) else behind(curve, 0.0))
    return replace(device, series=series, stretch=stretch)


def shorted(reach_v: float) -> Device:
    """A resistance: one unit of current per volt, up to reach_v volts either way."""
    card = {"name": "short", "description": "a shorted device", "source": "none", "reverse": "clamp"}
    line = PiecewisePolynomial(np.array([-reach_v, reach_v]), np.array([[-reach_v, 1.0]]))
    tables = {
        "units": {"voltage": "V", "current": "unit of current"},
        "range": {"lo_v": line.lo_v, "hi_v": line.hi_v},
        "curve": piecewise_table(line),
    }
    return Device.from_dict({"format": CARD_FORMAT, **card, **tables})


def _longer_resistance(curve: PiecewisePolynomial, ohm: float) -> PiecewisePolynomial:
    """A resistance behind another one, which is a resistance."""
    longer = 1 + ohm * curve.coefficients[0, 1]
    slope, ends = curve.coefficients[0, 1] / longer, curve.breakpoints * longer
    return PiecewisePolynomial(ends, np.array([[slope * ends[0], slope]]))


def _pieces(curve: Curve, volts: Array, ohm: float) -> tuple[Array, Array, Array]:
    """Between each two of the device's own voltages (n + 1,), one polynomial of the voltage of the whole.

    Returns the ends in volts of the whole (n + 1,), coefficients (n, degree + 1) in ascending powers of the distance
    from a piece's lower end, and how far each piece is off in between (n,).
    """
    through_v, through = _along(curve, volts, ohm, _NODES)
    between_v, between = _along(curve, volts, ohm, _BETWEEN)
    start, width = through_v[:, :1], through_v[:, -1:] - through_v[:, :1]
    powers = np.arange(_DEGREE + 1)
    scaled = np.linalg.solve(((through_v - start) / width)[:, :, None] ** powers, through[:, :, None])[:, :, 0]
    found = (((between_v - start) / width)[:, :, None] ** powers @ scaled[:, :, None])[:, :, 0]
    ends = np.append(through_v[:, 0], through_v[-1, -1])
    return ends, scaled / width**powers, np.abs(found - between).max(axis=1)


def _along(curve: Curve, volts: Array, ohm: float, places: Array) -> tuple[Array, Array]:
    """Voltages of the whole, and currents, (n, places): at places in 0 .. 1 between the device's own voltages (n + 1,).

    Raises InputError where the voltage of the whole does not rise with the device's own.
    """
    own_v = volts[:-1, None] + np.diff(volts)[:, None] * places
    own_v[:, places == 1] = volts[1:, None]
    current, slope = curve.numpy(own_v)
    whole_v = own_v + ohm * current
    if (1 + ohm * slope <= 0).any() or (np.diff(whole_v, axis=1) <= 0).any():
        raise InputError(
            "a device behind its series resistance has several currents at one voltage",
            where="devices.series_ohm",
            expected=f"less than {-1 / float(slope.min()) / ohm:.3g} of it, for the curve's steepest fall",
        )
    return whole_v, current
