"""Reads current-voltage tables: measured points and straight segments."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.files import read_text
from kanspice.devices.curves import PiecewisePolynomial

MAX_CSV_BYTES = 4_000_000


def read_points(path: Path, minimum: int = 2) -> tuple[Array, Array]:
    """Voltages (n,) in volts and currents (n,) of a two-column CSV file, with or without a header line.

    Raises InputError, with the line number, on anything but finite numbers at strictly rising voltages, and on fewer
    than `minimum` points.
    """
    numbers, rows = read_table(path, 2)
    _check_rising(path, numbers, rows[:, 0])
    if len(rows) < minimum:
        raise InputError("too few points", where=path, expected=f"at least {minimum}", found=str(len(rows)))
    return rows[:, 0], rows[:, 1]


def read_segments(path: Path) -> PiecewisePolynomial:
    """Straight segments of a CSV file with the columns v0, v1, i0, i1. Raises InputError with the line number."""
    numbers, rows = read_table(path, 4)
    _check_rising(path, numbers, rows[:, 0])
    try:
        return PiecewisePolynomial.from_segments(*rows.T)
    except InputError as error:
        raise InputError(error.problem, where=path, expected=error.expected, found=error.found) from error


def read_table(
    path: Path,
    columns: int,
    or_columns: int | None = None,
    *,
    header: Sequence[str] | None = None,
    max_bytes: int = MAX_CSV_BYTES,
) -> tuple[list[int], Array]:
    """Line numbers and numbers (n, columns) of a CSV file; blank lines and one header line are skipped.

    or_columns: another number of columns that it may have, as its first line of numbers says. header: what its header
    line has to be; None for any, or none.
    """
    parsed = [(number, cells) for number, cells in _lines(path, max_bytes) if any(cell.strip() for cell in cells)]
    if header is not None and (not parsed or [cell.strip() for cell in parsed[0][1]] != [*header]):
        found = ",".join(parsed[0][1])[:200] if parsed else "no line"
        raise InputError("the first line does not name the columns", where=path, expected=",".join(header), found=found)
    if parsed and not any(_is_number(cell) for cell in parsed[0][1]):
        parsed = parsed[1:]
    if not parsed:
        raise InputError("holds no numbers", where=path, expected=f"{columns} columns of numbers")
    width = or_columns if len(parsed[0][1]) == or_columns else columns
    rows = np.array([_row(path, number, cells, width) for number, cells in parsed])
    return [number for number, _ in parsed], rows


def _lines(path: Path, max_bytes: int) -> list[tuple[int, list[str]]]:
    """Numbers and cells of a CSV file's lines."""
    try:
        return list(enumerate(csv.reader(read_text(path, "a table of numbers", max_bytes).splitlines()), start=1))
    except csv.Error as error:
        raise InputError("is no table of numbers", where=path, found=str(error)) from error


def _row(path: Path, number: int, cells: list[str], columns: int) -> list[float]:
    if len(cells) != columns:
        raise InputError(
            f"line {number} does not have {columns} columns",
            where=path,
            expected=f"{columns} numbers separated by commas",
            found=",".join(cells)[:200],
        )
    for cell in cells:
        if not _is_number(cell) or not math.isfinite(float(cell)):
            raise InputError(f"line {number}: not a finite number", where=path, found=repr(cell)[:200])
    return [float(cell) for cell in cells]


def _is_number(cell: str) -> bool:
    """Whether it is one as tables have them; Python also takes `1_0`, and the digits of all scripts."""
    if not cell.isascii() or "_" in cell:
        return False
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_rising(path: Path, numbers: list[int], v: Array) -> None:
    falling = np.flatnonzero(np.diff(v) <= 0)
    if falling.size:
        k = int(falling[0])
        raise InputError(
            f"line {numbers[k + 1]}: the voltages must rise from line to line",
            where=path,
            found=f"{v[k]:g} V, then {v[k + 1]:g} V",
        )
