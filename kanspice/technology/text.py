"""A technology as a file to edit: every key with its value and, above it, what it means."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from kanspice.devices.toml_text import toml_value
from kanspice.technology.technology import Technology, entries

_WIDTH = 100


def technology_text(technology: Technology) -> str:
    """TOML that `load_technology` reads back as the same technology."""
    return "\n".join(_lines(technology)) + "\n"


def _lines(technology: Technology) -> Iterator[str]:
    yield "# Every key of a technology. What is left out is ideal."
    yield f"name = {toml_value(technology.name)}"
    yield f"general = {toml_value(technology.general)}"
    for section, about, keys in entries(technology):
        yield ""
        yield from _comment(about)
        yield f"[{section}]"
        for entry in keys:
            key = entry.name.removeprefix(f"{section}.")
            yield from _comment(entry.meaning)
            yield f"{key} = {toml_value(getattr(getattr(technology, section), key))}"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")
