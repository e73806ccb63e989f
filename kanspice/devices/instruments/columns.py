"""Which columns of a table are voltages and currents, and in which units."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from kanspice.base.errors import InputError
from kanspice.base.validation import similar
from kanspice.devices.instruments.tables import NumberTable, rises_by_one
from kanspice.devices.instruments.units import Quantity, Unit, asked_unit, misread, name_and_unit, unit_of, unknown_unit

_VOLTAGE_NAMES = re.compile(
    r"(v|u|e)(\d+|ds|gs|d|g|s|a|k|c|e|b|f|in|bias|meas|force|set|src|source)?|.*(volt|bias|spannung|tension).*|"
    r".*[a-z0-9_ ]V ?\d*|(v|u|e)[ _.](dut|dev|device)?[ _.]?\d+",
)
_CURRENT_NAMES = re.compile(
    r"(i|j)(\d+|ds|gs|d|g|s|a|k|c|e|b|f|meas|sense)?|.*(curr|strom|courant|amp).*|.*[a-z0-9_ ]I ?\d*|"
    r"(i|j)[ _.](dut|dev|device)?[ _.]?\d+",
)
_INDEX_NAMES = re.compile(r"(no|nr|#|index|idx|point|points|pt|n|step|row|sample no)\.?|", re.IGNORECASE)
_DEVICE_NAMES = re.compile(r"(device|dut|die|chip|cell|diode|sample|device ?id|dut ?id|sample ?id)", re.IGNORECASE)
_REPEAT = re.compile(r"\((\d+)\)$")
"""Behind a name that the 4200A repeats for every run."""
_DENSITY_NAMES = re.compile(r"j([\d_ ].*)?|.*(densit|dichte|per [cmn]?m(2|²)).*", re.IGNORECASE)
_UNIT_NAMES = re.compile(r"unit\d*", re.IGNORECASE)


@dataclass(frozen=True)
class ColumnChoice:
    """What the user says of the columns: names, or numbers from 1; units. Area in cm2 that densities are of."""

    voltage: str | None = None
    current: str | None = None
    voltage_unit: str | None = None
    current_unit: str | None = None
    area_cm2: float | None = None

    def __post_init__(self) -> None:
        if self.area_cm2 is not None and not 0 < self.area_cm2 < math.inf:
            raise InputError(
                "this is no area of a device",
                where="--area-cm2",
                expected="a number above 0, in cm2",
                found=f"{self.area_cm2:g}",
                hint="--area-cm2 1e-8 for a device of 1 um by 1 um",
            )


@dataclass(frozen=True)
class TableColumn:
    """A column: where it is from 0, what it is called, and its unit where that is known.

    scale: by what its numbers are multiplied, the area where they are densities. header: as the file has it.
    """

    index: int
    name: str
    unit: Unit | None
    scale: float = 1.0
    header: str = ""

    @property
    def label(self) -> str:
        return f"column {self.index + 1}" + (f" '{self.name}'" if self.name else "")


@dataclass(frozen=True)
class DeviceColumns:
    """The columns of one device."""

    name: str
    voltage: TableColumn
    current: TableColumn


@dataclass(frozen=True)
class FoundColumns:
    """devices: voltage and current of each. by: a column that says whose a row is. ignored: the others."""

    devices: tuple[DeviceColumns, ...]
    by: TableColumn | None
    ignored: tuple[TableColumn, ...]


def find_columns(table: NumberTable, choice: ColumnChoice, path: Path) -> FoundColumns:
    """Voltages and currents of a table. Raises InputError, naming all columns, where they are not plain."""
    columns = _columns(table)
    numeric = [column for column in columns if table.rows[0].cells[column.index].counts]
    by = next((column for column in columns if _DEVICE_NAMES.fullmatch(column.name)), None)
    useful = [column for column in numeric if column is not by and not _is_index(column, table)]
    voltages = [c for c in useful if _quantity(c, _VOLTAGE_NAMES, "voltage")]
    currents = [c for c in useful if c not in voltages and _quantity(c, _CURRENT_NAMES, "current")]
    if choice.voltage is not None:
        voltages = [_asked(columns, choice.voltage, "voltage")]
        currents = [column for column in currents if column not in voltages]
    if choice.current is not None:
        currents = [_asked(columns, choice.current, "current")]
        if choice.voltage is not None and voltages == currents:
            raise InputError(
                f"{currents[0].label} is asked for as the voltage and as the current",
                where="--voltage-column and --current-column",
                expected=f"two of the columns: {_listed(columns)}",
                found=f"{choice.voltage} and {choice.current}",
            )
        voltages = [column for column in voltages if column not in currents]
    unknown = [c for c in useful if c not in voltages + currents and (c.unit is None or c.unit.quantity != "other")]
    if not voltages and not currents and len(unknown) == 2:
        voltages, currents = [unknown[0]], [unknown[1]]
    elif not voltages and len(unknown) == 1:
        voltages = unknown
    elif not currents and len(unknown) == 1:
        currents = unknown
    pairs = _pairs(voltages, currents, columns, path)
    used = {column.index for pair in pairs for column in (pair.voltage, pair.current)} | {by.index if by else -1}
    left = tuple(column for column in columns if column.index not in used and column.name)
    return FoundColumns(tuple(pairs), by, left)


def with_units(found: FoundColumns, choice: ColumnChoice, path: Path) -> FoundColumns:
    """The columns in the units that the file or `choice` gives them. Raises InputError where these are not plain."""
    for pair in found.devices:
        _check_header(pair.voltage, choice.voltage_unit, "voltage", path)
        _check_header(pair.current, choice.current_unit, "current", path)
    devices = tuple(
        replace(pair, voltage=_voltage(pair.voltage, choice), current=_current(pair.current, choice, path))
        for pair in found.devices
    )
    return replace(found, devices=devices)


def _check_header(column: TableColumn, asked: str | None, what: Literal["voltage", "current"], path: Path) -> None:
    """Raises InputError where the header says more of the unit than is understood; an option may say which it is."""
    option = f"--{what}-unit"
    units = "V, mV or uV" if what == "voltage" else "A, mA, uA, nA or pA"
    more = misread(column.header)
    if more == "a logarithm" or (more is not None and asked is None):
        raise InputError(
            f"{column.label} seems to hold {more}: its numbers are no {what}s in a unit that is known",
            where=path,
            expected=f"{what}s in {units}",
            found=column.header,
            hint="a column without the logarithm" if more == "a logarithm" else f"{option}, if its numbers are in one",
        )
    unknown = unknown_unit(column.header)
    if unknown is not None and column.unit is None and asked is None:
        raise InputError(
            f"{column.label}: what its header says is not known as a unit",
            where=path,
            expected=units,
            found=unknown,
            hint=f"{option} {units.split(', ')[1]}, if that is what it means",
        )
    is_named_density = _DENSITY_NAMES.fullmatch(column.name) and (column.unit is None or len(column.name) > 1)
    is_density = column.unit is not None and column.unit.quantity == "density"
    if what == "current" and is_named_density and not is_density and asked is None:
        raise InputError(
            f"{column.label} seems to be a current density, and no unit of one is said",
            where=path,
            expected="a unit in the header, such as J (mA/cm2)",
            found=column.header,
            hint="the unit in the header and --area-cm2; or --current-unit, if these are currents",
        )


def _columns(table: NumberTable) -> list[TableColumn]:
    header = tuple(_REPEAT.sub(r" \1", name) for name in table.header or ("",) * table.width)
    columns: list[TableColumn] = []
    for index, (text, unit_above) in enumerate(zip(header, table.units, strict=True)):
        name, unit = name_and_unit(text)
        beside = table.rows[0].cells[index + 1] if index + 1 < table.width else None
        if unit is None and beside is not None and _UNIT_NAMES.fullmatch(header[index + 1]):
            unit = unit_of(beside.text)
        in_cell = table.rows[0].cells[index].unit
        columns.append(TableColumn(index, name, unit or unit_above or in_cell, header=text))
    return columns


def _is_index(column: TableColumn, table: NumberTable) -> bool:
    """Whether it counts rows: by its name, or where it has none by its numbers, with two columns besides."""
    if column.unit is not None or column.index > 0:
        return False
    numbers = [row.cells[0].number for row in table.rows]
    counts = None not in numbers and len(numbers) > 2 and rises_by_one([n for n in numbers if n is not None])
    return counts and bool(_INDEX_NAMES.fullmatch(column.name)) and table.width > 2


def _quantity(column: TableColumn, names: re.Pattern[str], quantity: Quantity) -> bool:
    if column.unit is not None:
        return column.unit.quantity == quantity or (quantity == "current" and column.unit.quantity == "density")
    return bool(names.fullmatch(column.name) or names.fullmatch(column.name.lower())) if column.name else False


def _asked(columns: Sequence[TableColumn], asked: str, what: Literal["voltage", "current"]) -> TableColumn:
    """The column that an option asks for. Raises InputError where its header has a unit of the other quantity."""
    option = f"--{what}-column"
    column = _named(columns, asked, option)
    against = {"voltage": ("current", "density"), "current": ("voltage",)}[what]
    if column.unit is not None and column.unit.quantity in against:
        raise InputError(
            f"{column.label} is no {what}: its unit is {column.unit.text}",
            where=option,
            expected=_listed(columns),
            found=asked,
            hint="another column, or another unit in the file's header",
        )
    return column


def _named(columns: Sequence[TableColumn], asked: str, option: str) -> TableColumn:
    """The column of this name, with its unit or without, or of this number."""
    named = [
        c for c in columns if c.name and asked.strip().lower() in (c.name.lower(), f"{c.name} ({_text(c)})".lower())
    ]
    if len(named) == 1:
        return named[0]
    if asked.isdecimal() and 1 <= int(asked) <= len(columns):
        return columns[int(asked) - 1]
    problem = "several columns have this name" if named else "there is no such column"
    raise InputError(
        problem, where=option, expected=_listed(columns), found=asked, hint=similar(asked, [c.name for c in columns])
    )


def _text(column: TableColumn) -> str:
    return column.unit.text if column.unit else ""


def _listed(columns: Sequence[TableColumn]) -> str:
    return "one of " + ", ".join(f"{c.index + 1}" + (f" ({c.name})" if c.name else "") for c in columns)


def _pairs(
    voltages: Sequence[TableColumn], currents: Sequence[TableColumn], columns: Sequence[TableColumn], path: Path
) -> list[DeviceColumns]:
    if len(voltages) == 1 and len(currents) == 1:
        return [DeviceColumns("", voltages[0], currents[0])]
    if len(currents) > 1 and _are_numbered(currents, by_pairs=len(voltages) == len(currents)):
        if len(voltages) == 1:
            return [DeviceColumns(current.name, voltages[0], current) for current in currents]
        if len(voltages) == len(currents):
            return [DeviceColumns(i.name, v, i) for v, i in zip(voltages, currents, strict=True)]
    lacking = [
        ("voltage", "--voltage-column", voltages),
        ("current", "--current-column", currents),
    ]
    what, option, found = next(each for each in lacking if len(each[2]) != 1)
    raise InputError(
        f"which column holds the {what} is not plain" if found else f"no column is known to hold a {what}",
        where=path,
        expected=f"{option} with {_listed(columns)}",
        found=", ".join(column.label for column in found) or None,
        hint=f"{option} {(found or columns)[0].index + 1}",
    )


def _are_numbered(currents: Sequence[TableColumn], *, by_pairs: bool) -> bool:
    """Whether their names differ in a number only, so that they are several devices' and not several terminals'.

    by_pairs: each has a voltage of its own; then all may have one name.
    """
    names = {column.name.lower() for column in currents}
    words = {re.sub(r"[\d_.\- ]+", "", name) for name in names}
    return len(words) == 1 and (len(names) == len(currents) or (by_pairs and len(names) == 1))


def _voltage(column: TableColumn, choice: ColumnChoice) -> TableColumn:
    if choice.voltage_unit is not None:
        return replace(column, unit=asked_unit(choice.voltage_unit, "voltage", "--voltage-unit"))
    return column if column.unit is not None else replace(column, unit=Unit("V", "voltage"))


def _current(column: TableColumn, choice: ColumnChoice, path: Path) -> TableColumn:
    """The column with its unit; of a density the unit is what flows through the area."""
    area = choice.area_cm2
    is_density = column.unit is not None and column.unit.quantity == "density"
    if area is not None and (not is_density or choice.current_unit is not None):
        raise InputError(
            f"{column.label} is no current density"
            if not is_density
            else f"{column.label} is in {_text(column)}: an area and --current-unit do not go together",
            where="--area-cm2",
            expected="currents per cm2, such as J (mA/cm2) in the header, and no --current-unit",
            found=_text(column) or "no unit",
            hint="leave --area-cm2 out" if not is_density else "leave --current-unit out, or --area-cm2",
        )
    if choice.current_unit is not None:
        return replace(column, unit=asked_unit(choice.current_unit, "current", "--current-unit"))
    if column.unit is None or not is_density:
        return column
    if area is None or column.unit.text.replace(" ", "").lower() not in _PER_CM2:
        raise InputError(
            f"{column.label} is a current density, in {column.unit.text}: a circuit needs the device's current",
            where=path,
            expected="currents in A, mA, uA or nA, or a density per cm2 and the device's area",
            hint="--area-cm2 1e-8 for a device of 1 um by 1 um",
        )
    return replace(column, unit=unit_of(column.unit.text[: column.unit.text.index("A") + 1]), scale=area)


_PER_CM2 = {
    f"{prefix}a{per}"
    for prefix in ("", "m", "u", "µ", "μ", "n", "k")
    for per in ("/cm2", "/cm^2", "/cm²", "cm-2", "cm^-2")
}
