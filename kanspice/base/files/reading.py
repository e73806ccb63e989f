"""Reading a file that may be a stranger's: a regular file, not too large, and text only where it is text.

A pipe would be waited for, and a device such as `/dev/zero` read, for ever: neither is opened.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files.inputs import note_read, status_of

MAX_FILE_BYTES = 2 * 1024**3


def is_there(path: str | Path) -> bool:
    """Whether the path leads to something. A path that no system can follow leads nowhere."""
    return status_of(path) is not None


def is_folder(path: str | Path) -> bool:
    """Whether the path leads to a folder."""
    status = status_of(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


@contextmanager
def opened(path: str | Path, what: str, max_bytes: int | None = MAX_FILE_BYTES) -> Iterator[BufferedReader]:
    """A regular file of at most `max_bytes`, open for reading; `what` names it in errors ("the checkpoint").

    max_bytes: None for a file that is never held as a whole.

    Raises InputError for anything else.
    """
    with _open(path, what) as file:
        status = os.fstat(file.fileno())
        if max_bytes is not None and status.st_size > max_bytes:
            raise too_large(path, what, status.st_size, max_bytes)
        note_read(status)
        yield file


def read_file(path: str | Path, what: str, max_bytes: int = MAX_FILE_BYTES, *, may_be_empty: bool = False) -> bytes:
    """The bytes of a regular file; `what` names it in errors. Raises InputError."""
    with opened(path, what, max_bytes) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            content = file.read(size + 1)  # so much is set aside, whatever there is: not all that there may be
        except OSError as error:
            raise _unreadable(path, what, error.strerror or str(error)) from error
    if len(content) > size:
        raise InputError(f"{what} grew while it was read", where=path, hint="wait until it is written")
    if not content and not may_be_empty:
        raise InputError(f"the file is empty, so it cannot be {what}", where=path, expected="some content")
    return content


def read_text(path: str | Path, what: str, max_bytes: int, encoding: str = "utf-8-sig") -> str:
    """The text of a regular file, which may be empty, with `\\n` line ends. Raises InputError.

    encoding: UTF-8, without the mark that some programs begin it with unless "utf-8" is asked for.
    """
    content = read_file(path, what, max_bytes, may_be_empty=True)
    try:
        return io.TextIOWrapper(io.BytesIO(content), encoding).read()
    except UnicodeDecodeError as error:
        raise InputError(
            f"this is not text, so it cannot be {what}", where=path, expected="text in UTF-8", found=str(error)
        ) from error


def too_large(path: str | Path, what: str, size: int, limit: int, unit: str = "bytes") -> InputError:
    """The error of a file that holds, or unpacks to, more than `limit`."""
    return InputError(f"{what} is too large", where=path, expected=f"at most {limit:,} {unit}", found=f"{size:,} bytes")


def _open(path: str | Path, what: str) -> BufferedReader:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - takes text too
        if stat.S_ISDIR(mode):
            hint = "name the file in it"
            raise InputError(f"this is a directory, not {what}", where=path, expected="a file", hint=hint)
        if not stat.S_ISREG(mode):
            raise InputError(f"this is not a regular file, so it cannot be {what}", where=path, expected="a file")
        return Path(path).open("rb")
    except FileNotFoundError as error:
        found = error.strerror
        raise InputError(
            f"{what} was not found", where=path, expected="a file", found=found, hint="check the path"
        ) from error
    except OSError as error:
        raise _unreadable(path, what, error.strerror or str(error)) from error
    except ValueError as error:  # a null character in the path
        raise _unreadable(path, what, str(error)) from error


def _unreadable(path: str | Path, what: str, found: str) -> InputError:
    return InputError(f"{what} cannot be read", where=path, found=found, hint="check the path and its permissions")
