"""One codec for every document: a part declares a noun's JSON once, and is written from the noun and read back into it.

A part is a pydantic model. Its keys have the names of the noun's attributes, or a `Key` says where their values are.
Writing never refuses a noun, whatever its figures. Reading validates first, so that it refuses everything that the part
does not allow. The shipped JSON schemas are made of the parts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sized
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema

from kanspice.report.formatting import encodable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Noun = TypeVar("Noun", bound="DataclassInstance")

Figure = float | None
"""null where there is none: a relative figure of a single sample, or nothing was measured."""
Size = Annotated[float, Field(ge=0)]
SizeOrNone = Size | None
"""A size, null where there is none."""
Fraction = Annotated[float, Field(ge=0, le=1)]
"""A part of a whole."""
Count = Annotated[int, Field(ge=0, le=2**53)]
"""What more than counts exactly in a JSON number is no count."""


@dataclass(frozen=True)
class Key:
    """Where the value of a part's key is, where that is not just the noun's attribute of its name.

    at: attributes or names, joined by dots; "." is the noun itself. Those after a tuple are of each of its elements:
    such keys are only written. sparse: the key is left out where the value is None or empty. infinite: "inf" and "-inf"
    stand for numbers.
    """

    at: str = ""
    sparse: bool = False
    infinite: bool = False


class Part(BaseModel):
    """Base of every part: types are strict, numbers finite, keys that are not known are ignored."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @classmethod
    def written(cls, noun: object) -> dict[str, Any]:
        """The noun as a JSON object, its keys in the part's order. A figure that is not finite is null."""
        found = {}
        for entry in _entries(cls):
            value = entry.constant if entry.constant is not None else _attribute(noun, entry.path)
            if not (entry.sparse and _is_absent(value)):
                found[entry.key] = entry.written(value)
        return found

    @classmethod
    def text(cls, noun: object) -> str:
        """The noun as JSON text, with a final newline."""
        return as_text(cls.written(noun))

    def read(self, kind: type[Noun]) -> Noun:
        """The noun, a dataclass, that was written: NaN where a float is null; arrays, which no part has, are empty."""
        return _noun(kind, self.attributes())

    def attributes(self) -> dict[str, Any]:
        """What the noun's attributes are made of, by name; a part may know better than by its keys one by one."""
        found: dict[str, Any] = {}
        for entry in _entries(type(self)):
            value = entry.read(getattr(self, entry.name))
            inner = found
            for name in entry.path[:-1]:
                inner = inner.setdefault(name, {})
            inner |= {entry.path[-1]: value} if entry.path else value
        return found

    @classmethod
    def contract(cls) -> str:
        """The name of a document's contract: what its key `schema` always is."""
        return next(str(entry.constant) for entry in _entries(cls) if entry.key == "schema")

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON schema (2020-12) of a document."""
        made = cls.model_json_schema(schema_generator=_Schema)
        dialect = "https://json-schema.org/draft/2020-12/schema"
        return {"$schema": dialect, "$id": f"urn:{cls.contract().replace('/', ':')}", **made}


class _Schema(GenerateJsonSchema):
    """Without a title for every key: it would repeat the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def as_text(document: Mapping[str, Any], *, keep_infinite: bool = False) -> str:
    """A JSON object as text with a final newline; what is not finite as `finite` makes it."""
    return json.dumps(finite(document, keep_infinite=keep_infinite), indent=2, allow_nan=False) + "\n"


def as_record(noun: DataclassInstance) -> dict[str, Any]:
    """A dataclass as plain values that a journal keeps and `of_record` makes it of again."""
    found: dict[str, Any] = finite(asdict(noun), keep_infinite=True)
    return found


def of_record(kind: type[Noun], values: Mapping[str, Any]) -> Noun:
    """What `as_record` made plain, from these values among others. Raises Python errors for anything else."""
    return _noun(kind, {name: values[name] for name in _hints(kind)})


