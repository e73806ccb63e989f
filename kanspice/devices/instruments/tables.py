"""Finds the tables of numbers in a text, whatever separates its columns and whatever stands around them."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files import read_file
from kanspice.devices.instruments.units import Unit, unit_of

MAX_BYTES = 10_000_000
_LOOKED_AT = 3000
"""Lines that tell how a file is written."""
_LEAST_ROWS = 3
"""Fewer rows of numbers than these are settings, if there is a table of more."""
OVERFLOW = 9.8e36
"""SCPI's 9.9E37 stands for a current beyond the range, 9.91E37 for none, the largest float for either."""
_MARKERS = re.compile(
    r"[+-]?(nan|inf|infinity|ovld|ovrld|overld|ovl|ovfl|ol|o\.l\.?|oflo|overflow|overload|over ?range|ovr|#n/a|n/?a|"
    r"#num!|#value!|-{2,}|\*{2,}|error|err|invalid)[+-]?",
    re.IGNORECASE,
)
_NUMBERS = {
    ".": re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?)\s*(\D*)", re.ASCII),
    ",": re.compile(r"([+-]?(?:\d+,?\d*|,\d+)(?:[eEdD][+-]?\d+)?)\s*(\D*)", re.ASCII),
}
_LIKE_NUMBERS = re.compile(r"[<>~]?\s*[+-]?\d[\d.,;'’\s]*([eE][+-]?\d+)?")
_JOINED = re.compile(r"\d\s*;\s*[+-]?\d")
_THOUSANDS = {sign: re.compile(rf"[+-]?[1-9]\d{{0,2}}[{sign}]\d{{3}}(?![\deE])") for sign in ".,"}
_HUNDREDS = re.compile(r"[+-]?\d{3}(?!\d)")
_COMMENT = re.compile(r"\s*(#+|%+|!+|//+)\s*")
_BLANKS = re.compile(r"\s+(?![(\[])")
"""A bracket belongs to the word before it."""
_SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "blanks"}
_WAYS = [("\t", "."), (";", "."), (",", "."), (" ", "."), ("\t", ","), (";", ","), (" ", ","), (",", ",")]


@dataclass(frozen=True)
class TableCell:
    """A cell: its text, the number that it is, and the unit that stands behind the number. marker: no number, but
    what instruments write in place of one."""

    text: str
    number: float | None = None
    unit: Unit | None = None
    marker: bool = False

    @property
    def counts(self) -> bool:
        """Whether it stands where a number belongs."""
        return self.number is not None or self.marker


@dataclass(frozen=True)
class TableRow:
    """A line of a text: its number from 1, and its cells."""

    line: int
    cells: tuple[TableCell, ...]

    @property
    def numbers(self) -> int:
        return sum(cell.counts for cell in self.cells)

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(cell.text for cell in self.cells)


@dataclass(frozen=True)
class NumberTable:
    """Rows of numbers of one width. header: what names the columns, or none. units: what else gives their units."""

    rows: tuple[TableRow, ...]
    header: tuple[str, ...] | None
    units: tuple[Unit | None, ...]
    header_line: int | None = None

    @property
    def width(self) -> int:
        return len(self.rows[0].cells)


@dataclass(frozen=True)
class FoundTables:
    """The tables of a file, and how it is written: what separates columns, and the decimal sign."""

    tables: tuple[NumberTable, ...]
    separator: str
    decimal: str


def find_tables(path: Path) -> FoundTables:
    """The tables of numbers in a file. Raises InputError where it has none, or is no text."""
    lines = _text(path).replace("\N{MINUS SIGN}", "-").splitlines()
    ways = (_Split.of(lines[:_LOOKED_AT], separator, decimal) for separator, decimal in _WAYS)
    best = max(ways, key=lambda split: split.score)
    best = _Split.of(lines, best.separator, best.decimal)
    rows = [row for row in best.rows if row.numbers >= 2]
    if not rows:
        raise InputError(
            "holds no table of numbers",
            where=path,
            expected="voltages and currents in columns, separated by commas, semicolons, tabs or blanks",
            hint="export the table as text: spreadsheets cannot be read"
            if path.suffix.lower() in (".xls", ".xlsx")
            else None,
        )
    _check_widths(best.rows, path)
    blocks = list(_blocks(best.rows))
    large = [block for block in blocks if len(block[1]) >= _LEAST_ROWS]
    _check_gaps(best.rows, [block for _, block in blocks], path)
    for _, block in large or blocks:
        _check_numbers(best, block, path)
    tables = tuple(_table(before, block) for before, block in large or blocks)
    return FoundTables(tables, _SEPARATORS[best.separator], best.decimal)


