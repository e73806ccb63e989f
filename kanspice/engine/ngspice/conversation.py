"""An ngspice process that stays up and is told what to do: commands in, messages out, watched and ended like a run."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from pathlib import Path
from typing import IO, cast

from kanspice.base.processes.children import end
from kanspice.engine.ngspice.process import start_process
from kanspice.engine.ngspice.program import NgspiceProgram

_SAID = "kanspice_has_said"
"""What the process repeats after each of our commands: all their messages come before it."""
_CHUNK_BYTES = 65_536
_AGAIN_S = 0.001
"""After which a full pipe is tried again."""


class Conversation:
    """One process in a folder, and what it has printed.

    Of ngspice's two ways to be kept, this one: it can crash or hang without taking us with it, and be ended. The shared
    library, in our own process, would save a quarter of an operating point's time.
    """

    def __init__(self, program: NgspiceProgram, folder: Path) -> None:
        """Raises SimulatorError when it cannot be started."""
        self._process = start_process(program, folder, ["-p"], stdin=subprocess.PIPE)
        self._input, self._output = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        os.set_blocking(self._input.fileno(), False)
        self._pipes = selectors.DefaultSelector()
        self._pipes.register(self._output, selectors.EVENT_READ)
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
        left = "\n".join([*commands, f"echo {_SAID}", ""]).encode("ascii")
        end = f"{_SAID}\n".encode()
        while end not in self._rest and not self.timed_out:
            if time.monotonic() > deadline:
                self.timed_out = True
                self.close()
                break
            left = self._tell(left)
            part = self._heard(deadline, telling=bool(left))
            if part == b"":
                self._process.wait()
                break
            self._rest += part or b""
        said, _, self._rest = self._rest.partition(end)
        return said.decode("utf-8", "replace")

    def _tell(self, text: bytes) -> bytes:
        """Says as much of it as fits into the pipe, and gives what does not: what it prints meanwhile must be heard."""
        if not text:
            return text
        try:
            return text[os.write(self._input.fileno(), text) :]
        except BlockingIOError:
            return text
        except BrokenPipeError:
            return b""

    def _heard(self, deadline: float, *, telling: bool) -> bytes | None:
        """What it has printed since; nothing at all once it has ended, None if it was silent."""
        wait_s = max(deadline - time.monotonic(), 0.0)
        if not self._pipes.select(min(wait_s, _AGAIN_S) if telling else wait_s):
            return None
        return os.read(self._output.fileno(), _CHUNK_BYTES)

    def close(self) -> None:
        """Ends the process."""
        end(self._process)
        self._pipes.close()
        for stream in (self._input, self._output):
            stream.close()
