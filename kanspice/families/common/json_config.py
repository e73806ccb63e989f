"""Reading a configuration written as JSON, and saying plainly what is wrong with one."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from kanspice.base.errors import InputError
from kanspice.base.files import parse_json
from kanspice.base.validation import validate

_Model = TypeVar("_Model", bound=BaseModel)


def parse_config(text: str | bytes, schema: type[_Model], where: Path) -> _Model:
    """The configuration, validated. Raises InputError if it is no JSON, no object, or a value cannot be used."""
    expected = "a JSON object, as the training wrote it"
    value = parse_json(text, where, "the configuration is not JSON", expected)
    if not isinstance(value, dict):
        raise InputError(
            "the configuration is not a JSON object", where=where, expected="{...}", found=type(value).__name__
        )
    return validate(schema, value, where)
