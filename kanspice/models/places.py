"""Saying where an error happened, for code that does not know what file or sample its work belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kanspice.errors import KanspiceError


@contextmanager
def errors_at(place: str | Path) -> Iterator[None]:
    """Within it, an error that does not name this place does: `place`, then where the error was within it."""
    try:
        yield
    except KanspiceError as error:
        if error.where is not None and error.where.startswith(str(place)):
            raise
        where = str(place) if error.where is None else f"{place}, {error.where}"
        raise type(error)(
            error.problem, where=where, expected=error.expected, found=error.found, hint=error.hint
        ) from error
