"""The shipped JSON schemas, as tests hold documents against them."""

from __future__ import annotations

import json
from functools import cache

from jsonschema import Draft202012Validator

from kanspice.base.resources import SCHEMAS


def file_of(contract: str):
    """Where the schema of `kanspice.gap/1` lies."""
    return SCHEMAS / f"{contract.replace('/', '-')}.json"


@cache
def shipped(contract: str):
    schema = json.loads(file_of(contract).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return schema


def closed(schema):
    """The same schema with every object that lists its keys allowing no others: what is written is documented."""
    if isinstance(schema, dict):
        shut = {key: closed(value) for key, value in schema.items()}
        return {"additionalProperties": False, **shut} if "properties" in schema else shut
    return [closed(value) for value in schema] if isinstance(schema, list) else schema


@cache
def _validator(contract: str) -> Draft202012Validator:
    return Draft202012Validator(closed(shipped(contract)))


def hold(text: str, contract: str) -> None:
    """Raises ValidationError for a document with other keys or values than its schema says."""
    _validator(contract).validate(json.loads(text))
