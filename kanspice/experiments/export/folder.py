"""The folder that `kanspice export` writes, and how it is read back."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import cast, get_args

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.files.folders import FolderKind, hash_of
from kanspice.circuit.file import design_bytes, load_design
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist.netlist import Text
from kanspice.experiments.export.bench import Bench, bench_of
from kanspice.experiments.export.circuit import PlainCircuit, plain_circuit
from kanspice.experiments.export.formats.format import ExportFormat, ExportPlan
from kanspice.experiments.export.formats.table import EXPORT_FORMATS
from kanspice.experiments.export.readme import readme_text
from kanspice.experiments.export.receipt import Receipt, receipt_json

SCHEMA = "kanspice.export/1"
MANIFEST, RECEIPT, README, EXPECTED, DESIGN = "export.json", "receipt.json", "README.md", "expected.csv", "design.npz"
EXPORTED = FolderKind(
    what="export",
    manifest=MANIFEST,
    family=SCHEMA.partition("/")[0],
    names=re.compile(
        r"compare\.py|receipt\.json|README\.md|expected\.csv|design\.npz|[a-z0-9_]+\.(cir|lib|inc|sim|va|scs|net)"
    ),
)


@dataclass(frozen=True)
class ExportFolder:
    """An export, read back: what it was made of, and the inputs (1, inputs) of its bench, in model units."""

    written: ExportFormat
    circuit: PlainCircuit
    inputs: Array
    sample: int | None


def write_export(folder: Path, plan: ExportPlan, receipt: Receipt) -> Mapping[str, object]:
    """Writes the folder, all of it or nothing, and returns its manifest."""
    contents = {name: _encoded(text) for name, text in plan.files.items()}
    contents[README] = iter((readme_text(plan, receipt).encode("ascii"),))
    contents[RECEIPT] = iter((receipt_json(receipt).encode("ascii"),))
    contents[EXPECTED] = iter((_expected(plan.bench).encode("ascii"),))
    contents[DESIGN] = iter((design_bytes(plan.circuit.compiled),))
    return EXPORTED.write(folder, contents, partial(_manifest, plan))


def is_export(folder: Path) -> bool:
    """Whether a folder says that it is an export."""
    return (folder / MANIFEST).is_file()


def read_export(folder: Path) -> ExportFolder:
    """Reads an export.

    Nothing in the folder is ever run: what is, is made anew of the design. Raises InputError when it is none, when its
    files are not as they were written, or when they are not what this version of kanspice makes of the design.
    """
    try:
        manifest = EXPORTED.read_manifest(folder)
        schema, name, fidelity = manifest["schema"], manifest["format"], manifest["fidelity"]
        hashes, sample, digest = dict(manifest["files"]), manifest["sample"], manifest["inputs_sha256"]
        inputs = np.array(manifest["inputs"], dtype=np.float64)
    except (InputError, ValueError, KeyError, TypeError) as error:
        hint = "write one with `kanspice export DIR --to FORMAT -o FOLDER`"
        raise InputError("is not an export", where=folder, found=f"no readable {MANIFEST}", hint=hint) from error
    if schema != SCHEMA:
        found, hint = repr(schema)[:100], "export again"
        raise InputError("was exported by another version", where=folder, expected=SCHEMA, found=found, hint=hint)
    if name not in list(EXPORT_FORMATS) or fidelity not in get_args(Fidelity):  # a stranger's may be no text
        found = f"{name!r}, {fidelity!r}"[:100]
        raise InputError("names what there is not", where=folder / MANIFEST, found=found, hint="export again")
    for each in (DESIGN, *map(str, hashes)):
        _check_file(folder / Path(each).name, hashes.get(each))
    design = load_design(folder / DESIGN)
    circuit = plain_circuit(design, cast(Fidelity, fidelity))
    if inputs.shape != (design.input_width,) or not np.isfinite(inputs).all() or not _is_number(sample):
        raise InputError("has other inputs than its design", where=folder / MANIFEST, hint="export again")
    if digest != _digest(inputs):
        raise InputError("has inputs that were changed after exporting", where=folder / MANIFEST, hint="export again")
    export = ExportFolder(EXPORT_FORMATS[name], circuit, inputs[None, :], sample)
    _check_circuit(export, folder, hashes)
    return export


def _is_number(sample: object) -> bool:
    return sample is None or (isinstance(sample, int) and not isinstance(sample, bool) and sample >= 0)


def _digest(inputs: Array) -> str:
    """Of a sample's inputs, as float64."""
    return hashlib.sha256(np.ascontiguousarray(inputs, dtype="<f8").tobytes()).hexdigest()


def _check_circuit(found: ExportFolder, folder: Path, hashes: Mapping[str, object]) -> None:
    """All but the bench, whose numbers are of one run, must be what this version makes of the design."""
    bench = bench_of(found.circuit, found.inputs, None, answered=False)
    for name, text in found.written.files(found.circuit, bench).items():
        if name not in hashes:
            raise InputError("is missing", where=folder / name, found=f"no entry in {MANIFEST}", hint="export again")
        if name.partition(".")[0] == "bench":
            continue
        digest = hashlib.sha256()
        for part in _encoded(text):
            digest.update(part)
        if digest.hexdigest() != hashes.get(name):
            raise InputError("is not what is made of the design beside it", where=folder / name, hint="export again")


def _check_file(path: Path, expected: object) -> None:
    try:
        found = hash_of(path)
    except InputError as error:
        raise InputError("is missing", where=path, found=error.problem, hint="export again") from error
    if found != expected:
        hint = "export again; a netlist changed by hand is simulated as a plain one: kanspice simulate FOLDER/bench.cir"
        raise InputError("was changed after exporting", where=path, hint=hint)


def _manifest(plan: ExportPlan, hashes: Mapping[str, str]) -> dict[str, object]:
    circuit, bench, design = plan.circuit, plan.bench, plan.circuit.compiled
    return {
        "schema": SCHEMA,
        "kanspice": version("kanspice"),
        "format": plan.written.name,
        "family": design.family,
        "model_sha256": design.model_sha256,
        "fidelity": circuit.netlist.fidelity,
        "devices": design.device_count,
        "sample": bench.sample,
        "inputs": bench.inputs.tolist(),
        "inputs_sha256": _digest(bench.inputs),
        "outputs": [each.node for each in bench.outputs],
        "notes": list(circuit.notes),
        "files": dict(hashes),
    }


def _expected(bench: Bench) -> str:
    """A row for each voltage that was compared."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("stage", "index", "node", "time_s", "volts", "model_units"))
    for each in bench.stages:
        volts = "" if each.expected_v is None else repr(each.expected_v)
        units = "" if each.expected_v is None else repr(each.expected_v / each.v_per_unit)
        time_s = "" if each.at_s is None else repr(each.at_s)
        table.writerow((each.stage, each.index, each.node, time_s, volts, units))
    return text.getvalue()


def _encoded(text: Text) -> Iterator[bytes]:
    return (part.encode("ascii") for part in text())