def finite(value: object, *, keep_infinite: bool = False) -> Any:
    """The value in JSON's types; a number that is not finite becomes None, or "inf" and "-inf" where kept."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, Mapping):
        return {encodable(str(key)): finite(part, keep_infinite=keep_infinite) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part, keep_infinite=keep_infinite) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value) if keep_infinite and math.isinf(value) else None
    if value is None or isinstance(value, bool | int | float):
        return value
    return encodable(str(value))


@dataclass(frozen=True)
class _Entry:
    """A key of a part.

    name: the part's attribute. part: of the value, or of its elements. keyed: whether it is of those, by name.
    constant: what the value always is.
    """

    name: str
    key: str
    path: tuple[str, ...]
    part: type[Part] | None
    keyed: bool
    constant: object
    sparse: bool
    infinite: bool

    def written(self, value: object) -> Any:
        if self.part is None or value is None:
            return finite(value, keep_infinite=self.infinite)
        if isinstance(value, tuple | list):
            return [self.part.written(each) for each in value]
        if self.keyed and isinstance(value, Mapping):
            return {name: each and self.part.written(each) for name, each in value.items()}
        return self.part.written(value)

    def read(self, value: object) -> Any:
        if isinstance(value, Part):
            return value.attributes()
        if self.part is not None and isinstance(value, list):
            return [each.attributes() for each in value]
        if self.keyed and isinstance(value, dict):
            return {name: each and each.attributes() for name, each in value.items()}
        return _infinite(value) if self.infinite else value


@cache
def _entries(part: type[Part]) -> tuple[_Entry, ...]:
    return tuple(_entry(name, part) for name in part.model_fields)


def _entry(name: str, part: type[Part]) -> _Entry:
    field = part.model_fields[name]
    key = next((each for each in field.metadata if isinstance(each, Key)), Key())
    inner = next(_parts(field.annotation), None)
    return _Entry(
        name=name,
        key=field.alias or name,
        path=tuple(filter(None, (key.at or name).split("."))),
        part=inner,
        keyed=inner is not None and get_origin(field.annotation) is dict,
        constant=get_args(field.annotation)[0] if get_origin(field.annotation) is Literal else None,
        sparse=key.sparse,
        infinite=key.infinite,
    )


def _parts(annotation: object) -> Iterator[type[Part]]:
    """The parts in an annotation: of a list, of what may be null."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def _is_absent(value: object) -> bool:
    """None, or empty; a number is neither."""
    return value is None or (isinstance(value, Sized) and not value)


def _attribute(noun: object, path: tuple[str, ...]) -> object:
    """What lies there; None where something on the way is None."""
    if not path or noun is None:
        return noun
    if isinstance(noun, tuple):
        return [_attribute(each, path) for each in noun]
    return _attribute(noun[path[0]] if isinstance(noun, Mapping) else getattr(noun, path[0]), path[1:])


def _fitted(hint: Any, value: Any) -> Any:
    """A value that was read, as a type hint wants it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        known = [argument for argument in arguments if argument is not NoneType]
        return _fitted(known[0], value) if value is not None and len(known) == 1 else value
    if hint is float:
        return math.nan if value is None else float(value)
    if origin is np.ndarray:
        return np.empty(0)
    if origin is tuple:
        return tuple(_fitted(arguments[0], each) for each in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {name: _fitted(arguments[1], each) for name, each in value.items()}
    return _noun(hint, value) if isinstance(hint, type) and is_dataclass(hint) else value


def _noun(kind: type[Noun], attributes: Mapping[str, Any]) -> Noun:
    hints = _hints(kind)
    needed = [field.name for field in fields(kind) if field.default is field.default_factory is MISSING]
    given = {name: attributes.get(name) for name in hints if name in attributes or name in needed}
    return kind(**{name: _fitted(hints[name], value) for name, value in given.items()})


@cache
def _hints(kind: type[DataclassInstance]) -> dict[str, Any]:
    found = get_type_hints(kind)
    return {field.name: found[field.name] for field in fields(kind)}


def _infinite(value: object) -> object:
    """The same with the texts "inf" and "-inf" as the numbers that they stand for."""
    if isinstance(value, dict):
        return {key: _infinite(inner) for key, inner in value.items()}
    return float(value) if value in ("inf", "-inf") else value
