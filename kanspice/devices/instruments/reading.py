"""A file as an instrument writes it -> voltages in volts and currents, device by device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.devices.cards import MAX_PIECES
from kanspice.devices.instruments.columns import (
    ColumnChoice,
    DeviceColumns,
    FoundColumns,
    TableColumn,
    find_columns,
    with_units,
)
from kanspice.devices.instruments.spread import DeviceSpread, mean_and_spread
from kanspice.devices.instruments.sweeps import Branch, VoltageSweep, one_sweep
from kanspice.devices.instruments.tables import FoundTables, NumberTable, TableRow, find_tables
from kanspice.devices.instruments.units import Unit

_JUMP = 0.5
"""Of the range of voltages, from one row to the next: another sweep may begin."""
_HELD = 3
"""So many points with exactly the largest current have been held there."""


@dataclass(frozen=True)
class MeasuredDevice:
    """One device: its name in the file, empty where it is alone, and its sweep."""

    name: str
    sweep: VoltageSweep


@dataclass(frozen=True)
class IVReading:
    """What a file holds.

    v: (n,) volts, strictly rising. i: (n,), in `current_unit`, None where the file does not say which that is.
    devices: all of them; spread: of more than one, whose mean v and i are. notes: how the file was read.
    """

    v: Array
    i: Array
    current_unit: Unit | None
    devices: tuple[MeasuredDevice, ...]
    spread: DeviceSpread | None
    notes: tuple[str, ...]


def read_iv(path: Path, choice: ColumnChoice | None = None, branch: Branch = "up") -> IVReading:
    """Voltages and currents of a file that an instrument, a spreadsheet or a program wrote.

    The table is found by itself, below whatever stands above it: separated by commas, semicolons, tabs or blanks, with
    decimal points or commas. Columns are found by their names and units, or as `choice` says. branch: of a sweep in
    both directions. Raises InputError, with line and column, for what is not plain.
    """
    chosen = choice or ColumnChoice()
    found = find_tables(path)
    tables = _alike(found, chosen, path)
    unit = tables[0][1].devices[0].current.unit
    sets = [points for table, columns in tables for points in _points(table, columns, unit, path)]
    if len(tables) > 1 and len(sets) > 1:
        sets = [(name or f"table {k}", v, i) for k, (name, v, i) in enumerate(sets, start=1)]
    devices = tuple(MeasuredDevice(name, _swept(name, v, i, branch, path)) for name, v, i in sets)
    notes = [*_how(found, tables), *(note for device in devices for note in _of_sweep(device))]
    if len(devices) == 1:
        v, i = devices[0].sweep.v, devices[0].sweep.i
        return _few(IVReading(v, i, unit, devices, None, tuple(notes)))
    try:
        v, i, spread = mean_and_spread([(each.sweep.v, each.sweep.i) for each in devices])
    except InputError as error:
        raise InputError(error.problem, where=path, expected=error.expected, found=error.found) from error
    names = ", ".join(device.name for device in devices[:8]) + (", ..." if len(devices) > 8 else "")
    notes.append(f"{len(devices)} devices ({names}): the curve is their mean")
    return _few(IVReading(v, i, unit, devices, spread, tuple(notes)))


def _few(reading: IVReading) -> IVReading:
    """With as many points as a card takes at most: neighbours averaged."""
    count = len(reading.v)
    each = -(-count // MAX_PIECES)
    if each == 1:
        return reading
    starts = np.arange(0, count, each)
    sizes = np.diff(np.append(starts, count))
    v, i = (np.add.reduceat(column, starts) / sizes for column in (reading.v, reading.i))
    note = f"{count} points: {each} neighbours each are averaged"
    return replace(reading, v=v, i=i, notes=(*reading.notes, note))


def _alike(found: FoundTables, choice: ColumnChoice, path: Path) -> list[tuple[NumberTable, FoundColumns]]:
    """The largest table with voltages and currents, and those with the same columns."""
    known: list[tuple[NumberTable, FoundColumns]] = []
    errors: list[InputError] = []
    for table in sorted(found.tables, key=lambda table: -len(table.rows)):
        try:
            known.append((table, find_columns(table, choice, path)))
        except InputError as error:
            errors.append(error)
    if not known:
        raise errors[0]
    used = known[0][1].devices
    same = [(table, columns) for table, columns in known if columns.devices == used]
    other = next((table for table, columns in known if columns.devices != used and table.header is not None), None)
    if other is not None:
        raise InputError(
            f"a second table, from line {other.rows[0].line}, has other columns or units",
            where=path,
            expected=", ".join(known[0][0].header or ("columns without names",)),
            found=", ".join(other.header or ()),
            hint="one of the tables in a file of its own",
        )
    in_order = sorted(same, key=lambda each: each[0].rows[0].line)
    return [(table, with_units(columns, choice, path)) for table, columns in in_order]


def _points(table: NumberTable, columns: FoundColumns, unit: Unit | None, path: Path) -> list[tuple[str, Array, Array]]:
    """Name, volts and currents of each device, in the order of the rows."""
    sets = []
    for device in columns.devices:
        if columns.by is None:
            _check_steps(table, device, path)
        for name, rows in _by_device(table.rows, columns.by):
            sets.append((name or device.name, *_numbers(rows, device, unit, path)))
    return sets


def _check_steps(table: NumberTable, device: DeviceColumns, path: Path) -> None:
    """Raises InputError where another column says that the rows are several sweeps: it changes where the voltage jumps
    back, and only there."""
    volts = [row.cells[device.voltage.index].number for row in table.rows]
    known = np.array([math.nan if number is None else number for number in volts])
    if np.isnan(known).any():
        return
    step = np.diff(known)
    back = np.append(False, (step[1:] * step[:-1] < 0) & (np.abs(step[1:]) > _JUMP * np.ptp(known)))
    for k in range(table.width):
        texts = [row.cells[k].text for row in table.rows]
        changes = np.array([above != below for above, below in pairwise(texts)], dtype=bool)
        if k in (device.voltage.index, device.current.index) or not changes.any() or not back[changes].all():
            continue
        name = table.header[k] if table.header else ""
        raise InputError(
            f"line {table.rows[int(np.argmax(changes)) + 1].line}: another sweep begins, says column {k + 1} '{name}'",
            where=path,
            expected="one sweep, or sweeps of several devices with a column 'device'",
            found=", ".join(dict.fromkeys(texts))[:100],
            hint="leave one sweep in the file, or name the column 'device' if each is another device",
        )


def _by_device(rows: Sequence[TableRow], by: TableColumn | None) -> list[tuple[str, list[TableRow]]]:
    if by is None:
        return [("", list(rows))]
    names = list(dict.fromkeys(row.cells[by.index].text for row in rows))
    ordered = sorted(rows, key=lambda row: names.index(row.cells[by.index].text))
    grouped = groupby(ordered, key=lambda row: row.cells[by.index].text)
    return [(f"{by.name} {name}" if len(names) > 1 else "", list(group)) for name, group in grouped]


def _numbers(rows: Sequence[TableRow], device: DeviceColumns, unit: Unit | None, path: Path) -> tuple[Array, Array]:
    v, i = [], []
    for row in rows:
        cells = [row.cells[column.index] for column in (device.voltage, device.current)]
        if not any(cell.text for cell in cells):  # columns of devices with fewer points
            continue
        for column in (device.voltage, device.current):
            _check_unit(row, column, path)
        volts = _number(row, device.voltage, path) * _si(row, device.voltage)
        current = _number(row, device.current, path) * _si(row, device.current) * device.current.scale
        v.append(volts)
        i.append(current / (unit.si if unit else 1.0))
    return np.array(v), np.array(i)


def _check_unit(row: TableRow, column: TableColumn, path: Path) -> None:
    """Raises InputError where a cell has a unit of another quantity than its column, or the column has none."""
    unit = row.cells[column.index].unit
    if unit is not None and (column.unit is None or unit.quantity != column.unit.quantity):
        raise InputError(
            f"line {row.line}, {column.label}: a number in {unit.text}",
            where=path,
            expected=f"one in {column.unit.text}" if column.unit else "no unit, as in the first row",
            found=row.cells[column.index].text[:100],
        )


def _si(row: TableRow, column: TableColumn) -> float:
    """Volts or amperes in the cell's own unit, or in the column's."""
    unit = row.cells[column.index].unit or column.unit
    return unit.si if unit else 1.0


def _number(row: TableRow, column: TableColumn, path: Path) -> float:
    cell = row.cells[column.index]
    if cell.number is not None:
        return cell.number
    if cell.marker:
        problem = "the instrument's mark for no reading, such as an overflow, instead of a number"
        hint = "leave such rows out of the file, or measure with a larger range and compliance"
    elif not cell.text:
        problem, hint = "an empty cell instead of a number", None
    else:
        problem, hint = "no number", None
    raise InputError(
        f"line {row.line}, {column.label}: {problem}", where=path, found=cell.text[:100] or None, hint=hint
    )


def _swept(name: str, v: Array, i: Array, branch: Branch, path: Path) -> VoltageSweep:
    where = f"{path}, {name}" if name else path
    if len(v) < 2 or np.ptp(v) == 0:
        raise InputError(
            "the voltage does not change, so that this is no curve",
            where=where,
            found=f"{len(v)} points" + (f" at {v[0]:g} V" if len(v) else ""),
            hint="--voltage-column and --current-column, if the columns are others",
        )
    try:
        return one_sweep(v, i, branch)
    except InputError as error:
        raise InputError(error.problem, where=where, hint=error.hint) from error


def _how(found: FoundTables, tables: Sequence[tuple[NumberTable, FoundColumns]]) -> list[str]:
    table, columns = tables[0]
    rows, decimal = sum(len(each.rows) for each, _ in tables), ", decimal commas" if found.decimal == "," else ""
    notes = [f"{rows} rows from line {table.rows[0].line}, separated by {found.separator}{decimal}"]
    for device in columns.devices:
        current = device.current.unit
        amps = "in a unit that the file does not say" if current is None else f"in {current.text}"
        volts = device.voltage.unit.text if device.voltage.unit else "V"
        notes.append(f"voltage: {device.voltage.label} in {volts}; current: {device.current.label} {amps}")
    if columns.ignored:
        notes.append("not read: " + ", ".join(column.name for column in columns.ignored))
    return notes


def _of_sweep(device: MeasuredDevice) -> list[str]:
    sweep, name, notes = device.sweep, f"{device.name}: " if device.name else "", []
    if sweep.turned:
        notes.append(f"{name}the voltage falls: turned round")
    if sweep.branch is not None:
        taken = "the mean of both" if sweep.branch == "mean" else f"the branch {sweep.branch}"
        others = {"up": " (--branch down or mean for another)", "down": "", "mean": ""}[sweep.branch]
        notes.append(
            f"{name}the voltage turns {sweep.turns} time{'s' if sweep.turns > 1 else ''}: {taken} is taken{others}"
        )
    if sweep.hysteresis is not None:
        gap = sweep.hysteresis
        notes.append(
            f"{name}hysteresis: the branch down is off the one up by {gap.rms / gap.of:.2%} of the largest current"
            f" (root mean square), by {gap.largest / gap.of:+.2%} at {gap.at_v:.4g} V"
        )
    if sweep.repeated:
        notes.append(f"{name}{sweep.repeated} more at voltages that were measured before: averaged")
    held = int(np.sum(sweep.i == sweep.i.max()))
    if held >= _HELD and sweep.i.max() > 0:
        notes.append(f"{name}{held} points carry exactly {sweep.i.max():.4g}, the largest current: the compliance?")
    return notes
