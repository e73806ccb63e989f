"""The formats that there are, by name."""

from __future__ import annotations

from collections.abc import Mapping

from kanspice.base.errors import InputError
from kanspice.base.validation import nearest
from kanspice.experiments.export.formats import ltspice, ngspice, vacask, veriloga, xyce
from kanspice.experiments.export.formats.format import ExportFormat

SHEET_FORMAT = "kicad"
"""Projects of one part of a circuit, and no language for circuits."""
_ALL = (ngspice.FORMAT, vacask.FORMAT, xyce.FORMAT, ltspice.FORMAT, veriloga.FORMAT)
EXPORT_FORMATS: Mapping[str, ExportFormat] = {each.name: each for each in _ALL}


def check_format(name: object) -> str:
    """The name of a language, or of KiCad's projects. Raises InputError for one that there is not."""
    known = (*EXPORT_FORMATS, SHEET_FORMAT)
    if not isinstance(name, str) or name not in known:
        hint = nearest(str(name), known)
        problem = f"unknown format '{str(name)[:40]}'"
        raise InputError(problem, where="--to", expected=", ".join(known), hint=hint)
    return name


def export_format(name: str) -> ExportFormat:
    """The language of a name."""
    return EXPORT_FORMATS[name]
