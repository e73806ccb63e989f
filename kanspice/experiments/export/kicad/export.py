"""`kanspice export --to kicad`: a column of a crossbar, a filter or a node as a KiCad project, with a receipt."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import assert_never

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError, SimulatorError
from kanspice.base.files.folders import FolderKind
from kanspice.circuit import Design, Sort
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.simulators.process import working_folder
from kanspice.experiments.export.bench import Probe, own_answer
from kanspice.experiments.export.exported import Exported
from kanspice.experiments.export.folder import README, RECEIPT
from kanspice.experiments.export.formats.format import OutOfTimeError
from kanspice.experiments.export.formats.table import SHEET_FORMAT
from kanspice.experiments.export.kicad.column import Place, column_of, first_place
from kanspice.experiments.export.kicad.excerpt import Excerpt
from kanspice.experiments.export.kicad.filter import filter_of, first_filter
from kanspice.experiments.export.kicad.node import first_node, node_of
from kanspice.experiments.export.kicad.project import FILES, PROJECT, project_files, proven
from kanspice.experiments.export.kicad.readme import readme_text
from kanspice.experiments.export.receipt import OPERATING_POINT, Receipt, receipt_json

TITLE = "KiCad 6 and newer"
SCHEMA = "kanspice.sheet/1"
PROJECT_FOLDER = FolderKind(
    what="KiCad project",
    manifest="sheet.json",
    family=SCHEMA.partition("/")[0],
    names=re.compile("|".join(map(re.escape, (*FILES, README, RECEIPT)))),
)
_LEAST_V = 1e-3
"""An output that is smaller is compared as one of this size."""


def export_sheet(
    design: Design, folder: Path, samples: Array, *, sample: int | None, place: str | None, timeout_s: float
) -> Exported:
    """Writes the project of a part, driven as in one of the samples (samples, inputs) in model units, and proves it.

    sample: None for the first, which kanspice chose. place: of a column as `Place.read` has it, of a filter as
    `filter_of`; None for the first. Raises InputError for a circuit without such a part, or a folder that is in the
    way, SimulatorError where the circuit has no answer, KiCad finds fault with the sheet, or ngspice finds another
    voltage. Nothing is written then.
    """
    number = sample or 0
    if number >= len(samples):
        expected = f"0 to {len(samples) - 1}"
        raise InputError("there is no such sample", where="--sample", expected=expected, found=str(sample))
    place = _place_of(design, place)
    PROJECT_FOLDER.refuse_others(folder)
    excerpt = _excerpt(design, place, samples[number : number + 1], number)
    words = "an example that kanspice chose" if sample is None else f"sample {sample}"
    files = project_files(excerpt, words, f"kanspice {version('kanspice')}")
    receipt = _receipt(excerpt, files, Receipt(SHEET_FORMAT, sample, limit=OPERATING_POINT), timeout_s)
    if receipt.simulated and not receipt.passed:
        raise SimulatorError("the sheet is another circuit", where="--to kicad", found=receipt.line())
    texts = {**files, README: readme_text(excerpt, words, receipt), RECEIPT: receipt_json(receipt)}
    contents = {name: iter((text.encode("ascii"),)) for name, text in texts.items()}
    PROJECT_FOLDER.write(folder, contents, partial(_manifest, design, excerpt, sample, samples[number]))
    probe = Probe(excerpt.stage, excerpt.output_index, excerpt.output, excerpt.expected_v, float("nan"))
    return Exported(folder, TITLE, f"open {PROJECT} in KiCad", (probe,), (), receipt)


def _place_of(design: Design, place: str | None) -> str:
    """Of what is to be drawn: the first that there is if None."""
    if place is not None:
        return place
    match design.sort:
        case Sort.FILTERS:
            return first_filter(design)
        case Sort.PERIODS:
            return first_node(design)
        case Sort.CROSSBARS | Sort.SYNAPSES:
            return str(first_place(design))
        case _:
            assert_never(design.sort)


def _excerpt(design: Design, place: str, inputs: Array, number: int) -> Excerpt:
    """What is at a place, for inputs (1, inputs) of sample `number`."""
    solution = own_answer(design, inputs, number)
    match design.sort:
        case Sort.FILTERS:
            return filter_of(design, place, solution)
        case Sort.PERIODS:
            return node_of(design, place, solution, design.inputs_v(inputs, [number]))
        case Sort.CROSSBARS | Sort.SYNAPSES:
            return column_of(design, Place.read(place), solution)
        case _:
            assert_never(design.sort)


def _receipt(excerpt: Excerpt, files: Mapping[str, str], receipt: Receipt, timeout_s: float) -> Receipt:
    """Whether the sheet, as KiCad reads it, gives what kanspice found. Without KiCad only kanspice's deck is tried."""
    try:
        find_ngspice()
    except SimulatorError as error:
        return replace(receipt, why_not="; ".join(fact for fact in (error.problem, error.hint) if fact))
    try:
        with working_folder() as folder:
            place = folder / "export"
            place.mkdir()
            for name, text in files.items():
                (place / name).write_text(text, encoding="ascii")
            try:
                proof = proven(excerpt, place, timeout_s)
            finally:
                shutil.rmtree(place, ignore_errors=True)
    except OutOfTimeError as error:
        return replace(receipt, why_not=error.problem)
    apart_v = abs(proof.volts - excerpt.expected_v)
    relative = apart_v / max(abs(excerpt.expected_v), _LEAST_V)
    compared = replace(
        receipt,
        program=proof.program,
        version=proof.version,
        how=proof.how,
        voltages=1,
        worst_v=apart_v,
        worst_relative=relative,
        worst_node=excerpt.output,
    )
    if proof.of_kicad or not compared.passed:
        return compared
    deck = f"kanspice's own deck is {apart_v:.2g} V off in ngspice {proof.version}"
    return replace(receipt, why_not=f"{proof.why_not}; {deck}")


def _manifest(
    design: Design, excerpt: Excerpt, sample: int | None, inputs: Array, hashes: Mapping[str, str]
) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "kanspice": version("kanspice"),
        "format": SHEET_FORMAT,
        "family": design.family,
        "model_sha256": design.model_sha256,
        "part": excerpt.place,
        "sample": sample,
        "inputs": inputs.tolist(),
        "outputs": [excerpt.output],
        "files": dict(hashes),
    }
