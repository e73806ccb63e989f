"""Turns a table from somebody's file into a validated object, or into one clear message."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from kanspice.base.errors import InputError
from kanspice.base.files import parse_toml, read_text

_Model = TypeVar("_Model", bound=BaseModel)

_MAX_TOML_BYTES = 4_000_000


class CheckedTable(BaseModel):
    """Base of every table read from a file: unknown keys are errors, values never change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=True, use_attribute_docstrings=True)


def similar(name: str, known: Iterable[str]) -> str | None:
    """A hint naming the known word closest to `name`; None when none is close."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{close[0]}'?" if close else None


def nearest(name: str, known: Collection[str]) -> str:
    """The same, or all of them when none is close: for a message that does not list them anyway."""
    return similar(name, known) or f"known: {', '.join(sorted(known))}"


def read_toml(path: Path, what: str = "a TOML file") -> dict[str, Any]:
    """The tables of a TOML file; `what` names it in errors. Raises InputError when it cannot be read as one."""
    return parse_toml(read_text(path, what, _MAX_TOML_BYTES), path)


def validate(model: type[_Model], data: Mapping[str, Any], where: str | Path) -> _Model:
    """`data` as a `model`. Raises InputError naming the first bad key, what was expected and what was found."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _as_input_error(model, error, where) from error


def _as_input_error(model: type[BaseModel], error: ValidationError, where: str | Path) -> InputError:
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"] if not _of_a_union(str(part))) or "the file"
    if first["type"] == "extra_forbidden":
        known = _known_keys(model, first["loc"][:-1])
        return InputError(f"unknown key '{place}'", where=where, hint=nearest(str(first["loc"][-1]), known))
    found = "nothing" if first["type"] == "missing" else repr(first.get("input"))[:200]
    return InputError(f"bad value for '{place}'", where=where, expected=first["msg"], found=found)


def _known_keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    for part in path:
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return list(model.model_fields)
        model = annotation
    return list(model.model_fields)


def _of_a_union(part: str) -> bool:
    """Whether it says which of several types was tried, which is no part of a key."""
    return "[" in part or part.startswith("constrained-")
