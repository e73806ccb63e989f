"""Reading input, output and label arrays from .npy, .npz and .csv files. Nothing is ever unpickled."""

from __future__ import annotations

import io
import math
import os
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from kanspice.base.errors import InputError
from kanspice.base.files import MAX_FILE_BYTES, is_there, read_file
from kanspice.base.visible import shown_name

PathLike = str | os.PathLike[str]
Given = PathLike | npt.ArrayLike
"""A file, or what is in one."""


_MAX_ARRAYS = 100_000


def is_file(given: Given) -> TypeGuard[PathLike]:
    """Whether it is the name of a file."""
    return isinstance(given, str | os.PathLike)


def load_array(
    given: Given,
    what: str,
    width: int | None = None,
    axes: tuple[int, ...] | None = None,
    *,
    gaps: bool = False,
) -> NDArray[np.float64]:
    """Read a table of real numbers: float64, shape (samples, width), C order. Smaller types are widened.

    given: .npy, .npz with exactly one array (or `file.npz:key`), .csv (comma-separated, one sample per row, after a
    line that names the columns if there is one); or an array. Samples with axes of their own, as images (samples,
    channels, height, width), are laid out in one row where they have as many values as wanted. what: names it in errors
    ("the inputs"). width: the number of columns it must have. axes: those of a sample that is not in one row, where one
    of length 1 may be left out; any if None. gaps: NaN, and what is infinite, is left to whoever asked. Raises
    InputError if it cannot be used.
    """
    values = _real(_read(given, what), what, _place(given))
    if values.ndim > 2 and width is not None and values.shape[0] > 0 and math.prod(values.shape[1:]) == width:
        _check_axes(values.shape[1:], axes, what, _place(given))
        values = values.reshape(len(values), width)
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(
            f"{what} cannot be used: wrong shape",
            where=_place(given),
            expected=f"shape (samples, {'values' if width is None else width}), at least one sample",
            found=f"shape {values.shape}",
            hint="reshape one sample to (1, values)" if values.ndim == 1 else None,
        )
    if width is not None and values.shape[1] != width:
        raise InputError(
            f"{what} cannot be used: wrong number of values per sample",
            where=_place(given),
            expected=f"{width} values per sample",
            found=f"{values.shape[1]} (shape {values.shape})",
            hint="check that they belong to this model",
        )
    if not gaps:
        _check_finite(values, what, _place(given))
    return values


def load_labels(given: Given) -> NDArray[np.int64]:
    """Read class labels: int64, shape (samples,), from 0. In a .csv file: one per row, or all in one row.

    Raises InputError if it cannot be used.
    """
    values = load_list(given, "the labels", each="sample")
    bad = np.flatnonzero((values < 0) | (values != np.round(values)) | (values >= 2.0**53))
    if bad.size:
        raise InputError(
            "the labels are not class numbers",
            where=_place(given),
            expected="whole numbers from 0",
            found=f"{values[bad[0]]:g} at sample {bad[0]}",
        )
    return values.astype(np.int64)


def load_list(given: Given, what: str, each: str = "number") -> NDArray[np.float64]:
    """Read finite numbers: float64, shape (numbers,), at least one. In a .csv file: one per row, or all in one row.

    what, each: name them, and what there is one for, in errors. Raises InputError if it cannot be used.
    """
    values = _real(_read(given, what), what, _place(given))
    if is_file(given) and Path(given).suffix.lower() == ".csv" and 1 in values.shape:
        values = values.ravel()
    if values.ndim != 1 or values.size == 0:
        raise InputError(
            f"{what} cannot be used: wrong shape",
            where=_place(given),
            expected=f"shape ({each}s,), at least one {each}",
            found=f"shape {values.shape}",
        )
    _check_finite(values, what, _place(given))
    return values


