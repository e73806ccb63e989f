"""Running ngspice on a deck in a folder, and what its lines say meanwhile."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import final

from kanspice.engine.ngspice.diagnose import suspicion
from kanspice.engine.ngspice.program import NgspiceProgram, clean_environment
from kanspice.engine.simulators.process import Listener, Run, run_program, start_program

RAW_FILE = "out.raw"
_POINT = re.compile(rb"Reference value :\s*([-+.\deE]+)")

OnPoint = Callable[[float, int], None]
"""Takes the swept value, or the time, that was reached, and the most memory that the process has held so far, bytes."""


def run_deck(
    program: NgspiceProgram,
    folder: Path,
    deck: str,
    *,
    raw: Path | None = None,
    deadline: float | None = None,
    stop: threading.Event | None = None,
    on_point: OnPoint | None = None,
    options: Sequence[str] = (),
) -> Run:
    """Run `deck` in batch mode in `folder`; its results are in `raw`, `folder/out.raw` if not given.

    deadline: value of time.monotonic() after which the process is killed, or not begun. stop: kills it when set.
    on_point: called now and then as points are finished, in another thread. options: further ones of ngspice.
    Raises SimulatorError when the program cannot be started or `stop` was set.
    """
    arguments = _arguments(program, ["-b", *options, "-r", str(raw or folder / RAW_FILE), deck])
    listener = _Points(on_point)
    return run_program(arguments, folder, clean_environment(), deadline=deadline, stop=stop, listener=listener)


def start_process(
    program: NgspiceProgram, folder: Path, arguments: list[str], stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Starts ngspice in a folder, in a clean environment. As `start_program`."""
    return start_program(_arguments(program, arguments), folder, clean_environment(), stdin)


def _arguments(program: NgspiceProgram, arguments: Sequence[str]) -> list[str]:
    return [str(program.path), "-n", *arguments]


@final
class _Points(Listener):
    """Finished points are told of; what is left of their lines is a message."""

    def __init__(self, on_point: OnPoint | None) -> None:
        self._on_point = on_point

    def message(self, line: bytes, held_bytes: Callable[[], int]) -> bytes:
        points = _POINT.findall(line)
        if points and self._on_point is not None:
            self._on_point(float(points[-1]), held_bytes())
        return _POINT.sub(b"", line)

    def casts_doubt(self, message: str) -> bool:
        return suspicion(message) is not None
