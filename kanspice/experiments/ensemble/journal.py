"""A study's folder: its plan, and a journal of everything that is finished, one line at a time.

A line is written before the next piece of work is counted, so whatever ends the process costs only what was not
finished; where the whole machine ends, the lines of a second at most. A last line that was cut short is no record: it
is taken away, and its work is done again. Every line has a checksum of what it says and of the study that it belongs
to: a changed digit, or a line of another study, is no result.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import lock_descriptor

from kanspice.base.errors import InputError, SimulatorError
from kanspice.base.files import is_folder, is_there, parse_json, read_text, write_text

PLAN, JOURNAL = "plan.json", "journal.jsonl"
_MAX_BYTES = 64_000_000
_CHECKSUM = "sha256"
_SYNCED_EVERY_S = 1.0


def begin(folder: Path, experiment: str, plan: Mapping[str, Any]) -> None:
    """Makes the folder of a new study. Raises InputError where there is something already, or is about to be.

    experiment: the command that it is a study of.
    """
    _refuse_used(folder, experiment)
    with _alone_in(folder):
        _refuse_used(folder, experiment)
        write_text(folder / PLAN, json.dumps({"schema": _schema(experiment), **plan}, indent=2) + "\n")


def _schema(experiment: str) -> str:
    return f"kanspice.{experiment}-plan/1"


def _refuse_used(folder: Path, experiment: str) -> None:
    if is_there(folder / PLAN):
        hint = f"kanspice {experiment} --resume {folder} continues it; or choose another folder"
        raise InputError("there is a study in this folder", where=folder, hint=hint)
    if is_there(folder) and (not is_folder(folder) or any(folder.iterdir())):
        raise InputError("is not an empty folder", where=folder, expected="a new name, or an empty folder")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Within it nobody else begins a study in the folder, where the file system has locks."""
    lock = None
    with suppress(OSError, ValueError):  # whoever writes to the folder will say so
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        if lock is not None:
            _lock(lock, folder)
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        locked = lock_descriptor(descriptor, blocking=False)
    except OSError:  # there are no locks
        return
    if not locked:
        raise InputError("another process begins a study in this folder", where=folder)


def read_plan(folder: Path, experiment: str) -> dict[str, Any]:
    """The plan in a study's folder. Raises InputError where there is none, or one of another experiment."""
    path = folder / PLAN
    try:
        text = read_text(path, "a study's plan", _MAX_BYTES)
    except InputError as error:
        raise InputError(
            "there is no study in this folder", where=folder, expected=PLAN, found=error.problem
        ) from error
    plan = parse_json(text, path, "is not a study's plan")
    if not isinstance(plan, dict) or plan.get("schema") != _schema(experiment):
        found = plan.get("schema") if isinstance(plan, dict) else None
        shown = {"found": repr(found)[:100]} if isinstance(found, str) else {}
        raise InputError("is not a study's plan", where=path, expected=_schema(experiment), **shown)
    return plan


class Unkept:
    """Takes the place of a journal where nothing is kept."""

    records: tuple[dict[str, Any], ...] = ()

    @staticmethod
    def append(record: Mapping[str, Any]) -> dict[str, Any]:
        """What a reader of a journal's line gets."""
        found: dict[str, Any] = json.loads(json.dumps(record, allow_nan=False))
        return found


class Journal:
    """The open journal of one study: one process at a time.

    identity: what all of its results depend on, as plain values.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self.folder = folder
        self._study = json.dumps(identity, sort_keys=True).encode()
        self.path = folder / JOURNAL
        self._synced = -math.inf
        try:
            self._file = self.path.open("ab+", buffering=0)
        except OSError as error:
            found, hint = error.strerror or str(error), "make room, or give the folder back its permissions"
            raise InputError("the journal cannot be written", where=self.path, found=found, hint=hint) from error
        try:
            self._lock()
            self.records = self._read()
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        """Until the file is closed, or we die. Raises InputError where somebody else has it, or locks cannot be had."""
        try:
            locked = lock_descriptor(self._file.fileno(), blocking=False)
        except OSError as error:
            problem, hint = "the journal cannot be locked", "choose a folder on another disk"
            raise InputError(problem, where=self.path, found=error.strerror or str(error), hint=hint) from error
        if not locked:
            raise InputError("another process is at work on this study", where=self.folder, hint="wait for it")

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._written() if error is None else suppress(OSError):
                os.fsync(self._file.fileno())
        finally:
            self._file.close()

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            found = error.strerror or str(error)
            raise SimulatorError(
                "a result cannot be written", where=self.path, found=found, hint="make room"
            ) from error

    def append(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """One more line, which outlives this process when this returns; gives what a reader of the line gets.

        It outlives the machine where the line before it is a second old: waiting for a disk takes longer than a draw of
        a small circuit. Raises SimulatorError where it cannot be written.
        """
        signed = {**record, _CHECKSUM: self._checksum(record)}
        line = left = json.dumps(signed, sort_keys=True, allow_nan=False).encode() + b"\n"
        with self._written():
            while left:
                left = left[self._file.write(left) :]
            if time.monotonic() - self._synced > _SYNCED_EVERY_S:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        return self._record(len(self.records) + 1, line)

    def _checksum(self, record: Mapping[str, Any]) -> str:
        """Of a record in this study, in hexadecimal. Numbers are the same however often they are written and read."""
        return hashlib.sha256(self._study + json.dumps(record, sort_keys=True).encode()).hexdigest()

    def _read(self) -> list[dict[str, Any]]:
        """All whole lines; what is after them is cut off."""
        self._file.seek(0)
        content = self._file.read()
        holes = content.find(b"\0")  # what was not on disk when the machine ended; whatever comes after it may be lost
        whole = content.rfind(b"\n", 0, holes if holes >= 0 else None) + 1
        if whole < len(content):
            self._file.truncate(whole)
            os.fsync(self._file.fileno())
        return [self._record(number, line) for number, line in enumerate(content[:whole].splitlines(), 1)]

    def _record(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            record = parse_json(line, self.path)
        except InputError:
            record = None
        if not isinstance(record, dict) or record.pop(_CHECKSUM, None) != self._checksum(record):
            raise InputError(
                f"line {number} is no record of this study: the file was changed or damaged",
                where=self.path,
                hint="begin a new study",
            )
        return record
