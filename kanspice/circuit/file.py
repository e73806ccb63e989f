"""`kanspice.design/5`: a design as one `.npz` file of plain arrays and a JSON header, the same bytes every time."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np

from kanspice.base.errors import InputError
from kanspice.base.files import parse_json, read_file
from kanspice.circuit.check import check_design
from kanspice.circuit.design import Design
from kanspice.circuit.parts import Converter, NodeLosses, Realised, Schematic, Switching
from kanspice.circuit.stages import Crossbar, Stage, Tiles
from kanspice.circuit.transistor_branches import TransistorBranches
from kanspice.devices import Device
from kanspice.subcircuits.amplifier import amplifier_from
from kanspice.subcircuits.subcircuit import subcircuit_from

SCHEMA = "kanspice.design/5"
_MAX_BYTES = 2**31


def realised_from(
    amplifier: dict[str, Any],
    clip: dict[str, Any] | None,
    rectifier: dict[str, Any] | None,
    own_amplifier: dict[str, Any] | None,
    input_bias_a: float,
) -> Realised:
    """What `dataclasses.asdict` made of it, read from a file of somebody's: all netlist lines are looked at again."""
    if not math.isfinite(input_bias_a):
        raise ValueError("what inputs take is not a number")
    return Realised(
        amplifier_from(amplifier),
        None if clip is None else subcircuit_from(clip),
        None if rectifier is None else subcircuit_from(rectifier),
        None if own_amplifier is None else amplifier_from(own_amplifier),
        float(input_bias_a),
    )


_TYPES: dict[str, Callable[..., Stage]] = {kind.__name__: kind for kind in get_args(Stage)}
_PARTS: dict[str, Callable[..., Schematic | Switching | NodeLosses | TransistorBranches | Converter | Realised]] = {
    "schematic": Schematic,
    "transistors": TransistorBranches,
    "switching": Switching,
    "losses": NodeLosses,
    "dac": Converter,
    "adc": Converter,
    "realised": realised_from,
}


def design_bytes(design: Design) -> bytes:
    """The file's content. Equal designs give equal bytes."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    stages = []
    for index, stage in enumerate(design.stages):
        fields = {field.name: getattr(stage, field.name) for field in dataclasses.fields(stage)}
        if isinstance(stage, Tiles):
            fields = _with_crossbars_stacked(fields)
        for name, value in fields.items():
            if isinstance(value, np.ndarray):
                arrays[f"{index}.{name}"] = value
        plain = {name: value for name, value in fields.items() if not isinstance(value, np.ndarray)}
        stages.append({"type": type(stage).__name__, **plain})
    plain_fields = {f.name: getattr(design, f.name) for f in dataclasses.fields(design)}
    if not design.specimen_sha256:  # as designs of seeds always were
        del plain_fields["specimen_sha256"]
    plain_fields |= {"devices": [device.to_dict() for device in design.devices], "stages": stages}
    parts = {name: getattr(design, name) for name in _PARTS}
    plain_fields |= {name: None if part is None else dataclasses.asdict(part) for name, part in parts.items()}
    header = json.dumps({"schema": SCHEMA, **plain_fields}, sort_keys=True).encode()
    buffer = io.BytesIO()
    np.savez(buffer, header=np.frombuffer(header, np.uint8), **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def save_design(design: Design, path: Path) -> None:
    """Writes the design to `path`."""
    path.write_bytes(design_bytes(design))


def load_design(path: Path) -> Design:
    """Reads a design written by `save_design`. Raises InputError when it is not one."""
    content = read_file(path, "a design", _MAX_BYTES, may_be_empty=True)
    try:
        _check_size(content)
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = parse_json(arrays.pop("header").tobytes(), path)
        if header.pop("schema") != SCHEMA:
            raise InputError("is a design of another version", where=path, expected=SCHEMA, hint="compile again")
        devices = tuple(Device.from_dict(entry) for entry in header.pop("devices"))
        stages = tuple(_stage(index, entry, arrays) for index, entry in enumerate(header.pop("stages")))
        if arrays:
            raise ValueError(f"it holds arrays that no stage has: {', '.join(sorted(arrays)[:3])}")
        parts = {name: None if header[name] is None else kind(**header.pop(name)) for name, kind in _PARTS.items()}
        design = Design(devices=devices, stages=stages, **(header | parts))
        check_design(design)
        parse_json(design.technology_json, path, "the technology in it is not JSON")
        return design
    except InputError:
        raise
    except Exception as error:  # NumPy and zipfile raise almost any type on a damaged file
        hint = "compile the model again with `kanspice compile`"
        raise InputError("is not a kanspice design", where=path, found=str(error), hint=hint) from error


def _check_size(content: bytes) -> None:
    """Raises ValueError when the file unpacks to more than any design holds: a small one can claim terabytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    if unpacked > _MAX_BYTES:
        raise ValueError(f"it unpacks to {unpacked} bytes, more than {_MAX_BYTES}")


def _stage(index: int, entry: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> Stage:
    kind = _TYPES[entry.pop("type")]
    own = {name: arrays.pop(name) for name in list(arrays) if name.startswith(f"{index}.")}
    fields = {**entry, **{name.split(".", 1)[1]: value for name, value in own.items()}}
    return kind(**(_with_crossbars_apart(fields) if kind is Tiles else fields))


def _with_crossbars_stacked(fields: dict[str, Any]) -> dict[str, Any]:
    """Of tiles: each array of all crossbars as one, `crossbars.area` (crossbars, ...); what is no array, in a list."""
    crossbars = fields.pop("crossbars")
    every = [[getattr(crossbar, field.name) for crossbar in crossbars] for field in dataclasses.fields(Crossbar)]
    named = zip(dataclasses.fields(Crossbar), every, strict=True)
    return fields | {
        f"crossbars.{field.name}": np.stack(values) if isinstance(values[0], np.ndarray) else values
        for field, values in named
    }


def _with_crossbars_apart(fields: dict[str, Any]) -> dict[str, Any]:
    """And back."""
    names = [field.name for field in dataclasses.fields(Crossbar)]
    columns = [fields.pop(f"crossbars.{name}") for name in names]
    rows = zip(*columns, strict=True)
    return fields | {"crossbars": tuple(Crossbar(**dict(zip(names, row, strict=True))) for row in rows)}
