"""Crossbars of resistances behind wires: one elimination, column by column, serves every sample.

Where every device is a straight line and no amplifier stops, currents are linear in the rows' voltages. What a column
draws from the rows beside it is a matrix; from the far end of the rows each column is joined to those behind it. As in
`design.wires`, only currents and losses appear, so that any resistance may be 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from kanspice.base.arrays import Array
from kanspice.circuit import Crossbar
from kanspice.circuit.amplifiers import held_v, outputs_v
from kanspice.devices import Curve, is_resistance
from kanspice.engine.batched.columns import Settled
from kanspice.engine.batched.products import times

_LEFT = 1e-11
"""Of all currents together: what rounding may leave between what rows give and what amplifiers get."""


@dataclass(frozen=True)
class Resistances:
    """A crossbar's crosspoints as siemens and amps at 0 V, (rows, columns): I = siemens * volts + amps.

    That holds where rows and columns are within reach_v of 0 V.
    """

    siemens: Array
    amps: Array
    reach_v: float

    @classmethod
    def of(cls, curves: Sequence[Curve], area_a: Array, shift_v: Array) -> Resistances | None:
        """For area_a and shift_v (rows, columns, devices), amps and volts; None unless all curves are resistances."""
        lines = [curve for curve in curves if is_resistance(curve)]
        if not curves or len(lines) != len(curves):
            return None
        slopes = np.array([curve.coefficients[0, 1] for curve in lines])
        reach_v = min(min(-curve.lo_v, curve.hi_v) for curve in lines) - np.abs(shift_v).max(initial=0.0)
        return cls(area_a @ slopes, -(area_a * shift_v) @ slopes, float(reach_v) / 2)


@dataclass(frozen=True)
class LinearCrossbar:
    """The currents of a crossbar of resistances for any voltages of its rows.

    into_s, into_a: (columns, rows) and (columns,), what amplifiers get; row_s, row_a: (rows, rows) and (rows,), what
    rows take.
    """

    crossbar: Crossbar
    into_s: Array
    into_a: Array
    row_s: Array
    row_a: Array

    @classmethod
    def of(cls, crossbar: Crossbar, parts: Resistances) -> LinearCrossbar:
        """Eliminates columns from the far end of the rows; behind (rows,): what rows carry on there."""
        rows, columns = parts.siemens.shape
        held_at_v, column_ohm = held_v(crossbar, np.zeros(columns) + crossbar.bias_a)
        shared = rows - np.maximum.outer(np.arange(rows), np.arange(rows))
        behind_s, behind_a = np.zeros((rows, rows)), np.zeros(rows)
        into_s, into_a = np.zeros((0, rows)), np.zeros(0)
        for column in range(columns)[::-1]:
            siemens = parts.siemens[:, column]
            losses = crossbar.column_ohm * shared + column_ohm[column]
            root = np.sqrt(siemens)
            own_s = root[:, None] * _inverse(np.eye(rows) + root[:, None] * losses * root) * root
            amps = parts.amps[:, column]
            own_a = amps - own_s @ (losses @ amps + held_at_v[column])
            into_s, into_a = np.vstack([own_s.sum(axis=0), into_s]), np.append(own_a.sum(), into_a)
            total_s, total_a = behind_s + own_s, behind_a + own_a
            ohm = crossbar.row_ohm + (crossbar.driver_ohm if column == 0 else 0.0)
            passed = _inverse(np.eye(rows) + ohm * total_s)
            into_a = into_a - into_s @ (passed @ (ohm * total_a))
            into_s = into_s @ passed
            behind_a = total_a - total_s @ (passed @ (ohm * total_a))
            behind_s = total_s @ passed
            behind_s = 0.5 * (behind_s + behind_s.T)
        return cls(crossbar, into_s, into_a, behind_s, behind_a)

    def settle(self, rows_v: Array) -> Settled:
        """Columns and amplifiers for rows (samples, rows) in volts."""
        crossbar = self.crossbar
        from_rows_a = times(rows_v, self.into_s.T) + self.into_a
        rows_a = times(rows_v, self.row_s.T) + self.row_a
        into_a = from_rows_a + crossbar.bias_a
        columns_v = held_v(crossbar, into_a)[0]
        residual_a = np.abs(rows_a.sum(axis=1) - from_rows_a.sum(axis=1))
        converged = residual_a <= _LEFT * np.maximum(np.abs(from_rows_a).sum(axis=1), crossbar.current_unit_a)
        amplifiers_v = outputs_v(crossbar, columns_v, into_a)
        return Settled(columns_v, amplifiers_v, into_a, residual_a, converged, rows_a)


def _inverse(positive: Array) -> Array:
    """Of a symmetric positive definite matrix, by Cholesky's factors."""
    upper: Array = dpotri(dpotrf(positive)[0])[0]
    inverse: Array = np.triu(upper) + np.triu(upper, 1).T
    return inverse
