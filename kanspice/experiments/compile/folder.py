"""The folder that `kanspice compile` writes: netlist, design and manifest, the same bytes every time."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import cast, get_args

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.files.folders import FolderKind, hash_of
from kanspice.circuit import Design
from kanspice.circuit.file import design_bytes, load_design
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist import CIRCUIT, Netlist, build_netlist
from kanspice.engine.netlist.netlist import Text
from kanspice.experiments.compile.by_hand import BY_HAND, README, by_hand
from kanspice.experiments.compile.elements import elements_of

SCHEMA = "kanspice.manifest/1"
MANIFEST = "manifest.json"
DESIGN = "design.npz"
NODES = "nodes.csv"
ELEMENTS = "elements.csv"
_ROWS_AT_A_TIME = 10_000
COMPILED = FolderKind(
    what="compiled folder",
    manifest=MANIFEST,
    family=SCHEMA.partition("/")[0],
    names=re.compile(rf"{re.escape(README)}|{re.escape(DESIGN)}|{NODES}|{ELEMENTS}|[a-z0-9_]+\.(cir|lib)"),
)
_PARTS = (DESIGN, CIRCUIT, NODES, ELEMENTS)


@dataclass(frozen=True)
class CompiledFolder:
    """A compiled folder, read back."""

    design: Design
    fidelity: Fidelity
    manifest: Mapping[str, object]


def write_compiled(
    design: Design, fidelity: Fidelity, folder: Path, inputs: Array | None = None
) -> Mapping[str, object]:
    """Writes the folder, all of it or nothing, and returns its manifest. inputs: as for `by_hand`.

    A folder that an earlier compile wrote is replaced; anything else in the way is an InputError.
    """
    netlist = build_netlist(design, fidelity)
    texts = dict(netlist.files) | by_hand(design, netlist, inputs)
    files = {name: _encoded(text) for name, text in texts.items()}
    files[DESIGN] = iter((design_bytes(design),))
    files[NODES] = _csv(("node", "stage", "index"), _nodes(netlist))
    elements = elements_of(design, fidelity)
    files[ELEMENTS] = _csv(elements.header, elements.rows)
    return COMPILED.write(folder, files, partial(_manifest, design, netlist))


def read_compiled(folder: Path) -> CompiledFolder:
    """Reads a compiled folder.

    Raises InputError when it is none, when its files are not as they were written, or when the netlist is not what this
    version of kanspice makes of the design.
    """
    try:
        manifest = COMPILED.read_manifest(folder)
        schema, fidelity, hashes = manifest["schema"], manifest["fidelity"], dict(manifest["files"])
    except (InputError, ValueError, KeyError, TypeError) as error:
        hint = "write one with `kanspice compile MODEL -o DIR`"
        raise InputError(
            "is not a compiled folder", where=folder, found=f"no readable {MANIFEST}", hint=hint
        ) from error
    if schema != SCHEMA:
        raise InputError("was compiled by another version", where=folder, expected=SCHEMA, hint="compile again")
    if fidelity not in get_args(Fidelity):
        raise _bad_fidelity(folder, "is none that there is", " or ".join(get_args(Fidelity)), fidelity)
    for name in (*_PARTS, *(name for name in hashes if name not in BY_HAND)):
        _check_file(folder / Path(str(name)).name, hashes.get(name))
    compiled = CompiledFolder(load_design(folder / DESIGN), cast(Fidelity, fidelity), manifest)
    _check_netlist(compiled, folder, hashes)
    return compiled


def _check_netlist(compiled: CompiledFolder, folder: Path, hashes: Mapping[str, object]) -> None:
    """Engines solve the design; what lies in the folder must be the netlist that this version makes of it."""
    try:
        files = build_netlist(compiled.design, compiled.fidelity).files
    except InputError as error:
        if error.where != "--fidelity":  # models of transistors that are not installed
            raise
        raise _bad_fidelity(folder, "does not fit the design beside it", error.expected, compiled.fidelity) from error
    for name, text in files.items():
        digest = hashlib.sha256()
        for part in _encoded(text):
            digest.update(part)
        if digest.hexdigest() != hashes.get(name):
            raise InputError("is not the netlist of the design beside it", where=folder / name, hint="compile again")


def _bad_fidelity(folder: Path, problem: str, expected: str | None, found: object) -> InputError:
    where = f"{folder / MANIFEST}, fidelity"
    return InputError(problem, where=where, expected=expected, found=repr(found)[:100], hint="compile again")


def _check_file(path: Path, expected: object) -> None:
    try:
        found = hash_of(path)
    except InputError as error:
        raise InputError("is missing", where=path, found=error.problem, hint="compile again") from error
    if found != expected:
        hint = (
            "compile again; a netlist changed by hand needs an analysis of its own and is simulated as a plain netlist"
        )
        raise InputError("was changed after compiling", where=path, hint=hint)


def _manifest(design: Design, netlist: Netlist, hashes: Mapping[str, str]) -> dict[str, object]:
    last = design.last_of_circuit
    return {
        "schema": SCHEMA,
        "kanspice": version("kanspice"),
        "family": design.family,
        "model_sha256": design.model_sha256,
        **({"specimen_sha256": design.specimen_sha256} if design.specimen_sha256 else {}),
        "fidelity": netlist.fidelity,
        "technology": json.loads(design.technology_json, parse_constant=lambda _: "inf"),
        "devices": design.device_count,
        "device_types": [device.name for device in design.devices],
        "nodes": netlist.nodes,
        "elements": netlist.elements,
        "inputs": {"nodes": list(netlist.inputs), "volts_per_unit": design.input_v_per_unit},
        "outputs": {"nodes": list(netlist.outputs(last)), "volts_per_unit": last.output_v_per_unit},
        "swing_basis": design.swing_basis,
        "stages": [_stage_facts(design, netlist, index) for index in range(len(design.stages))],
        "files": dict(hashes),
    }


def _stage_facts(design: Design, netlist: Netlist, index: int) -> dict[str, object]:
    stage = design.stages[index]
    reach = netlist.reach_v.get(stage.name)
    facts: dict[str, object] = {
        "name": stage.name,
        "kind": type(stage).__name__,
        "compares_to": stage.compares_to,
        "width": stage.width,
        "volts_per_unit": stage.output_v_per_unit,
    }
    return facts if reach is None or np.isinf(reach) else facts | {"columns_exact_within_v": reach}


def _nodes(netlist: Netlist) -> Iterator[tuple[str, str, int]]:
    for index, node in enumerate(netlist.inputs):
        yield node, "input", index
    for stage, nodes in netlist.probes.items():
        for index, node in enumerate(nodes):
            yield node, stage, index
    for stage, nodes in netlist.columns.items():
        for index, node in enumerate(nodes):
            yield node, f"{stage} column {'pn'[index % 2]}", index // 2


def _encoded(text: Text) -> Iterator[bytes]:
    return (part.encode("ascii") for part in text())


def _csv(header: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> Iterator[bytes]:
    everything = chain([header], rows)
    while some := list(islice(everything, _ROWS_AT_A_TIME)):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(some)
        yield text.getvalue().encode()
