"""The files of a KiCad project, and what proves it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kanspice.base.errors import SimulatorError
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.experiments.export.kicad.bill import bill_text
from kanspice.experiments.export.kicad.deck import deck_text, output_v
from kanspice.experiments.export.kicad.drawing import Drawing
from kanspice.experiments.export.kicad.excerpt import Excerpt
from kanspice.experiments.export.kicad.expressions import Text, form, written
from kanspice.experiments.export.kicad.filter import FilterPath
from kanspice.experiments.export.kicad.filter_sheet import filter_sheet
from kanspice.experiments.export.kicad.gathered import Gathered
from kanspice.experiments.export.kicad.gathered_sheet import gathered_sheet
from kanspice.experiments.export.kicad.models import MODELS_FILE
from kanspice.experiments.export.kicad.program import broken_rules, find_kicad, write_netlist
from kanspice.experiments.export.kicad.symbols import LIBRARY, library_node

NAME = "sheet"
SHEET, PROJECT, DECK, BILL = f"{NAME}.kicad_sch", f"{NAME}.kicad_pro", f"{NAME}.cir", "bill_of_materials.csv"
SYMBOLS_FILE, SYMBOLS_TABLE = f"{LIBRARY}.kicad_sym", "sym-lib-table"
FILES = (SHEET, PROJECT, SYMBOLS_FILE, SYMBOLS_TABLE, MODELS_FILE, DECK, BILL)
_NETLIST = "from_kicad.cir"


def project_files(excerpt: Excerpt, sample: str, company: str) -> Mapping[str, str]:
    """The files by name. sample: which inputs drive it, company: who says so, in words."""
    sheet = _sheet(excerpt, company, sample)
    names = {"name": LIBRARY, "type": "KiCad", "uri": "${KIPRJMOD}/" + SYMBOLS_FILE, "options": "", "descr": ""}
    entry = form("lib", *(form(key, Text(text)) for key, text in names.items()))
    project = {"meta": {"filename": PROJECT, "version": 1}, "sheets": [[sheet.identity, "Root"]]}
    return {
        SHEET: sheet.written,
        PROJECT: json.dumps(project, indent=2) + "\n",
        SYMBOLS_FILE: written(library_node()),
        SYMBOLS_TABLE: written(form("sym_lib_table", entry)),
        MODELS_FILE: excerpt.models,
        DECK: deck_text(excerpt),
        BILL: bill_text(excerpt),
    }


def _sheet(excerpt: Excerpt, company: str, sample: str) -> Drawing:
    match excerpt:
        case Gathered():
            return gathered_sheet(excerpt, NAME, company, sample)
        case FilterPath():
            return filter_sheet(excerpt, NAME, company, sample)
        case _:
            raise TypeError(f"no sheet of a {type(excerpt).__name__}")


@dataclass(frozen=True)
class SheetProof:
    """What ngspice found at the output.

    of_kicad: whether it had KiCad's own netlist of the sheet; else it had kanspice's own deck, and `why_not` says why.
    how: what it was given.
    """

    volts: float
    of_kicad: bool
    program: str
    version: str
    how: str
    why_not: str = ""


def proven(excerpt: Excerpt, folder: Path, timeout_s: float) -> SheetProof:
    """Has KiCad make a netlist of the sheet in a folder, and ngspice simulate it: what KiCad draws is what counts.

    Raises SimulatorError without ngspice, for a sheet that KiCad cannot read or finds fault with, and without a result.
    """
    deadline, ngspice = time.monotonic() + timeout_s, find_ngspice()
    version = ngspice.version_text.removeprefix("ngspice-")
    try:
        kicad = find_kicad()
    except SimulatorError as error:
        volts = output_v(ngspice, folder, DECK, excerpt, deadline)
        why_not = "; ".join(fact for fact in (error.problem, error.hint) if fact)
        return SheetProof(volts, False, "ngspice", version, "kanspice's own deck", why_not)
    faults = broken_rules(kicad, folder, SHEET, deadline)
    if faults:
        raise SimulatorError("KiCad's electrical rules are broken", where=SHEET, found="; ".join(faults[:5]))
    write_netlist(kicad, folder, SHEET, _NETLIST, deadline)
    volts = output_v(ngspice, folder, _NETLIST, excerpt, deadline)
    how = f"KiCad {kicad.version}'s netlist of the sheet"
    return SheetProof(volts, True, "ngspice", version, how)
