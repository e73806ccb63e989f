"""An ngspice process that stays up and is told what to do: commands in, messages out, watched and ended like a run."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from kanspice.ngspice.process import kill, start_process
from kanspice.ngspice.program import NgspiceProgram

_SAID = "kanspice_has_said"
"""What the process repeats after each of our commands: all their messages come before it."""
_CHUNK_BYTES = 65_536


class Conversation:
    """One process in a folder, and what it has printed.

    Of ngspice's two ways to be kept, this one: it can crash or hang without taking us with it, and be ended. The shared
    library, in our own process, takes as long for an operating point.
    """

    def __init__(self, program: NgspiceProgram, folder: Path) -> None:
        """Raises SimulatorError when it cannot be started."""
        self._process = start_process(program, folder, ["-p"], stdin=subprocess.PIPE)
        self._output = selectors.DefaultSelector()
        if self._process.stdout is not None:
            self._output.register(self._process.stdout, selectors.EVENT_READ)
        self._rest = b""
        self.timed_out = False

    @property
    def has_ended(self) -> bool:
        """Whether there is nobody left to talk to."""
        return self._process.poll() is not None

    def ask(self, commands: list[str], timeout_s: float) -> str:
        """What it printed while it did what it was told.

        Afterwards `has_ended` says whether it crashed meanwhile, `timed_out` whether it was ended for taking longer.
        """
        deadline = time.monotonic() + timeout_s
        text = "\n".join([*commands, f"echo {_SAID}", ""]).encode("ascii")
        with suppress(BrokenPipeError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.write(text)
                self._process.stdin.flush()
        end = f"{_SAID}\n".encode()
        while end not in self._rest:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                self.timed_out = True
                self.close()
            part = b"" if self.timed_out else self._read(left_s)
            if part == b"":
                break
            self._rest += part or b""
        said, _, self._rest = self._rest.partition(end)
        return said.decode("utf-8", "replace")

    def _read(self, timeout_s: float) -> bytes | None:
        """What it has printed since; nothing at all once it has ended, None if it is silent for so long."""
        if not self._output.select(timeout_s) or self._process.stdout is None:
            return None
        part = os.read(self._process.stdout.fileno(), _CHUNK_BYTES)
        if part == b"":
            self._process.wait()
        return part

    def close(self) -> None:
        """Ends the process."""
        kill(self._process)
        self._output.close()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