def _text(path: Path) -> str:
    content = read_file(path, "a table of numbers", MAX_BYTES, may_be_empty=True)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: Sequence[str] = ["utf-16"]
    elif b"\0" in content:
        encodings = []
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(
        "this is not text, so it cannot be a table of numbers",
        where=path,
        expected="text, such as CSV",
        hint="export the table as CSV from the instrument or the spreadsheet",
    )


@dataclass(frozen=True)
class _Split:
    """A text split into cells in one way."""

    separator: str
    decimal: str
    rows: tuple[TableRow, ...]

    @classmethod
    def of(cls, lines: Sequence[str], separator: str, decimal: str) -> _Split:
        rows = (TableRow(number, _cells(line, separator, decimal)) for number, line in enumerate(lines, start=1))
        return cls(separator, decimal, tuple(row for row in rows if any(cell.text for cell in row.cells)))

    @property
    def score(self) -> tuple[float, int]:
        """Rows of numbers, each by the part of its cells that are numbers; then by how many these are."""
        rows = [row for row in self.rows if row.numbers >= 2]
        return sum(row.numbers / len(row.cells) for row in rows), sum(row.numbers for row in rows)


def _cells(line: str, separator: str, decimal: str) -> tuple[TableCell, ...]:
    comment = _COMMENT.match(line)
    stripped = line[comment.end() :] if comment else line
    if separator == " ":
        texts = _BLANKS.split(stripped.strip())
    else:
        try:
            texts = next(csv.reader([stripped], delimiter=separator, skipinitialspace=True), [])
        except csv.Error:
            texts = stripped.split(separator)
    if comment:  # which may name the columns, but holds no numbers that count
        return tuple(TableCell(text.strip()) for text in texts)
    return tuple(_cell(text.strip().strip("'"), decimal) for text in texts)


def _cell(text: str, decimal: str) -> TableCell:
    if _MARKERS.fullmatch(text):
        return TableCell(text, marker=True)
    found = _NUMBERS[decimal].fullmatch(text)
    if found is None:
        return TableCell(text)
    unit = unit_of(found[2]) if found[2] else None
    if found[2] and unit is None:
        return TableCell(text)
    value = float(found[1].replace(",", ".").upper().replace("D", "E"))
    if not math.isfinite(value) or abs(value) >= OVERFLOW:
        return TableCell(text, marker=True)
    return TableCell(text, value, unit)


def _check_widths(rows: Sequence[TableRow], path: Path) -> None:
    """Raises InputError where a row of numbers has more or fewer cells than the one on the line above it."""
    for above, row in pairwise(rows):
        different = len(row.cells) != len(above.cells)
        if different and row.line == above.line + 1 and min(above.numbers, row.numbers) >= 2:
            raise InputError(
                f"line {row.line} has {len(row.cells)} columns",
                where=path,
                expected=f"{len(above.cells)}, as in the line above it",
                found=", ".join(row.texts)[:200],
            )


def _check_gaps(rows: Sequence[TableRow], blocks: Sequence[Sequence[TableRow]], path: Path) -> None:
    """Raises InputError where a table goes on below a text that names no columns: whose rows these are is not said."""
    for above, below in pairwise(blocks):
        between = [row for row in rows if above[-1].line < row.line < below[0].line]
        names = any(len([t for t in row.texts if t]) >= 2 and len(row.cells) >= len(below[0].cells) for row in between)
        if len(above) >= _LEAST_ROWS and len(above[0].cells) == len(below[0].cells) and between and not names:
            raise InputError(
                f"line {between[0].line} is text between rows of numbers, and names no columns",
                where=path,
                expected="one table, or tables each below a line that names its columns",
                found=", ".join(between[0].texts)[:100],
                hint="leave the line out if the rows below it belong to the rows above it",
            )


