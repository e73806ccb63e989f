"""The formats that there are, by name."""

from __future__ import annotations

from collections.abc import Mapping

from kanspice.base.errors import InputError
from kanspice.base.validation import nearest
from kanspice.experiments.export.formats import ngspice
from kanspice.experiments.export.formats.format import ExportFormat

EXPORT_FORMATS: Mapping[str, ExportFormat] = {each.name: each for each in (ngspice.FORMAT,)}


def export_format(name: object) -> ExportFormat:
    """The format of a name. Raises InputError for one that there is not."""
    found = EXPORT_FORMATS.get(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(EXPORT_FORMATS)
        hint = nearest(str(name), EXPORT_FORMATS)
        raise InputError(f"unknown format '{str(name)[:40]}'", where="--to", expected=known, hint=hint)
    return found
