"""What a technology has that the ideal one has not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kanspice.base.quantities import quantity
from kanspice.experiments.verify.result import GapResult
from kanspice.report.formatting import plain
from kanspice.technology import Technology, entries, shown


@dataclass(frozen=True)
class Imperfection:
    """One value that is not ideal, as text."""

    name: str
    value: str
    ideal: str
    meaning: str


def imperfections(result: GapResult) -> tuple[Imperfection, ...]:
    """Every imperfection of the technology that a result was measured with, `section.key`, and under which conditions.

    Keys that this kanspice does not know, from a report of another, are not among them.
    """
    found = []
    for _, _, keys in entries(Technology()):
        for entry in keys:
            section, _, key = entry.name.partition(".")
            table = result.design.technology.get(section)
            value = table.get(key, entry.value) if isinstance(table, Mapping) else entry.value
            value = shown(value) if isinstance(value, list | tuple) else value
            if (entry.is_cause or entry.is_condition) and value != entry.value:
                text, ideal = (_text(entry.name, each) for each in (value, entry.value))
                found.append(Imperfection(entry.name, text, ideal, entry.meaning))
    return tuple(found)


def _text(name: str, value: object) -> str:
    """With the unit that a key's name ends in: 500 µV."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return plain(value)
    return quantity(value, name)
