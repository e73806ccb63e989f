"""A piecewise polynomial curve around the voltages of a crossbar's rows: where columns move little, little changes.

Seen from a row at r, a device carries phi(r - c), c its column's voltage. Around c = 0 that is one cubic in c, or two
that meet at c = 0 where r is a breakpoint of the curve. Farther away every breakpoint that lies between r and r - c
adds the difference of the pieces on both of its sides, a polynomial in the distance from it: exact, corners included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.devices import PiecewisePolynomial

_ROOM_SLACK = 1 + 1e-6
"""Where breakpoints are looked for: rounding must not hide any."""


@dataclass(frozen=True)
class Crossings:
    """Breakpoints between rows and their devices' voltages, in no order.

    sample, row: (crossings,) where they are. at_v: (crossings,) the column voltages at which devices are at their
    breakpoint. side: (crossings,) -1 where those are above 0 V, 1 where they are below.
    steps: (crossings, degree) coefficients of z, z^2, ... in z = side * (at_v - c) > 0, volts beyond the breakpoint.
    """

    sample: Indices
    row: Indices
    at_v: Array
    side: Array
    steps: Array


@dataclass(frozen=True)
class Pieces:
    """A curve as breakpoints (n + 1,) and n + 2 polynomials, the clamped ends among them.

    origins: (n + 2,) volts; coefficients: (n + 2, degree + 1), ascending powers of the distance from the origin.
    jumps: (n + 1, degree + 1): what is added at each breakpoint, in powers of the distance from it, going up.
    """

    breakpoints: Array
    origins: Array
    coefficients: Array
    jumps: Array

    @classmethod
    def of(cls, curve: PiecewisePolynomial) -> Pieces:
        degree = max(curve.coefficients.shape[1] - 1, 1)
        inner = np.pad(curve.coefficients, ((0, 0), (0, degree + 1 - curve.coefficients.shape[1])))
        ends = np.zeros((2, degree + 1))
        ends[:, 0] = curve.numpy([curve.lo_v, curve.hi_v])[0]
        coefficients = np.concatenate([ends[:1], inner, ends[1:]])
        origins = np.concatenate([curve.breakpoints[:1], curve.breakpoints])
        below = shifted(coefficients[:-1], curve.breakpoints - origins[:-1])
        above = shifted(coefficients[1:], curve.breakpoints - origins[1:])
        return cls(curve.breakpoints, origins, coefficients, above - below)

    @property
    def span_v(self) -> float:
        """Length of the curve's range."""
        return float(self.breakpoints[-1] - self.breakpoints[0])

    def around(self, rows_v: Array, side: str) -> Array:
        """Coefficients (..., degree + 1) of phi(r - c) in powers of c, for columns above (left) or below 0 V (right).

        rows_v: (...) volts.
        """
        piece = np.searchsorted(self.breakpoints, rows_v, side=side)  # type: ignore[call-overload]
        local = shifted(self.coefficients[piece], rows_v - self.origins[piece])
        local[..., 1::2] *= -1
        return np.asarray(local)

    def rooms(self, rows_v: Array) -> Array:
        """How far from rows (samples, rows) the next breakpoints are, below and above: (2, samples, rows) volts."""
        knots = np.concatenate([[-np.inf], self.breakpoints, [np.inf]])
        below = knots[np.searchsorted(self.breakpoints, rows_v, side="left")]
        above = knots[np.searchsorted(self.breakpoints, rows_v, side="right") + 1]
        return np.stack([rows_v - below, above - rows_v])

    def crossings(self, rows_v: Array, lowest_v: Array, highest_v: Array, rooms: Array) -> Crossings:
        """The breakpoints that columns between lowest_v and highest_v let devices cross.

        rows_v: (samples, rows) volts. lowest_v, highest_v: (samples, 1). rooms: the rows', since breakpoints are looked
        for only where columns reach so far.
        """
        knots = self.breakpoints
        samples, rows, knot, sides = [], [], [], []
        for room, end_v, side in zip(rooms, (highest_v, lowest_v), (-1.0, 1.0), strict=True):
            sample, row = np.nonzero(room < _ROOM_SLACK * np.maximum(-side * end_v, 0))
            row_v, reach_v = rows_v[sample, row], np.broadcast_to(end_v, rows_v.shape)[sample, row]
            first = np.searchsorted(knots, np.minimum(row_v, row_v - reach_v), side="right")
            counts = np.searchsorted(knots, np.maximum(row_v, row_v - reach_v), side="left") - first
            for extra in range(int(counts.max(initial=0))):
                reached = counts > extra
                samples.append(sample[reached])
                rows.append(row[reached])
                knot.append(first[reached] + extra)
                sides.append(np.full(len(samples[-1]), side))
        if not samples:
            nothing = np.empty(0, dtype=np.int64)
            return Crossings(nothing, nothing, np.empty(0), np.empty(0), np.empty((0, self.jumps.shape[1] - 1)))
        sample, row, number = (np.concatenate(part) for part in (samples, rows, knot))
        side_of = np.concatenate(sides)
        powers = np.arange(1, self.jumps.shape[1])
        steps = self.jumps[number, 1:] * side_of[:, None] ** (powers + 1)
        return Crossings(sample, row, rows_v[sample, row] - knots[number], side_of, steps)


def shifted(coefficients: Array, by: Array) -> Array:
    """Coefficients in powers of x of polynomials given in powers of (x + by).

    coefficients: (..., degree + 1), ascending; by: (...).
    """
    result = coefficients.copy()
    degree = result.shape[-1] - 1
    for first in range(degree):
        for power in range(degree - 1, first - 1, -1):
            result[..., power] += by * result[..., power + 1]
    return result
