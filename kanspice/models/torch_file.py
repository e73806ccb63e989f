"""Reading a torch file that a stranger wrote, without ever executing anything in it.

Every reason why such a file cannot be used becomes an InputError.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from kanspice.errors import InputError
from kanspice.models.stand_ins import AUTHORS, NotPlainError, stand_ins

MAX_FILE_BYTES = 2 * 1024**3
_STATE_DICT = "save only the weights: torch.save(model.state_dict(), path)"


def read_file(path: Path, what: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a regular, non-empty file; `what` names it in errors. Raises InputError."""
    if path.is_dir():
        raise InputError(f"this is a directory, not {what}", where=path, expected="a file", hint="name the file in it")
    if not path.exists():
        raise InputError(f"{what} was not found", where=path, expected="a file", hint="check the path")
    if not path.is_file():
        raise InputError(f"this is not a regular file, so it cannot be {what}", where=path, expected="a file")
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise _too_large(path, what, size, max_bytes)
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{what} cannot be read", where=path, found=error.strerror or str(error), hint="check its permissions"
        ) from error
    if not content:
        raise InputError(f"the file is empty, so it cannot be {what}", where=path, expected="some content")
    return content


def read_torch_file(path: Path) -> tuple[object, str]:
    """What a torch file holds, on the CPU, and the file's SHA-256.

    That is plain tensors and containers, and a `StandIn` for an object of a class that kanspice knows.
    Raises InputError if the file is missing, not a torch file, damaged, too large, or holds anything else, which would
    need code to be run.
    """
    content = read_file(path, "the checkpoint")
    _check_archive(content, path)
    return _load_plain(content, path), hashlib.sha256(content).hexdigest()


def _check_archive(content: bytes, path: Path) -> None:
    """Refuse what is not a zip archive as torch writes it, and archives that would unpack to too much."""
    if content[:1] == b"\x80":
        raise InputError(
            "this is a bare pickle, which can hold code; it was not executed",
            where=path,
            expected="a torch file of plain tensors in torch's zip format",
            found="a pickle",
            hint=f"save it again with torch 1.6 or newer; of a class that kanspice does not know, {_STATE_DICT}",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(
            "this is not a torch file, or it is damaged",
            where=path,
            expected="a file written by torch.save (1.6 or newer)",
            found=f"{len(content)} bytes that are no zip archive",
            hint="check that the file was copied completely",
        ) from error
    if unpacked > MAX_FILE_BYTES:
        raise _too_large(path, "the checkpoint", unpacked, MAX_FILE_BYTES)


def _load_plain(content: bytes, path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names = torch.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(content))
            with torch.serialization.safe_globals(stand_ins(names)):
                loaded: Any = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, NotPlainError) as error:
        raise InputError(
            "the file holds more than plain tensors; it was not executed",
            where=path,
            expected=f"a dictionary of tensors, or a module of the PhyKAN authors' class {' or '.join(AUTHORS)}",
            found=_refused(error),
            hint=_STATE_DICT,
        ) from error
    except Exception as error:  # torch raises almost any type on a malformed archive
        raise InputError(
            "torch cannot read this file",
            where=path,
            expected="a file written by torch.save",
            found=_first_line(error),
            hint="check that the file was copied completely, or save it again",
        ) from error
    return loaded


def _refused(error: Exception) -> str:
    """What a stand-in would not do, or what torch would not build, out of torch's long explanation."""
    if isinstance(error, NotPlainError):
        return str(error)
    match = re.search(r"GLOBAL ([\w.]+)", str(error))
    return f"a reference to {match[1]}" if match else "pickle instructions that plain tensors do not need"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _too_large(path: Path, what: str, size: int, limit: int) -> InputError:
    return InputError(
        f"{what} is too large", where=path, expected=f"at most {limit:,} bytes unpacked", found=f"{size:,} bytes"
    )
