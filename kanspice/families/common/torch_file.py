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

from kanspice.base.errors import InputError
from kanspice.base.files import MAX_FILE_BYTES, read_file
from kanspice.base.files.reading import too_large
from kanspice.families.common.plain_pickle import check_pickle, check_values
from kanspice.families.common.stand_ins import AUTHORS, NotPlainError, stand_ins

_MAX_PICKLE_BYTES = 64_000_000
_STATE_DICT = "save only the weights: torch.save(model.state_dict(), path)"


def read_torch_file(path: Path) -> tuple[object, str]:
    """What a torch file holds, on the CPU, and the file's SHA-256.

    That is plain tensors and containers, and a `StandIn` for an object of a class that kanspice knows.
    Raises InputError if the file is missing, not a torch file, damaged, too large, or holds anything else, which would
    need code to be run.
    """
    content = read_file(path, "the checkpoint", MAX_FILE_BYTES)
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
            for entry in archive.infolist():
                if entry.filename.endswith("data.pkl"):
                    check_pickle(_pickle_in(archive, entry, path), path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(
            "this is not a torch file, or it is damaged",
            where=path,
            expected="a file written by torch.save (1.6 or newer)",
            found=f"{len(content)} bytes that are no zip archive",
            hint="check that the file was copied completely",
        ) from error
    if unpacked > MAX_FILE_BYTES:
        raise too_large(path, "the checkpoint", unpacked, MAX_FILE_BYTES, "bytes unpacked")


def _pickle_in(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> bytes:
    """The pickle of an archive: names and shapes, never the numbers of tensors."""
    if entry.file_size > _MAX_PICKLE_BYTES:
        raise too_large(path, "what describes the tensors", entry.file_size, _MAX_PICKLE_BYTES, "bytes unpacked")
    return archive.read(entry)


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
            expected=f"a dictionary of tensors, or a module of the authors' class {' or '.join(AUTHORS)}",
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
    check_values(loaded, path)
    return loaded


def _refused(error: Exception) -> str:
    """What a stand-in would not do, or what torch would not build, out of torch's long explanation."""
    if isinstance(error, NotPlainError):
        return str(error)
    match = re.search(r"GLOBAL ([\w.]+)", str(error))
    return f"a reference to {match[1]}" if match else "pickle instructions that plain tensors do not need"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