def load_arrays(path: PathLike, what: str) -> tuple[dict[str, NDArray[Any]], bytes]:
    """(every array of a .npz file by its name, of whatever plain type and shape; the file's bytes).

    what: names the file in errors ("the specimen"). Raises InputError if it cannot be read.
    """
    file = Path(path)
    content = read_file(file, what, MAX_FILE_BYTES)
    try:
        with warnings.catch_warnings(), zipfile.ZipFile(io.BytesIO(content)) as archive:
            warnings.simplefilter("ignore")
            entries = archive.infolist()
            _check_unpacked(sum(entry.file_size for entry in entries), file)
            if len(entries) > _MAX_ARRAYS:
                found = f"{len(entries):,} arrays"
                raise InputError(f"{what} is too large", where=file, expected=f"at most {_MAX_ARRAYS:,}", found=found)
            return {name: _decode_npy(archive.read(entry)) for name, entry in _named(archive, file).items()}, content
    except InputError:
        raise
    except Exception as error:  # as above
        hint = f"{what} is a .npz file, as numpy.savez writes it"
        raise InputError(
            f"{what} cannot be read", where=file, expected="plain arrays of numbers", found=_why(error), hint=hint
        ) from error


def _place(given: Given) -> str | None:
    """Where an error is said to be: nowhere in an array."""
    return os.fspath(given) if is_file(given) else None


def _read(given: Given, what: str) -> NDArray[Any]:
    """The array, of whatever type and shape."""
    if not is_file(given):
        return _array(given, what)
    file, key = _split_key(given)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise InputError(
            "this type of file is not read",
            where=file,
            expected=" or ".join(_READERS),
            found=repr(file.suffix) if file.suffix else "no suffix",
        )
    content = read_file(file, "an array file", MAX_FILE_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return reader(content, key, file)
    except InputError:
        raise
    except Exception as error:  # NumPy and zipfile raise almost any type on a malformed file
        raise _unreadable(file, error) from error


def _array(given: Given, what: str) -> NDArray[Any]:
    """What NumPy makes of it, and of a tensor that torch follows. Raises InputError for none, and for masked values."""
    if np.ma.is_masked(given):
        hint = "leave such samples out: array[~array.mask.any(axis=1)].data"
        raise InputError(f"some values of {what} are masked", expected="a number for each", hint=hint)
    try:
        return np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)
    except Exception as error:  # arrays of other libraries raise what they like
        found = str(error).strip().partition("\n")[0][:200]
        raise InputError(f"{what} cannot be read as an array", expected="plain numbers", found=found) from error


def _split_key(path: PathLike) -> tuple[Path, str | None]:
    """`file.npz:key` as (file.npz, key), unless a file of exactly that name exists."""
    match = re.fullmatch(r"(.+\.npz):([^/]+)", os.fspath(path), flags=re.IGNORECASE)
    if match is None or is_there(os.fspath(path)):
        return Path(path), None
    return Path(match[1]), match[2]


def _read_npy(content: bytes, _key: str | None, _file: Path) -> NDArray[Any]:
    return _decode_npy(content)


def _read_npz(content: bytes, key: str | None, file: Path) -> NDArray[Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = _choose_entry(archive, key, file)
        _check_unpacked(entry.file_size, file)
        return _decode_npy(archive.read(entry))


def _check_unpacked(size: int, file: Path) -> None:
    """Raises InputError for more than is ever read: a small file can claim terabytes."""
    if size > MAX_FILE_BYTES:
        raise InputError(
            "the array is too large",
            where=file,
            expected=f"at most {MAX_FILE_BYTES:,} bytes unpacked",
            found=f"{size:,} bytes",
        )


def _named(archive: zipfile.ZipFile, file: Path) -> dict[str, zipfile.ZipInfo]:
    entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
    if len(entries) < len(archive.infolist()):
        raise InputError("two arrays in the file have the same name", where=file, hint="save it again with numpy")
    return entries


def _choose_entry(archive: zipfile.ZipFile, key: str | None, file: Path) -> zipfile.ZipInfo:
    entries = _named(archive, file)
    if key is None and len(entries) == 1:
        return next(iter(entries.values()))
    if key in entries:
        return entries[key]
    names = ", ".join(map(shown_name, list(entries)[:8])) or "none"
    raise InputError(
        "the file does not hold exactly one array" if key is None else f"the file holds no array named {key!r}",
        where=file,
        expected="one array, or its name after a colon" if key is None else "the name of an array in the file",
        found=f"{len(entries)} arrays: {names}",
        hint=f"name one of them: {file}:KEY",
    )


def _decode_npy(content: bytes) -> NDArray[Any]:
    """The array of a .npy file's bytes. An array of Python objects is refused: it would need pickle."""
    values: NDArray[Any] = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return values


_NAME = re.compile(r"[^\W\d][\w .\[\]()/:-]*")
"""Of a column: a letter first."""
_NO_NUMBER = frozenset(
    {"na", "n/a", "nan", "inf", "infinity", "none", "null", "missing", "overflow", "ovld", "true", "false"}
)
"""What programs write where there is no number."""
_EMPTY_CELL = re.compile(r"could not convert string '\s*' to float64")
"""What NumPy says of one."""


def _read_csv(content: bytes, _key: str | None, _file: Path) -> NDArray[Any]:
    text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    above, names = _header(text)
    values: NDArray[Any] = np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2, dtype=np.float64, skiprows=above)
    is_indexed = bool(names) and not names[0] and len(names) > 1
    return values[:, 1:] if is_indexed and np.array_equal(values[:, 0], np.arange(len(values))) else values


