"""The devices between rows and columns over time: at every crosspoint, or summed into columns that are at one voltage.

While rows move, every device is evaluated. Rows that stand still make of each column's devices one piecewise polynomial
in its voltage, worked out once: then a column costs a search, however many devices it has.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PPoly

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Crossbar
from kanspice.devices import Curve, PiecewisePolynomial
from kanspice.engine.batched.local_polynomials import Pieces, shifted

_STILL = 12
"""After so many evaluations for the same voltages rows stand still: moving ones are asked for that often by no step."""


class Junctions:
    """Of one crossbar, wherever its devices' ends are."""

    def __init__(self, crossbar: Crossbar, curves: Sequence[Curve]) -> None:
        """curves: of the device types, in volts."""
        area, shift_v = crossbar.column_area, np.repeat(crossbar.shift_v, 2, axis=1)
        self.columns = area.shape[1]
        self.parts = []
        for device, curve in enumerate(curves):
            row, column = np.nonzero(area[:, :, device])
            scale_a = area[row, column, device] * crossbar.current_unit_a
            both = _both(curve) if isinstance(curve, PiecewisePolynomial) else None
            self.parts.append((curve, both, row, column, scale_a, shift_v[row, column, device]))

    def at(self, volts: Array) -> tuple[Array, Array]:
        """Currents and their derivatives, amps and siemens, for (samples, rows, columns) volts from row to column."""
        current, slope = np.zeros_like(volts), np.zeros_like(volts)
        shape = len(volts), volts.shape[1] * volts.shape[2]
        flat_v, flat_a, flat_s = (part.reshape(shape) for part in (volts, current, slope))
        for curve, both, row, column, scale_a, shift_v in self.parts:
            place = row * self.columns + column
            seen_v = flat_v[:, place] - shift_v
            value, derivative = curve.numpy(seen_v) if both is None else _clamped(curve, both, seen_v)
            flat_a[:, place] += scale_a * value
            flat_s[:, place] += scale_a * derivative
        return current, slope

    @property
    def has_pieces(self) -> bool:
        """True where all curves are piecewise polynomials."""
        return all(both is not None for _, both, *_ in self.parts)

    def bends(self, row_v: Array) -> tuple[Array, Array, Indices, Array]:
        """Where columns' currents change their polynomials, for rows (rows,) that stand still, in no order.

        (bends,) volts of the column, going up; (bends, degree + 1) what is added there, in ascending powers of the
        column's voltage; (bends,) of which column; (columns,) amps below all of them.
        """
        at_v, steps, columns = [], [], []
        below_a = np.zeros(self.columns)
        powers = max(both.c.shape[0] for _, both, *_ in self.parts if both is not None)
        for curve, _, row, column, scale_a, shift_v in self.parts:
            if not isinstance(curve, PiecewisePolynomial):
                raise TypeError("only piecewise polynomials have bends")
            pieces = Pieces.of(curve)
            at = row_v[row, None] - shift_v[:, None] - pieces.breakpoints
            jumps = -scale_a[:, None, None] * pieces.jumps
            local = shifted(np.pad(jumps, ((0, 0), (0, 0), (0, max(0, powers - jumps.shape[2])))), at)
            local[..., 1::2] *= -1
            at_v.append(at.ravel())
            steps.append(local.reshape(-1, local.shape[2]))
            columns.append(np.repeat(column, at.shape[1]))
            np.add.at(below_a, column, scale_a * pieces.coefficients[-1, 0])
        return np.concatenate(at_v), np.concatenate(steps), np.concatenate(columns), below_a


def _both(curve: PiecewisePolynomial) -> PPoly:
    """The curve and its derivative together."""
    value = curve.coefficients.T[::-1]
    derivative = np.zeros_like(value)
    derivative[1:] = value[:-1] * np.arange(len(value) - 1, 0, -1)[:, None]
    return PPoly(np.ascontiguousarray(np.stack([value, derivative], axis=2)), curve.breakpoints)


def _clamped(curve: Curve, both: PPoly, volts: Array) -> tuple[Array, Array]:
    inside = np.clip(volts, curve.lo_v, curve.hi_v)
    found = both(inside)
    return found[..., 0], np.where(inside == volts, found[..., 1], 0.0)


class LoadLines:
    """What the devices of each column carry into it, for many samples, most of whose rows stand still."""

    def __init__(self, junctions: Junctions, samples: int, rows: int) -> None:
        self.junctions = junctions
        self.rows_v = np.full((samples, rows), np.nan)
        self.seen = np.zeros(samples, dtype=np.int64)
        self.at_v: Array = np.empty((0, 0, 0))
        self.coefficients: Array = np.empty((0, 0, 0, 0))

    def at(self, columns_v: Array, rows_v: Array, samples: Indices) -> tuple[Array, Array]:
        """Currents into columns (len(samples), columns) and their derivatives by row minus column, likewise."""
        same = (rows_v == self.rows_v[samples]).all(axis=1)
        self.rows_v[samples] = rows_v
        self.seen[samples] = np.where(same, self.seen[samples] + 1, 0)
        known = (self.seen[samples] > _STILL) & self.junctions.has_pieces
        for sample in samples[known & (self.seen[samples] == _STILL + 1)].tolist():
            self._learn(sample)
        current, slope = np.empty_like(columns_v), np.empty_like(columns_v)
        if known.any():
            current[known], slope[known] = self._looked_up(columns_v[known], samples[known])
        if not known.all():
            parts = self.junctions.at(rows_v[~known, :, None] - columns_v[~known, None, :])
            current[~known], slope[~known] = (part.sum(axis=1) for part in parts)
        return current, slope

    def _learn(self, sample: int) -> None:
        at_v, steps, column, below_a = self.junctions.bends(self.rows_v[sample])
        order = np.lexsort((at_v, column))
        at_v, steps, column = at_v[order], steps[order], column[order]
        counts = np.bincount(column, minlength=len(below_a))
        place = np.arange(len(column)) - np.repeat(np.cumsum(counts) - counts, counts)
        if self.at_v.size == 0:
            shape = len(self.rows_v), len(below_a), int(counts.max(initial=0))
            self.at_v = np.full(shape, np.inf)
            self.coefficients = np.zeros((*shape[:2], shape[2] + 1, steps.shape[1]))
        self.at_v[sample, column, place] = at_v
        table = np.zeros(self.coefficients.shape[1:])
        table[:, 0, 0] = below_a
        table[column, place + 1] = steps
        self.coefficients[sample] = np.cumsum(table, axis=1)

    def _looked_up(self, columns_v: Array, samples: Indices) -> tuple[Array, Array]:
        place = samples[:, None], np.arange(columns_v.shape[1])
        most = self.at_v.shape[2]
        low, high = np.zeros(columns_v.shape, dtype=np.int64), np.full(columns_v.shape, most)
        for _ in range(most.bit_length()):
            middle = (low + high) // 2
            below = (low < high) & (self.at_v[(*place, np.minimum(middle, most - 1))] <= columns_v)
            low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
        value, slope = np.zeros_like(columns_v), np.zeros_like(columns_v)
        coefficients = self.coefficients[(*place, low)]
        for power in range(coefficients.shape[2] - 1, -1, -1):
            slope = slope * columns_v + value
            value = value * columns_v + coefficients[:, :, power]
        return value, -slope
