"""Reading a configuration written as YAML by a stranger: plain values only, bounded work, nothing executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from kanspice.base.errors import InputError

MAX_YAML_BYTES = 200_000
MAX_VALUES = 100_000
MAX_DEPTH = 50


class _OnceLoader(yaml.SafeLoader):
    """Refuses a key that a mapping has twice: YAML would take the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        known = set[tuple[str, str]]()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in known:
                    raise yaml.YAMLError(f"the key {key.value[:80]!r} is there twice")
                known.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def parse_yaml(content: bytes, where: Path) -> dict[str, Any]:
    """The mapping that the text holds. Raises InputError if it is no YAML, no mapping, or more than plain data.

    A few lines of aliases can stand for more data than fits in memory, so their size is counted before any is built.
    """
    try:
        text = content.decode("utf-8-sig")
        _check_work(text, where)
        loader = _OnceLoader(text)
        try:
            value = loader.get_single_data()
        finally:
            loader.dispose()
    except InputError:
        raise
    except Exception as error:  # PyYAML raises almost any type on a malformed text
        raise _unreadable(error, where) from error
    if not isinstance(value, dict):
        raise InputError(
            "the configuration is not a YAML mapping", where=where, expected="key: value", found=type(value).__name__
        )
    return value


def _check_work(text: str, where: Path) -> None:
    """Raise InputError if the text's values, aliases followed, are too many or nested too deeply."""
    values = 0
    sizes: dict[str, int] = {}  # of the anchors whose value is complete
    unfinished: list[tuple[str | None, int]] = []
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise _too_much("an alias inside its own value, or without one", where)
            values += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionStartEvent):
            unfinished.append((event.anchor, values))
            values += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = unfinished.pop()
            sizes |= {} if anchor is None else {anchor: values - before}
        elif isinstance(event, yaml.ScalarEvent):
            values += 1
            sizes |= {} if event.anchor is None else {event.anchor: 1}
        if values > MAX_VALUES:
            raise _too_much(f"more than {MAX_VALUES:,} values", where)
        if len(unfinished) > MAX_DEPTH:
            raise _too_much(f"values nested more than {MAX_DEPTH} deep", where)


def _too_much(found: str, where: Path) -> InputError:
    return InputError(
        "the configuration holds too much", where=where, expected="a configuration of a network", found=found
    )


def _unreadable(error: Exception, where: Path) -> InputError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, yaml.constructor.ConstructorError):
        return InputError(
            "the configuration holds more than plain values; nothing was executed",
            where=where,
            expected="plain YAML: numbers, text, lists and mappings",
            found=reason,
            hint="write it with yaml.safe_dump",
        )
    return InputError(
        "the configuration is not YAML", where=where, expected="the config.yaml of the training", found=reason
    )