def _header(text: str) -> tuple[int, list[str]]:
    """The lines down to the one that names columns, that one included, and the names; (0, []) where none does.

    That is the first line with anything in it, if all in it are names: a sample is never taken for one. pandas has no
    name for the column that counts the rows.
    """
    for number, line in enumerate(text.split("\n"), 1):
        content = line.partition("#")[0]
        if content.strip():
            names = [name.strip().strip('"') for name in content.split(",")]
            named = names if names[0] or len(names) == 1 else names[1:]
            return (number, names) if all(map(_is_name, named)) else (0, [])
    return 0, []


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and text.casefold() not in _NO_NUMBER


_READERS: dict[str, Callable[[bytes, str | None, Path], NDArray[Any]]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".csv": _read_csv,
}


def _unreadable(file: Path, error: Exception) -> InputError:
    is_csv, reason = file.suffix.lower() == ".csv", _why(error)
    hint = "only the first line may name columns; start others with #" if is_csv else "save it with numpy"
    if is_csv and _EMPTY_CELL.match(reason):
        hint = "a cell is empty: write nan for what was not measured; inputs, labels and targets have no gaps"
    return InputError(
        "the file cannot be read as an array",
        where=file,
        expected="plain numbers, one sample per row" if is_csv else "a plain array of numbers",
        found=reason,
        hint=hint,
    )


def _why(error: Exception) -> str:
    reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
    if "Object arrays" in reason:
        return "an array of Python objects, which only unpickling could read; it was not executed"
    return reason


def _real(values: NDArray[Any], what: str, place: str | None) -> NDArray[np.float64]:
    """The values as float64, in C order. Raises InputError unless they are integers or floats of up to 64 bits."""
    if values.dtype.kind not in "iuf" or values.dtype.itemsize > 8:
        raise InputError(
            f"{what} cannot be used: wrong type of number",
            where=place,
            expected="float64, float32 or integers",
            found=str(values.dtype)[:100],
        )
    return np.asarray(values, dtype=np.float64, order="C")


def _check_axes(found: tuple[int, ...], wanted: tuple[int, ...] | None, what: str, place: str | None) -> None:
    """Raises InputError for axes in another order: laid out in one row, values would be where others belong."""
    longer = [[length for length in axes if length > 1] for axes in (found, wanted or found)]
    if longer[0] != longer[1]:
        raise InputError(
            f"{what} cannot be used: the axes of a sample are not those of the network",
            where=place,
            expected=f"{wanted}, or all values in one row",
            found=f"{found}",
            hint="images have their channels first: numpy.transpose(images, (0, 3, 1, 2)) of those that have them last",
        )


def _check_finite(values: NDArray[np.float64], what: str, place: str | None) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        index = ", ".join(str(i) for i in bad[0])
        raise InputError(
            f"{what} cannot be used: some values are NaN or infinite",
            where=place,
            expected="finite numbers",
            found=f"{len(bad)} of {values.size} are not, the first in sample {bad[0][0]} (index {index})",
        )
