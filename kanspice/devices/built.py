"""Devices as they are built: behind a resistance of their own, or shorted."""

from __future__ import annotations

import numpy as np

from kanspice.devices.cards import CARD_FORMAT, Device, piecewise_table
from kanspice.devices.curves import Array, Curve, PiecewisePolynomial
from kanspice.errors import InputError

_ERROR = 1e-7
"""Of the largest current: what the new curve may differ from the exact one halfway between its breakpoints."""
_FIRST_PIECES, _MOST_HALVINGS = 64, 10
_NEAR = 1e-3
"""Of a piece's length: how far from its ends slopes are compared to see how they change."""


def behind(curve: Curve, ohm: float) -> PiecewisePolynomial:
    """The curve of a device whose current i also drops `ohm` volts per current unit: i(v + ohm phi(v)) = phi(v).

    Pieces of degree 5 with the exact currents, slopes and curvatures at their ends, halved until they are exact to 1e-7
    of the largest current in between. Raises InputError where a falling current is steeper than the resistance allows:
    the device would have several currents at one voltage.
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
    """Between each two of the inner device's voltages (n + 1,), one polynomial of degree 5."""

    def __init__(self, curve: Curve, volts: Array, ohm: float) -> None:
        self.curve, self.volts, self.ohm = curve, volts, ohm
        self.current = curve.numpy(volts)[0]
        self.ends = volts + ohm * self.current
        length = np.diff(volts)
        self.starts = self._derivatives(volts[:-1], _NEAR * length)
        self.stops = self._derivatives(volts[1:], -_NEAR * length)

    def _derivatives(self, ends: Array, near: Array) -> tuple[Array, Array]:
        """Slope and curvature of the whole at ends of pieces, from inside; near: steps into the pieces."""
        at_end, *inside = (self.curve.numpy(ends + step * near)[1] for step in (1e-6, 1.0, 2.0))
        bend = (4 * inside[0] - inside[1] - 3 * at_end) / (2 * near)
        steps = 1 + self.ohm * at_end
        if (steps <= 0).any() or (np.diff(self.ends) <= 0).any():
            raise InputError(
                "a device behind its series resistance has several currents at one voltage",
                where="devices.series_ohm",
                expected=f"less than {-1 / float(at_end.min()) / self.ohm:.3g} of it, for the curve's steepest fall",
            )
        return at_end / steps, bend / steps**3

    def coefficients(self) -> Array:
        """(n, 6), ascending powers."""
        width, (slope, bend), (last_slope, last_bend) = np.diff(self.ends), self.starts, self.stops
        rise = np.diff(self.current) - slope * width - bend * width**2 / 2
        slopes, bends = (last_slope - slope - bend * width) * width, (last_bend - bend) * width**2
        cube = (10 * rise - 4 * slopes + bends / 2) / width**3
        fourth = (-15 * rise + 7 * slopes - bends) / width**4
        fifth = (6 * rise - 3 * slopes + bends / 2) / width**5
        return np.stack([self.current[:-1], slope, bend / 2, cube, fourth, fifth], axis=1)

    def error(self) -> Array:
        """(n,) halfway."""
        middle = 0.5 * (self.volts[1:] + self.volts[:-1])
        exact = self.curve.numpy(middle)[0]
        x = middle + self.ohm * exact - self.ends[:-1]
        found = np.polynomial.polynomial.polyval(x, self.coefficients().T, tensor=False)
        return np.asarray(np.abs(found - exact))
