"""Devices as they are built: behind a resistance of their own, or shorted."""

from __future__ import annotations

import numpy as np

from kanspice.devices.cards import CARD_FORMAT, Device, piecewise_table
from kanspice.devices.curves import Array, Curve, PiecewisePolynomial
from kanspice.errors import InputError

_ERROR = 1e-8
"""Of the largest current: what the new curve may differ from the exact one halfway between its breakpoints."""
_FIRST_PIECES, _MOST_HALVINGS = 64, 10


def behind(curve: Curve, ohm: float) -> PiecewisePolynomial:
    """The curve of a device whose current i also drops `ohm` volts per current unit: i(v + ohm phi(v)) = phi(v).

    Cubic pieces with the exact currents and slopes at their ends, halved until they are exact to 1e-8 of the largest
    current in between. Raises InputError where a falling current is steeper than the resistance allows: the device
    would have several currents at one voltage.
    """
    if isinstance(curve, PiecewisePolynomial):
        volts = curve.breakpoints
    else:
        volts = np.linspace(curve.lo_v, curve.hi_v, _FIRST_PIECES + 1)
    largest = float(np.abs(curve.numpy(volts)[0]).max())
    for _ in range(_MOST_HALVINGS):
        pieces = _Pieces(curve, volts, ohm)
        wrong = pieces.error() > _ERROR * largest
        if not wrong.any():
            break
        volts = np.sort(np.concatenate([volts, (0.5 * (volts[1:] + volts[:-1]))[wrong]]))
    return PiecewisePolynomial(pieces.ends, pieces.coefficients())


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


class _Pieces:
    """Between each two of the inner device's voltages (n + 1,), one cubic."""

    def __init__(self, curve: Curve, volts: Array, ohm: float) -> None:
        self.curve, self.volts, self.ohm = curve, volts, ohm
        self.current = curve.numpy(volts)[0]
        self.ends = volts + ohm * self.current
        nudge = 1e-9 * np.diff(volts)
        self.starts_at, self.stops_at = (
            self._slope(curve.numpy(inside)[1]) for inside in (volts[:-1] + nudge, volts[1:] - nudge)
        )

    def _slope(self, slopes: Array) -> Array:
        """Of the whole, for slopes of the inner device."""
        steps = 1 + self.ohm * slopes
        if (steps <= 0).any() or (np.diff(self.ends) <= 0).any():
            steepest = float(-slopes.min())
            raise InputError(
                "a device behind its series resistance has several currents at one voltage",
                where="devices.series_ohm",
                expected=f"less than 1 / {steepest:.4g} volts per unit of current, for its steepest fall",
                found=f"{self.ohm:.4g}",
            )
        return np.asarray(slopes / steps)

    def coefficients(self) -> Array:
        """(n, 4), ascending powers: values and slopes at both ends."""
        width, rise = np.diff(self.ends), np.diff(self.current)
        secant = rise / width
        square = (3 * secant - 2 * self.starts_at - self.stops_at) / width
        cube = (self.starts_at + self.stops_at - 2 * secant) / width**2
        return np.stack([self.current[:-1], self.starts_at, square, cube], axis=1)

    def error(self) -> Array:
        """(n,) halfway."""
        middle = 0.5 * (self.volts[1:] + self.volts[:-1])
        exact = self.curve.numpy(middle)[0]
        x = middle + self.ohm * exact - self.ends[:-1]
        found = np.polynomial.polynomial.polyval(x, self.coefficients().T, tensor=False)
        return np.asarray(np.abs(found - exact))
