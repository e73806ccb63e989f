"""What is known of a crossbar's rows whatever its devices' areas are: located on the curves, once for all specimens."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kanspice.base.arrays import Array
from kanspice.devices import Curve, PiecewisePolynomial
from kanspice.engine.batched.local_polynomials import CurveTables, Pieces

_KEPT_NUMBERS = 2**23
"""Of all rows that are kept: 64 MB."""


@dataclass(frozen=True)
class Rows:
    """Voltages of a crossbar's rows, and the curves seen from there.

    rows_v: (samples, rows) volts. curves: of the device types, in volts. known: the types whose curves are piecewise
    polynomials; tables: of these.
    above, below: (known types, samples, rows, powers) the curves in powers of the column voltage, where that is above
    0 V, and where it is below. rooms: (known types, 2, samples, rows) how far the next breakpoints are below and above
    the rows, volts.
    """

    rows_v: Array
    curves: tuple[Curve, ...]
    known: list[int]
    tables: CurveTables
    above: Array
    below: Array
    rooms: Array

    @classmethod
    def at(cls, rows_v: Array, curves: Sequence[Curve]) -> Rows:
        from kanspice.engine.batched.row_loops import expand  # noqa: PLC0415 - see `compiled`

        known = [place for place, curve in enumerate(curves) if isinstance(curve, PiecewisePolynomial)]
        tables = CurveTables.of([Pieces.of(curve) for curve in curves if isinstance(curve, PiecewisePolynomial)])
        above, below = (np.empty((len(known), *rows_v.shape, tables.coefficients.shape[2])) for _ in range(2))
        rooms = np.empty((len(known), 2, *rows_v.shape))
        rows_v = np.array(rows_v, order="C")
        expand(rows_v, tables, (above, below), rooms)
        return cls(rows_v, tuple(curves), known, tables, above, below, rooms)

    @property
    def unknown(self) -> list[int]:
        """The other types."""
        return [place for place in range(len(self.curves)) if place not in self.known]

    @property
    def powers(self) -> int:
        """Coefficients of every polynomial."""
        return int(self.above.shape[3])

    @cached_property
    def stacked(self) -> tuple[Array, Array]:
        """`above` and `below`, (samples * powers, known types * rows): times areas, they are those of columns."""
        return self._stacked(self.above), self._stacked(self.below)

    def _stacked(self, polynomials: Array) -> Array:
        samples, rows = self.rows_v.shape
        by_sample = polynomials.transpose(1, 3, 0, 2)
        return by_sample.reshape(samples * self.powers, len(self.known) * rows)


class KnownRows:
    """Rows that were located before, for other circuits that get the same inputs. A copy sent elsewhere begins empty.

    What comes of it is the same as without it: it is found again by all of its bytes.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Rows] = {}
        self._numbers = 0

    def __reduce__(self) -> tuple[type[KnownRows], tuple[()]]:
        return KnownRows, ()

    def at(self, rows_v: Array, curves: Sequence[Curve]) -> Rows:
        """As `Rows.at`."""
        if not all(isinstance(curve, PiecewisePolynomial) for curve in curves):
            return Rows.at(rows_v, curves)
        key = _fingerprint(rows_v, curves)
        if key not in self._known:
            found = Rows.at(rows_v, curves)
            numbers = sum(table.size for table in (found.above, found.below, found.rooms, *found.stacked))
            if self._numbers + numbers > _KEPT_NUMBERS:
                self._known, self._numbers = {}, 0
            self._known[key] = found
            self._numbers += numbers
        return self._known[key]


def _fingerprint(rows_v: Array, curves: Sequence[Curve]) -> bytes:
    digest = hashlib.sha256(str(rows_v.shape).encode())
    digest.update(rows_v.tobytes())
    for curve in curves:
        assert isinstance(curve, PiecewisePolynomial)  # noqa: S101 - others are not kept
        digest.update(str(curve.coefficients.shape).encode())
        digest.update(curve.breakpoints.tobytes())
        digest.update(curve.coefficients.tobytes())
    return digest.digest()
