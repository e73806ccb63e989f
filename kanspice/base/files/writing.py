"""Writing a result to a file: whole or not at all, and never over an input."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from kanspice.base.errors import InputError
from kanspice.base.files.inputs import refuse_input, refuse_inputs, status_of

_IN_THE_WAY = "a folder of that name exists"


def check_outputs(paths: Iterable[str | Path | None]) -> None:
    """Raises InputError where a result could not be written to a file later: to be asked before any long work.

    That is where `refuse_inputs` says so, and where the file is a folder, is to be below a file, or in a folder that
    cannot be written to. Nothing is made. None stands for what is not wanted.
    """
    files = [path for path in paths if path is not None]
    refuse_inputs(files)
    for path in files:
        try:
            _try_to_reach(path)
        except (OSError, ValueError) as error:
            raise _unwritable(path, error) from error


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8 with `\\n` line ends, creating parent folders; nothing half-written is left behind.

    A pipe or a device such as `/dev/null` is written to directly; a symbolic link keeps pointing where it does.
    Raises InputError where the file cannot be written, or was read as an input of this command.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file as `write_text` does."""
    refuse_input(path)
    try:
        if _is_stream(Path(path)):
            Path(path).write_bytes(content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def _unwritable(path: str | Path, error: OSError | ValueError) -> InputError:
    """error: a ValueError of a null character in the path."""
    found = error.strerror if isinstance(error, OSError) else None
    return InputError("the file cannot be written", where=path, found=found or str(error), hint="another path")


def _try_to_reach(path: str | Path) -> None:
    """Raises OSError or ValueError where no file can be written there, as far as that can be told without writing."""
    if _is_stream(Path(path)):
        return
    place = Path(os.path.realpath(path))
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, _IN_THE_WAY)
    folder = place.parent
    while True:
        try:
            status = folder.stat()
            break
        except FileNotFoundError:  # it will be made
            folder = folder.parent
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _is_stream(path: Path) -> bool:
    status = status_of(path)
    return status is not None and not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode)


def _replace(path: Path, content: bytes) -> None:
    """Write beside `path`, then rename: a reader sees the old file or the new one."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, _IN_THE_WAY)
    if path.is_symlink():  # all others were followed
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: its files are readable by their owner only, and so would be the report.
    part = path.parent / f".kanspice-{secrets.token_hex(6)}.part"
    try:
        try:
            _write_unnamed(part, content)
        except OSError:  # the file system has no such files; or the disk is full, which is found again
            with part.open("xb") as file:
                _write(file, content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _write_unnamed(part: Path, content: bytes) -> None:
    """Write a file that gets its name once it is whole, so that nothing stays behind where we are killed meanwhile.

    Raises OSError where the file system or the system cannot do so.
    """
    if not hasattr(os, "O_TMPFILE"):
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    folder = os.open(part.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        with open(os.open(".", os.O_TMPFILE | os.O_WRONLY, 0o666, dir_fd=folder), "wb") as file:  # noqa: PTH123 - a descriptor
            _write(file, content)
            os.link(f"/proc/self/fd/{file.fileno()}", part.name, dst_dir_fd=folder)
    finally:
        os.close(folder)


def _write(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())
