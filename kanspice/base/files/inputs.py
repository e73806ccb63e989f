"""What one command has read, so that nothing of it is ever written over.

Whatever leads to a file (an option, a key of a technology, a folder of curves, an include), it is read by
`kanspice.base.files`, which notes it here: no command has to list its inputs, and none can forget one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from kanspice.base.errors import InputError

Identity = tuple[int, int]
"""Device and number of a file: the same by whatever name or link it is reached."""

_READ: ContextVar[set[Identity] | None] = ContextVar("_READ", default=None)


@contextmanager
def inputs_spared() -> Iterator[None]:
    """Within it, a file that was read cannot be written. Outside of it nothing is noted, and nothing refused.

    One within another shares what was read: a function spares its inputs, and so does the command that calls it.
    """
    outer = _READ.get()
    token = _READ.set(set() if outer is None else outer)
    try:
        yield
    finally:
        _READ.reset(token)


@contextmanager
def looked_at() -> Iterator[None]:
    """What is read within is no input: a result of before, which may be replaced."""
    read = _READ.get()
    token = _READ.set(None if read is None else set(read))
    try:
        yield
    finally:
        _READ.reset(token)


def note_read(status: os.stat_result) -> None:
    """Says that a file is an input."""
    read = _READ.get()
    if read is not None:
        read.add(_identity(status))


def refuse_input(path: str | Path) -> None:
    """Raises InputError where `path` is a file that was read."""
    status = status_of(_target(path))
    if status is not None and _identity(status) in (_READ.get() or ()):
        raise InputError("would be overwritten: it is an input of this command", where=path, hint="another name")


def refuse_inputs(outputs: Iterable[str | Path | None]) -> None:
    """Raises InputError where one of the files to be written was read, or two of them are the same file.

    Pipes and devices, which are never replaced, may be given twice.
    """
    seen: set[Identity | str] = set()
    for path in outputs:
        if path is None:
            continue
        refuse_input(path)
        status = status_of(_target(path))
        if status is not None and not stat.S_ISREG(status.st_mode):
            continue
        place = _target(path) if status is None else _identity(status)
        if place in seen:
            raise InputError("two results would go to one file", where=path, hint="another name for one of them")
        seen.add(place)


def status_of(path: str | Path) -> os.stat_result | None:
    """Of what the path leads to; None where that is nothing, or the path cannot be followed."""
    try:
        return os.stat(path)  # noqa: PTH116 - takes text too
    except (OSError, ValueError):  # ValueError: a null character
        return None


def _target(path: str | Path) -> str:
    """Where what is written to `path` goes: links are followed, and `..` taken back, also where nothing is yet."""
    try:
        return os.path.realpath(path)
    except ValueError:  # a null character: whoever writes will say so
        return str(path)


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino
