"""Finding libngspice, and opening it through PySpice for in-process work and co-simulation."""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from kanspice.errors import SimulatorError
from kanspice.processes.folders import fresh_folder

LIBRARY_VARIABLE = "NGSPICE_LIBRARY_PATH"
INSTALL_HINT = (
    "install it with `apt-get install libngspice0` or `brew install libngspice`, "
    f"or name the file in the environment variable {LIBRARY_VARIABLE}"
)

_NAMES = ("libngspice.so.0", "libngspice.so", "libngspice.0.dylib", "libngspice.dylib")
_FOLDERS = ("/usr/local/lib", "/opt/homebrew/lib", "/usr/lib64", "/usr/lib", "/lib")


def find_library() -> Path | None:
    """The file of libngspice, or a bare name that the system's loader resolves; None when there is none.

    `NGSPICE_LIBRARY_PATH`, when set, is the only place looked at: PySpice reads the same variable.
    """
    named = os.environ.get(LIBRARY_VARIABLE)
    if named:
        return Path(named).absolute() if Path(named).is_file() else None
    for folder in _folders():
        for name in _NAMES:
            if (folder / name).is_file():
                return folder / name
    known_to_loader = ctypes.util.find_library("ngspice")
    return None if known_to_loader is None else Path(known_to_loader)


def open_shared() -> Any:
    """PySpice's `NgSpiceShared` bound to the library that `find_library` names; one for each process and library.

    The library keeps global state, so a second call returns the first call's object.
    Raises SimulatorError when the library is missing or cannot be loaded.
    """
    library = find_library()
    if library is None:
        named = os.environ.get(LIBRARY_VARIABLE)
        raise SimulatorError(
            "ngspice's shared library is not installed",
            expected="libngspice.so.0 where the loader looks",
            found=f"{LIBRARY_VARIABLE}={named}, which is no file" if named else None,
            hint=INSTALL_HINT,
        )
    return _open(library)


@lru_cache(maxsize=4)
def _open(library: Path) -> Any:
    from cffi import CDefError  # type: ignore[import-untyped] # noqa: PLC0415 - slow to import, as is the next
    from PySpice.Spice.NgSpice.Shared import NgSpiceShared  # noqa: PLC0415

    # PySpice fills the instance number into the path with str.format, so braces in the path are doubled.
    path_text = str(library)
    template = path_text.replace("{", "{{").replace("}", "}}")
    bound = type("BoundNgSpiceShared", (NgSpiceShared,), {"LIBRARY_PATH": template})
    try:
        ctypes.CDLL(path_text)  # PySpice can declare the interface only once: fail before it does
        with _without_start_up_file(), _without_version_warning(NgSpiceShared):
            return bound(send_data=False)
    except (OSError, NameError) as error:
        raise SimulatorError(
            "ngspice's shared library cannot be opened", where=library, found=str(error), hint=INSTALL_HINT
        ) from error
    except CDefError as error:
        raise SimulatorError(
            "this process has opened another copy of ngspice's shared library already",
            where=library,
            hint="open the second copy in a process of its own",
        ) from error


@contextmanager
def _without_start_up_file() -> Iterator[None]:
    """Keep the library from reading a `.spiceinit`, which can run any command, in the working or the home folder.

    Version 39 exports no call that says so: show the library an empty folder in both places while it starts.
    """
    kept = {name: os.environ.get(name) for name in ("HOME", "USERPROFILE")}
    with fresh_folder() as empty, chdir(empty):
        os.environ.update(dict.fromkeys(kept, str(empty)))
        try:
            yield
        finally:
            for name, value in kept.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


@contextmanager
def _without_version_warning(shared: Any) -> Iterator[None]:
    """Drop the one log record in which PySpice 1.5 calls every ngspice after 34 unsupported."""

    def is_news(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("Unsupported Ngspice version")

    logger = shared._logger
    logger.addFilter(is_news)
    try:
        yield
    finally:
        logger.removeFilter(is_news)


def _folders() -> Iterator[Path]:
    """Where to look for the file, the loader's own extra folders first."""
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        yield from (Path(part) for part in os.environ.get(name, "").split(os.pathsep) if part)
    multiarch = getattr(sys.implementation, "_multiarch", "")
    if multiarch:
        yield Path("/usr/lib") / multiarch
    yield from map(Path, _FOLDERS)
