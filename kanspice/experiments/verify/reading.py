"""A report read back from its JSON, which may be a stranger's: everything that JSON can say, or one clear message."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from kanspice.base.errors import InputError
from kanspice.base.files import parse_json, read_file, refuse_constant
from kanspice.base.validation import validate
from kanspice.experiments.verify.document import Document
from kanspice.experiments.verify.result import GapResult

MAX_BYTES = 64_000_000
"""A report of a million samples, all failed, is smaller."""


def read_report(path: str | Path) -> GapResult:
    """The result that `verify --json` wrote. Raises InputError for a file that is none.

    Outputs are not in the file: `reference` and `outputs` have no rows, and there are no waveforms.
    """
    return from_json(read_file(path, "the report", MAX_BYTES, may_be_empty=True), path)


def from_json(text: str | bytes, where: str | Path) -> GapResult:
    """The result that `to_json` wrote. Raises InputError for text that is none."""
    expected = "what `kanspice verify --json` wrote"
    data = parse_json(text, where, "the report is not JSON", expected, constant=refuse_constant)
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != Document.contract():
        found = "none" if schema is None else repr(schema)[:100]
        expected, hint = f'"schema": "{Document.contract()}", of `kanspice verify --json`', _hint(schema)
        raise InputError("this is no report of a gap", where=where, expected=expected, found=found, hint=hint)
    document = validate(Document, data, where)
    rows = np.empty((0, document.outputs or 0))
    return replace(document.read(GapResult), reference=rows, outputs=rows)


_PAGES = {
    "kanspice.control": "kanspice control ... --html F writes a loop's page, with the trajectories that its JSON lacks",
    "kanspice.settling": "kanspice settle ... --html F writes its page, with the waveforms that its JSON lacks",
    "kanspice.study": "a study's page is study.html in its folder; kanspice study --resume DIR writes it again",
    "kanspice.history": "a history is made of reports, and is none itself: keep it elsewhere",
    "kanspice.comparison": "kanspice report A.json B.json --html F writes a comparison's page, from both reports",
}


def _hint(schema: object) -> str | None:
    """Which command makes the page of another of our documents."""
    return _PAGES.get(schema.rpartition("/")[0]) if isinstance(schema, str) else None
