"""Writes plain tables as TOML. The standard library only reads it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def toml_text(table: Mapping[str, Any]) -> str:
    """`table` of text, numbers, lists and further tables as TOML that `tomllib` reads back unchanged."""
    return "\n".join(_lines(table, ())) + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    lines = [f"{key} = {toml_value(value)}" for key, value in table.items() if key not in tables]
    for key, value in tables.items():
        lines += ["", f"[{'.'.join((*path, key))}]", *_lines(value, (*path, key))]
    return lines


def toml_value(value: Any) -> str:
    """A text, a number, a truth or a list of these, as TOML has it."""
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if not isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\x7f", "\\u007f")
    if any(isinstance(item, list | tuple) for item in value):
        return "[\n" + "".join(f"  {toml_value(item)},\n" for item in value) + "]"
    return "[" + ", ".join(map(toml_value, value)) + "]"
