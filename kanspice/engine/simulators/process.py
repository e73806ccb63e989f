"""Running a simulator in a folder: isolated, watched, killed on a deadline or when told to stop."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psutil

from kanspice.base.errors import SimulatorError
from kanspice.base.process_memory import peak_bytes
from kanspice.base.processes.children import end, start
from kanspice.base.processes.folders import fresh_folder

_MAX_FILE_BYTES = 2**34
"""No results file of ours comes near; a runaway netlist's must not fill the disk."""
_POLL_S = 0.05
_KEPT_CHARACTERS = 200_000
_LINE_END = re.compile(rb"[\r\n]")
_CHUNK_BYTES = 65_536
_LONGEST_LINE_BYTES = 4_096
"""What is longer is taken as several lines: searching it anew with every chunk would take for ever."""


class Listener:
    """What the lines that a simulator prints mean: to this one, every line is a message like any other."""

    def message(self, line: bytes, held_bytes: Callable[[], int]) -> bytes:
        """What of a line is a message; the rest, which tells of progress, is passed on from here, in another thread.

        held_bytes: asks how much memory the process has held so far at most.
        """
        del held_bytes
        return line

    def casts_doubt(self, message: str) -> bool:
        """Whether a message is kept however much else was said before."""
        del message
        return False


@dataclass(frozen=True)
class Run:
    """How one process ended. `messages` is what it printed, progress left out. The exit code is not to be believed."""

    folder: Path
    returncode: int
    messages: str
    timed_out: bool
    wall_s: float
    peak_bytes: int = 0
    """The most memory that it held, as seen every 50 ms; 0 where the system does not say."""

    @property
    def was_killed(self) -> bool:
        """True when a signal that we did not send ended it."""
        return self.returncode < 0 and not self.timed_out


@contextmanager
def working_folder() -> Iterator[Path]:
    """A fresh folder, gone afterwards. Raises SimulatorError for a full or broken disk, in it and in what is done."""
    try:
        with fresh_folder() as folder:
            yield folder
    except OSError as error:
        hint = "free some space, or set TMPDIR to a folder that has some"
        raise SimulatorError("the working folder cannot be used", found=str(error), hint=hint) from error


def run_program(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    deadline: float | None = None,
    stop: threading.Event | None = None,
    listener: Listener | None = None,
    on_poll: Callable[[int], None] | None = None,
) -> Run:
    """Runs a simulator, or what it needs, in a folder, in an environment of nothing but what is given.

    deadline: value of time.monotonic() after which the process is killed, or not begun. stop: kills it when set.
    on_poll: called some times a second with the most memory that the process has held so far, bytes.
    Raises SimulatorError when the program cannot be started or `stop` was set.
    """
    started = time.monotonic()
    if deadline is not None and started > deadline:
        return Run(folder, 0, "", timed_out=True, wall_s=0.0)
    process = start_program(arguments, folder, environment)
    meter = _Meter(process.pid)
    reader = _Reader(process, meter, listener or Listener())
    try:
        timed_out = _wait(process, meter, deadline, stop, on_poll)
    finally:
        end(process)
        reader.join()
    if stop is not None and stop.is_set():
        raise SimulatorError("the simulation was stopped")
    return Run(folder, process.returncode, reader.text, timed_out, time.monotonic() - started, meter.peak_bytes)


def start_program(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Starts a simulator in a folder, with a limit on the files that it writes.

    Its output and its messages come from one pipe. Raises SimulatorError when it cannot be started.
    """
    try:
        process = start(
            arguments,
            folder=folder,
            environment=environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        name = Path(arguments[0]).name
        raise SimulatorError(f"{name} cannot be started", where=arguments[0], found=str(error)) from error
    if sys.platform == "linux":
        with suppress(psutil.NoSuchProcess):
            psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (_MAX_FILE_BYTES, _MAX_FILE_BYTES))
    return process


def _wait(
    process: subprocess.Popen[bytes],
    meter: _Meter,
    deadline: float | None,
    stop: threading.Event | None,
    on_poll: Callable[[int], None] | None,
) -> bool:
    """Waits for the end; True when the deadline came first."""
    while process.poll() is None:
        held_bytes = meter.read()
        if on_poll is not None:
            on_poll(held_bytes)
        if stop is not None and stop.is_set():
            return False
        if deadline is not None and time.monotonic() > deadline:
            return True
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            continue
    return False


class _Meter:
    """The most memory that a process has held, also when it is no more."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.peak_bytes = 0

    def read(self) -> int:
        """The peak so far, bytes."""
        self.peak_bytes = max(self.peak_bytes, peak_bytes(self._pid))
        return self.peak_bytes


class _Reader(threading.Thread):
    """Drains the process's output, keeps its messages and reports its progress."""

    def __init__(self, process: subprocess.Popen[bytes], meter: _Meter, listener: Listener) -> None:
        super().__init__(daemon=True)
        assert process.stdout is not None  # noqa: S101 - opened as a pipe
        self._stream = cast(io.BufferedReader, process.stdout)
        self._meter = meter
        self._listener = listener
        self._kept: list[str] = []
        self._size = 0
        self.start()

    @property
    def text(self) -> str:
        """What was printed, without progress lines; beyond a generous length only what casts doubt on the results."""
        return "".join(self._kept)

    def run(self) -> None:
        """Progress comes in lines that end with a carriage return, one at a time where points take long."""
        rest = b""
        with self._stream:
            while chunk := self._stream.read1(_CHUNK_BYTES):
                *lines, rest = _LINE_END.split(rest + chunk)
                for line in lines:
                    self._take(line)
                if len(rest) > _LONGEST_LINE_BYTES:
                    self._take(rest)
                    rest = b""
        self._take(rest)

    def _take(self, line: bytes) -> None:
        text = self._listener.message(line, self._meter.read).decode("utf-8", "replace").strip(" \r\n")
        if text and (self._size < _KEPT_CHARACTERS or self._listener.casts_doubt(text)):
            self._kept.append(text + "\n")
            self._size += len(text) + 1
