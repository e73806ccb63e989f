"""What a circuit is traced by besides the network's own parameters: keys of its technology, and parts of a specimen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.base.traced import is_traced, plain, traced
from kanspice.circuit import Design, Stage
from kanspice.technology import Technology

Values = Mapping[str, Tensor]
"""Tensors by name: `section.key` of a technology, or `stage.field` of a circuit."""


def with_keys(technology: Technology, keys: Values) -> Technology:
    """The technology with these values, as traced numbers. Raises InputError for a key that is no number."""
    tables: dict[str, Any] = {}
    for name, value in keys.items():
        section, _, key = name.partition(".")
        table: Any = tables.get(section, getattr(technology, section, None))
        known = table is not None and section in technology.sections and key in type(table).model_fields
        now = getattr(table, key) if known else None
        if not isinstance(now, float):
            expected = "section.key of a technology whose value is a number that can be any within a range"
            raise InputError(f"there is no gradient by '{name}'", expected=expected, hint="kanspice technology --keys")
        if value.numel() != 1:
            raise InputError(f"'{name}' is one number", expected="a tensor without dimensions", found=str(value.shape))
        tables[section] = table.model_copy(update={key: traced(value.reshape(()))})
    return technology.model_copy(update=tables)


def with_parts(design: Design, parts: Values) -> Design:
    """The circuit with these values of its stages' fields, traced. Raises InputError for what it has not."""
    by_stage: dict[str, dict[str, Any]] = {}
    for name, value in parts.items():
        stage_name, _, field = name.rpartition(".")
        by_stage.setdefault(stage_name, {})[field] = traced(value)
    stages = {stage.name: stage for stage in design.stages}
    for stage_name, values in by_stage.items():
        if stage_name not in stages:
            raise InputError(f"the circuit has no stage '{stage_name}'", expected=", ".join(stages))
        for field, value in values.items():
            _check_part(stages[stage_name], field, value)
        stages[stage_name] = replace(stages[stage_name], **values)
    return replace(design, stages=tuple(stages.values()))


def part_names(design: Design) -> tuple[str, ...]:
    """What can be traced of a circuit's stages, as `stage.field`: arrays, and single numbers that are finite."""
    return tuple(
        f"{stage.name}.{field.name}"
        for stage in design.stages
        for field in fields(stage)
        if _is_continuous(getattr(stage, field.name))
    )


def part(design: Design, name: str) -> Tensor:
    """The value that a circuit has of `stage.field`, as a tensor."""
    stage_name, _, field = name.rpartition(".")
    for stage in design.stages:
        if stage.name == stage_name and _is_continuous(getattr(stage, field, None)):
            return torch.as_tensor(np.array(plain(getattr(stage, field))), dtype=torch.float64)
    raise InputError(f"the circuit has no part '{name}'", expected="stage.field, as l1.crossbar.area")


def _check_part(stage: Stage, field: str, value: Any) -> None:
    now: Any = getattr(stage, field, None)
    if not _is_continuous(now):
        expected = ", ".join(each.name for each in fields(stage) if _is_continuous(getattr(stage, each.name)))
        raise InputError(f"{stage.name} has no '{field}' that a gradient is by", expected=expected)
    if np.shape(now) != value.shape:
        raise InputError(f"{stage.name}.{field} has another shape", expected=str(np.shape(now)), found=str(value.shape))


def _is_continuous(value: Any) -> bool:
    if is_traced(value):
        return True
    if isinstance(value, np.ndarray):
        return bool(value.dtype == np.float64)
    return isinstance(value, float)
