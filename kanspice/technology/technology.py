"""Every circuit-level choice and imperfection as one validated object.

Without any everything is ideal: the circuit then differs from the model by numerical error only.
Unknown keys are errors, so a misspelt imperfection can never be silently left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import PrivateAttr

from kanspice.base.traced import is_traced, plain
from kanspice.base.validation import CheckedTable
from kanspice.technology.sections import (
    CAUSE,
    CONDITION,
    COST,
    Ageing,
    Branches,
    Clippers,
    Converters,
    Convolution,
    CrossbarDevices,
    Filters,
    KirchhoffNetCircuit,
    Mark,
    Pairs,
    Parts,
    References,
    Supply,
    Switches,
    Synapses,
    Tia,
    TransistorProcess,
    Units,
    Wires,
)


class Technology(CheckedTable):
    """One circuit technology. The defaults are the ideal circuit."""

    name: str = "ideal"
    general: bool = False
    """For any circuit: what one has no part for is left out. Otherwise it is an error, lest it pass for harmless."""
    units: Units = Units()
    tia: Tia = Tia()
    devices: CrossbarDevices = CrossbarDevices()
    ageing: Ageing = Ageing()
    wires: Wires = Wires()
    convolution: Convolution = Convolution()
    clippers: Clippers = Clippers()
    pairs: Pairs = Pairs()
    references: References = References()
    parts: Parts = Parts()
    supply: Supply = Supply()
    converters: Converters = Converters()
    kirchhoffnet: KirchhoffNetCircuit = KirchhoffNetCircuit()
    branches: Branches = Branches()
    switches: Switches = Switches()
    process: TransistorProcess = TransistorProcess()
    filters: Filters = Filters()
    synapses: Synapses = Synapses()
    _overridden: frozenset[str] = PrivateAttr(frozenset())

    @property
    def sections(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(section for section, table in self if isinstance(table, CheckedTable))

    @property
    def causes(self) -> tuple[str, ...]:
        """The imperfections that are not at their ideal, as `section.key`, in the order of the sections."""
        return self._marked(CAUSE)

    @property
    def overridden(self) -> frozenset[str]:
        """Values, as `section.key`, that somebody asked for besides a general file: no circuit may leave one out."""
        return self._overridden

    @property
    def costs(self) -> tuple[str, ...]:
        """Values that are set and take time or power, as `section.key`: an operating point does not feel them."""
        return self._marked(COST)

    def said_of(self, section: str) -> tuple[str, ...]:
        """What of a section is not at its default, marked or not, as `section.key`."""
        table: CheckedTable = getattr(self, section)
        fields = type(table).model_fields.items()
        return tuple(f"{section}.{key}" for key, field in fields if getattr(table, key) != field.default)

    def plain(self) -> Technology:
        """The same where numbers are traced (`base.traced`), without their graphs."""
        tables: dict[str, CheckedTable] = {}
        for section in self.sections:
            table: CheckedTable = getattr(self, section)
            values = {key: getattr(table, key) for key in type(table).model_fields}
            traced = {key: plain(value) for key, value in values.items() if is_traced(value)}
            if traced:
                tables[section] = table.model_copy(update=traced)
        return self.model_copy(update=tables)

    def _marked(self, mark: Mark) -> tuple[str, ...]:
        """Keys with this mark that are not at their default, as `section.key`, in the order of the sections."""
        return tuple(
            f"{section}.{key}"
            for section, table in self
            if isinstance(table, CheckedTable)
            for key, ideal in _marked_keys(type(table), mark)
            if getattr(table, key) != ideal
        )

    def without(self, causes: Iterable[str]) -> Technology:
        """The same technology with these imperfections, `section.key`, at their ideal."""
        tables: dict[str, CheckedTable] = {}
        for cause in causes:
            section, _, key = cause.partition(".")
            table: CheckedTable = tables.get(section, getattr(self, section))
            tables[section] = table.model_copy(update={key: type(table).model_fields[key].default})
        return self.model_copy(update=tables)

    def to_json(self) -> str:
        """Canonical JSON text (sorted keys; `inf` as `Infinity`), for designs and reports."""
        return json.dumps(self.model_dump(), sort_keys=True)


@dataclass(frozen=True)
class Entry:
    """One key of a technology: `section.key`, its value here, and what it means.

    is_condition: whether what imperfections do depends on it.
    """

    name: str
    value: float | str
    is_cause: bool
    is_condition: bool
    meaning: str


def entries(technology: Technology) -> list[tuple[str, str, list[Entry]]]:
    """Every section with what it is about and its keys, in order."""
    found = []
    for section, table in technology:
        if isinstance(table, CheckedTable):
            about = " ".join((type(table).__doc__ or "").split())
            keys = [
                Entry(
                    f"{section}.{key}",
                    shown(getattr(table, key)),
                    CAUSE in field.metadata,
                    CONDITION in field.metadata,
                    _one_line(field.description),
                )
                for key, field in type(table).model_fields.items()
            ]
            found.append((section, about, keys))
    return found


@cache
def _marked_keys(table: type[CheckedTable], mark: Mark) -> tuple[tuple[str, object], ...]:
    """Keys with this mark, and their defaults: asked for in every compilation."""
    return tuple((key, field.default) for key, field in table.model_fields.items() if mark in field.metadata)


def shown(value: float | str | Sequence[float]) -> float | str:
    """A value as a table shows it: of a list how long it is, or the one value in it."""
    if isinstance(value, float | int | str):
        return value
    if len(value) == 1:
        return value[0]
    return f"{len(value)} of them" if value else "any"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