def _check_numbers(split: _Split, block: Sequence[TableRow], path: Path) -> None:
    """Raises InputError for rows beside a table that look like its numbers, and for points or commas in numbers that
    may separate thousands as well as decimals."""
    first, last = (split.rows.index(row) for row in (block[0], block[-1]))
    for row in (*split.rows[max(first - 1, 0) : first], *split.rows[last + 1 : last + 2]):
        texts = [text for text in row.texts if text]
        odd = [text for text in texts if not _NUMBERS[split.decimal].fullmatch(text)]
        if len(texts) >= 2 and odd and all(_LIKE_NUMBERS.fullmatch(text) for text in texts):
            raise _unclear(row, odd[0], "no number as those in the other lines", path)
    for row in block:
        joined = next((text for text in row.texts if _JOINED.search(text)), None)
        if joined is not None:
            raise _unclear(row, joined, "numbers that are not separated as the others are", path)
    _check_thousands(split, block, path)


def _check_thousands(split: _Split, block: Sequence[TableRow], path: Path) -> None:
    numbers = [(row, cell.text) for row in block for cell in row.cells if cell.number is not None]
    with_sign = [(row, text) for row, text in numbers if split.decimal in text]
    if not with_sign or not all(_THOUSANDS[split.decimal].match(text) for _, text in with_sign):
        return
    is_usual = split.decimal == "." and (
        split.separator == "," or not any(_HUNDREDS.match(text) for _, text in numbers if "." not in text)
    )
    if not is_usual:
        raise _unclear(*with_sign[0], "a number with thousands or with decimals, which is not plain", path)


def _unclear(row: TableRow, text: str, problem: str, path: Path) -> InputError:
    return InputError(
        f"line {row.line}: {problem}",
        where=path,
        expected="numbers such as 1234.5, 1.2345e3 or 1234,5",
        found=text[:100],
        hint="export the numbers without separators of thousands and with decimal points",
    )


def _blocks(rows: Sequence[TableRow]) -> Iterator[tuple[list[TableRow], list[TableRow]]]:
    """What stands before each run of rows of numbers of one width, and the run; lines of other text end a run."""
    before: list[TableRow] = []
    block: list[TableRow] = []
    for row in rows:
        if row.numbers >= 2 - bool(block) and (not block or len(row.cells) == len(block[0].cells)):
            block.append(row)
            continue
        if block:
            yield before, block
            before, block = [*before, *(block if len(block) < _LEAST_ROWS else [])], []
        if row.numbers >= 2:
            block.append(row)
        else:
            before = [*before, row]
    if block:
        yield before, block


def _table(before: Sequence[TableRow], block: Sequence[TableRow]) -> NumberTable:
    width = 1 + max(k for row in block for k, cell in enumerate(row.cells) if cell.text)
    rows = tuple(TableRow(row.line, row.cells[:width]) for row in block)
    units: tuple[Unit | None, ...] = (None,) * width
    for row in reversed(before):
        row_units = _units_in(row, rows[0])
        if row_units is not None:
            units = row_units
        elif width <= len(row.cells) and row.numbers == 0 and sum(map(bool, row.texts)) >= min(2, width):
            return NumberTable(rows, row.texts[:width], _units_above(before, rows[0], units), row.line)
    return NumberTable(rows, None, units)


def _units_above(
    before: Sequence[TableRow], first: TableRow, units: tuple[Unit | None, ...]
) -> tuple[Unit | None, ...]:
    """The units below the header, or else the last ones that the lines above name for every column of numbers."""
    if any(units):
        return units
    found = (_units_in(row, first) for row in reversed(before))
    return next((each for each in found if each is not None), units)


def _units_in(row: TableRow, first: TableRow) -> tuple[Unit | None, ...] | None:
    """Units by column, where the line is one of units: as many as there are columns, or columns of numbers."""
    places = [k for k, cell in enumerate(first.cells) if cell.counts]
    if len(row.cells) == len(first.cells) and not any(text and unit_of(text) is None for text in row.texts):
        units = [unit_of(text) if text else None for text in row.texts]
        return tuple(units) if any(units) else None
    last = [unit_of(text) for text in row.texts[-len(places) :]]
    if len(row.cells) <= len(places) or any(unit is None for unit in last):
        return None
    by_place = dict(zip(places, last, strict=True))
    return tuple(by_place.get(k) for k in range(len(first.cells)))


def rises_by_one(numbers: Sequence[float]) -> bool:
    """Whether they are an index: whole numbers that rise by one, from 0 or 1."""
    return numbers[0] in (0.0, 1.0) and all(b - a == 1 for a, b in pairwise(numbers))
