"""What wires lose, for NumPy's arrays: the sums of `wires`, in one pass over the crosspoints."""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.compiled import compiled


@compiled
def lose(currents_a: Array, columns_v: Array, ohms: tuple[float, float, float], lost: Array) -> None:
    """Into lost (samples, rows, columns), volts, for currents likewise; columns_v: (samples, columns).

    ohms: of a row's segment, of a driver, of a column's segment.
    """
    row_ohm, driver_ohm, column_ohm = ohms
    samples, rows, columns = currents_a.shape
    in_columns_a = np.empty((rows, columns))
    for sample in range(samples):
        currents, into = currents_a[sample], lost[sample]
        if column_ohm > 0:
            in_columns_a[0] = currents[0]
            for row in range(1, rows):
                for column in range(columns):
                    in_columns_a[row, column] = in_columns_a[row - 1, column] + currents[row, column]
        for row in range(rows - 1, -1, -1):
            into[row] = columns_v[sample] if row == rows - 1 else into[row + 1]
            if column_ohm > 0:
                for column in range(columns):
                    into[row, column] += column_ohm * in_columns_a[row, column]
        if row_ohm > 0 or driver_ohm > 0:
            _lose_in_rows(currents, row_ohm, driver_ohm, into)


@compiled
def _lose_in_rows(currents: Array, row_ohm: float, driver_ohm: float, into: Array) -> None:
    """Adds what drivers and rows lose, (rows, columns): four rows side by side, whose sums do not wait for each other.

    Where there are fewer the last of them is summed again, and added once.
    """
    rows, columns = currents.shape
    in_rows_a = np.empty((columns, 4))
    for first in range(0, rows, 4):
        second, third, fourth = min(first + 1, rows - 1), min(first + 2, rows - 1), min(first + 3, rows - 1)
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        for column in range(columns - 1, -1, -1):
            a, b = a + currents[first, column], b + currents[second, column]
            c, d = c + currents[third, column], d + currents[fourth, column]
            in_rows_a[column, 0], in_rows_a[column, 1], in_rows_a[column, 2], in_rows_a[column, 3] = a, b, c, d
        a, b, c, d = driver_ohm * a, driver_ohm * b, driver_ohm * c, driver_ohm * d
        for column in range(columns):
            a, b = a + row_ohm * in_rows_a[column, 0], b + row_ohm * in_rows_a[column, 1]
            c, d = c + row_ohm * in_rows_a[column, 2], d + row_ohm * in_rows_a[column, 3]
            in_rows_a[column, 0], in_rows_a[column, 1], in_rows_a[column, 2], in_rows_a[column, 3] = a, b, c, d
        for row in range(first, min(first + 4, rows)):
            for column in range(columns):
                into[row, column] += in_rows_a[column, row - first]


@compiled
def shared(first_a: Array, second_a: Array) -> tuple[float, float, float]:
    """As `wires.shared_losses`, of currents (samples, rows, columns)."""
    driver, in_rows, in_columns = 0.0, 0.0, 0.0
    samples, rows, columns = first_a.shape
    first_in, second_in = np.empty(columns), np.empty(columns)
    for sample in range(samples):
        first_in[:], second_in[:] = 0.0, 0.0
        for row in range(rows):
            a, b = 0.0, 0.0
            for column in range(columns - 1, -1, -1):
                a, b = a + first_a[sample, row, column], b + second_a[sample, row, column]
                in_rows += a * b
            driver += a * b
            for column in range(columns):
                first_in[column] += first_a[sample, row, column]
                second_in[column] += second_a[sample, row, column]
                in_columns += first_in[column] * second_in[column]
    return driver, in_rows, in_columns
