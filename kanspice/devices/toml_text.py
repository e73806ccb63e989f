"""Writes plain tables as TOML. The standard library only reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def toml_text(table: Mapping[str, Any]) -> str:
    """`table` of text, numbers, lists and further tables as TOML that `tomllib` reads back unchanged."""
    return "\n".join(_lines(table, ())) + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    lines = [f"{key} = {_value(value)}" for key, value in table.items() if key not in tables]
    for key, value in tables.items():
        lines += ["", f"[{'.'.join((*path, key))}]", *_lines(value, (*path, key))]
    return lines


def _value(value: Any) -> str:
    if not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    if any(isinstance(item, list) for item in value):
        return "[\n" + "".join(f"  {_value(item)},\n" for item in value) + "]"
    return "[" + ", ".join(map(_value, value)) + "]"
