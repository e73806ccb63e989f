"""What is known of a crossbar's rows whatever its devices' areas are: located on the curves, once for all specimens."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kanspice.base.arrays import Array
from kanspice.devices import Curve, PiecewisePolynomial
from kanspice.engine.batched.local_polynomials import Pieces

_KEPT_NUMBERS = 2**23
"""Of all rows that are kept: 64 MB."""


@dataclass(frozen=True)
class Rows:
    """Voltages of a crossbar's rows, and the curves seen from there.

    rows_v: (samples, rows) volts. curves: of the device types, in volts.
    """

    rows_v: Array
    curves: tuple[Curve, ...]
    pieces: tuple[Pieces | None, ...]
    """Of each device type; None where the curve is no piecewise polynomial."""
    above: tuple[Array, ...]
    below: tuple[Array, ...]
    """Per device type with pieces, (samples, rows, degree + 1): the curve in powers of the column voltage."""
    rooms: tuple[Array, ...]
    """Per device type with pieces, (2, samples, rows): how far the next breakpoints are, volts."""

    @classmethod
    def at(cls, rows_v: Array, curves: Sequence[Curve]) -> Rows:
        pieces = tuple(Pieces.of(curve) if isinstance(curve, PiecewisePolynomial) else None for curve in curves)
        known = [part for part in pieces if part is not None]
        above = tuple(part.around(rows_v, "left") for part in known)
        below = tuple(part.around(rows_v, "right") for part in known)
        rooms = tuple(part.rooms(rows_v) for part in known)
        return cls(rows_v, tuple(curves), pieces, above, below, rooms)

    @property
    def known(self) -> list[int]:
        """The device types with pieces."""
        return [place for place, pieces in enumerate(self.pieces) if pieces is not None]

    @property
    def powers(self) -> int:
        """Coefficients of the polynomials in `stacked`."""
        return max((table.shape[2] for table in self.above), default=0)

    @cached_property
    def stacked(self) -> tuple[Array, Array]:
        """`above` and `below`, (samples * powers, types with pieces * rows): times areas, they are those of columns."""
        return self._stacked(self.above), self._stacked(self.below)

    def _stacked(self, tables: Sequence[Array]) -> Array:
        samples, rows = self.rows_v.shape
        together = np.zeros((samples, self.powers, len(tables), rows))
        for place, table in enumerate(tables):
            together[:, : table.shape[2], place] = table.transpose(0, 2, 1)
        return together.reshape(samples * self.powers, len(tables) * rows)


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
            self._numbers += sum(table.size for tables in (found.above, found.below, found.rooms) for table in tables)
            self._numbers += sum(table.size for table in found.stacked)
            if self._numbers > _KEPT_NUMBERS:
                self._known, self._numbers = {}, 0
            self._known[key] = found
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
