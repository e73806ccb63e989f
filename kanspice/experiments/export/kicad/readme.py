"""The README of a project: how it is opened, what the files are, what should come out, and the receipt."""

from __future__ import annotations

from collections.abc import Iterator

from kanspice.experiments.export.kicad.bill import bill
from kanspice.experiments.export.kicad.excerpt import Excerpt
from kanspice.experiments.export.kicad.models import MODELS_FILE
from kanspice.experiments.export.kicad.project import BILL, DECK, PROJECT, SHEET, SYMBOLS_FILE
from kanspice.experiments.export.receipt import Receipt


def readme_text(excerpt: Excerpt, sample: str, receipt: Receipt) -> str:
    """All of it, as Markdown. sample: which inputs drive it, in words."""
    return "\n".join(_lines(excerpt, sample, receipt)) + "\n"


def _lines(excerpt: Excerpt, sample: str, receipt: Receipt) -> Iterator[str]:
    yield f"# {excerpt.title}"
    yield ""
    yield f"{excerpt.contents[:1].upper()}{excerpt.contents[1:]} as a KiCad project, with a bench for {sample}."
    yield ""
    yield "## Open it"
    yield ""
    yield f"Open `{PROJECT}` in KiCad 6 or newer. In KiCad 7 and newer, Inspect > Simulator runs `{excerpt.analysis}`:"
    yield f"{excerpt.measured} should be {excerpt.expected_v:.12g} V."
    yield ""
    yield f"Without KiCad: `ngspice -b {DECK}` simulates the same."
    yield ""
    yield "| file | what it holds |"
    yield "|---|---|"
    yield f"| `{SHEET}` | the sheet; `{SYMBOLS_FILE}` has its symbols |"
    yield f"| `{MODELS_FILE}` | SPICE models of what is not simply R, C or a source |"
    yield f"| `{BILL}` | what a board needs: resistors in E96, how many of each |"
    yield ""
    yield "## What to buy"
    yield ""
    yield "| quantity | part | value |"
    yield "|---:|---|---|"
    yield from (f"| {len(row.references)} | {row.part} | {row.value} |" for row in bill(excerpt))
    yield ""
    yield "Values on the sheet are the nearest of E96; its simulation uses those of the design. To have it simulate the"
    yield "values on the sheet, compile the circuit with `--set parts.resistors=E96`."
    yield ""
    yield "## Receipt"
    yield ""
    yield f"{receipt.line()}."
