"""A piecewise polynomial curve around the voltages of a crossbar's rows: where columns move little, little changes.

Seen from a row at r, a device carries phi(r - c), c its column's voltage. Around c = 0 that is one cubic in c, or two
that meet at c = 0 where r is a breakpoint of the curve. Farther away every breakpoint that lies between r and r - c
adds the difference of the pieces on both of its sides, a polynomial in the distance from it: exact, corners included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kanspice.base.arrays import Array
from kanspice.devices import PiecewisePolynomial


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


class CurveTables(NamedTuple):
    """Curves beside each other, as `Pieces`, each with as many breakpoints and powers as the largest of them: padded.

    breakpoints: (types, n), infinite where there are none. origins: (types, n + 1); coefficients: (types, n + 1,
    powers), an even number of them; jumps: (types, n, powers).
    """

    breakpoints: Array
    origins: Array
    coefficients: Array
    jumps: Array

    @classmethod
    def of(cls, pieces: Sequence[Pieces]) -> CurveTables:
        powers = max((part.coefficients.shape[1] for part in pieces), default=0)
        powers += powers % 2
        return cls(
            _padded([part.breakpoints for part in pieces], (0,), np.inf),
            _padded([part.origins for part in pieces], (0,)),
            _padded([part.coefficients for part in pieces], (0, powers)),
            _padded([part.jumps for part in pieces], (0, powers)),
        )


def _padded(tables: Sequence[Array], least: tuple[int, ...], filling: float = 0.0) -> Array:
    """One beside the other, (tables, ...), each as large as the largest in every direction."""
    shape = np.max([least, *(table.shape for table in tables)], axis=0)
    together = np.full((len(tables), *shape), filling)
    for place, table in enumerate(tables):
        within: tuple[slice, ...] = tuple(map(slice, table.shape))
        together[place][within] = table
    return together


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
