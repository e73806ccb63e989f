"""Folders to work in, among the temporary files: gone afterwards, and the stale ones of those who could not clear up.

A folder holds a file that its owner has locked for as long as it lives: the system takes the lock from the dead. So a
folder whose lock can be had is nobody's.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from filelock import lock_descriptor

from kanspice.base.processes.interruption import shielded
from kanspice.base.processes.ledger import ledger

_PREFIX = "kanspice-run-"
_NAME = re.compile(_PREFIX + "[0-9a-f]{12}")
_LOCK, _UNLOCKED = ".lock", ".unlocked"


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A fresh folder that only we may read, gone afterwards. Raises OSError where none can be made."""
    above = tempfile.gettempdir()
    _sweep(above)
    folder = Path(above) / f"{_PREFIX}{secrets.token_hex(6)}"
    with shielded():
        ledger.open()
        ledger.made(str(folder))
    lock = None
    try:
        folder.mkdir(mode=0o700)
        lock = _locked(folder)
        yield folder
    finally:
        with shielded():
            shutil.rmtree(folder, ignore_errors=True)
            if lock is not None:
                os.close(lock)
            ledger.removed(str(folder))


def _locked(folder: Path) -> int | None:
    """Its lock, held while the descriptor is open; None where the file system has no locks.

    The file gets its name when it is locked, so that nobody finds it before.
    """
    lock = os.open(folder / _UNLOCKED, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        lock_descriptor(lock, blocking=False)
        (folder / _UNLOCKED).rename(folder / _LOCK)
    except OSError:
        os.close(lock)
        return None
    return lock


@cache
def _sweep(above: str) -> None:
    """Removes what others left behind who could not clear up: folders of our own user, with a lock that nobody has."""
    with suppress(OSError):
        for entry in os.scandir(above):
            if _NAME.fullmatch(entry.name):
                with suppress(OSError):
                    _remove_if_stale(Path(entry.path))


def _remove_if_stale(folder: Path) -> None:
    """Raises OSError where it is in use, no folder of ours, or gone."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != _our_uid():
        return
    lock = os.open(folder / _LOCK, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if lock_descriptor(lock, blocking=False):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _our_uid() -> int:
    """Where a system has no numbers of users, as Windows has none, every file says 0."""
    return os.geteuid() if hasattr(os, "geteuid") else 0
