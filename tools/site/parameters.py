"""Docstrings as the site shows them: what they say of one parameter or attribute after the other becomes a list."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import griffe


class Parameters(griffe.Extension):
    """Goes over the docstrings that mkdocstrings is about to show."""

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Lists a function's parameters."""
        if func.docstring:
            func.docstring.value = listed(func.docstring.value, [each.name for each in func.parameters])

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """Lists a class's attributes, and the parameters that make one."""
        if cls.docstring:
            names = [name for name, member in cls.members.items() if member.is_attribute]
            made_of = cls.members.get("__init__")
            if isinstance(made_of, griffe.Function):
                names += [each.name for each in made_of.parameters]
            cls.docstring.value = listed(cls.docstring.value, names)


def listed(text: str, names: Iterable[str]) -> str:
    """The text with a list item for each `name: ...` or `name, name: ...` that begins a sentence or a line."""
    either = "|".join(map(re.escape, names))
    if not either:
        return text
    said = re.compile(rf"(?:^|(?<=[.;)] ))((?:{either})(?:, (?:{either}))*): ")
    return "\n\n".join(_listed(paragraph, said) for paragraph in text.split("\n\n"))


def _listed(paragraph: str, said: re.Pattern[str]) -> str:
    line = " ".join(paragraph.split())
    before, *parts = said.split(line)
    if not parts:
        return paragraph
    items = [f"- `{name}`: {what.strip()}" for name, what in zip(parts[::2], parts[1::2], strict=True)]
    items[-1] = items[-1].replace(" Raises ", "\n\nRaises ", 1)
    return "\n\n".join(filter(None, [before.strip(), "\n".join(items)]))
