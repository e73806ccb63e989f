"""`kanspice` as a process of its own, for tests that kill or interrupt one.

It is forked from a process that has imported everything and does nothing else, so that it begins at once: such tests
are about what a command does, not about how Python starts.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from kanspice.cli import main

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["kanspice.cli.run", "kanspice.experiments.many", "matplotlib.backends.backend_agg"])


@dataclass(frozen=True)
class Forked:
    """A command. Files take what it prints: those that it leaves behind would keep a pipe open."""

    process: BaseProcess
    printed: Path
    complained: Path

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def code(self) -> int | None:
        """None while it runs, and minus the number of the signal that ended it."""
        return self.process.exitcode

    @property
    def out(self) -> str:
        """What it printed."""
        return self.printed.read_text()

    @property
    def err(self) -> str:
        """What it complained of."""
        return self.complained.read_text()

    def send(self, number: int) -> None:
        """A signal."""
        os.kill(self.pid, number)

    def ended(self) -> Forked:
        """Waits for its end."""
        self.process.join(120)
        assert self.code is not None, "it does not end"
        return self


def begin(kept: Path, *arguments: object, **environment: str) -> Forked:
    """Starts `kanspice` with these arguments, here, and with more in its environment. kept: where what it prints is."""
    printed, complained = (kept / f"{len(list(kept.iterdir()))}.{name}" for name in ("out", "err"))
    given = list(map(str, arguments)), str(Path.cwd()), os.environ | environment, printed, complained
    process = _SERVER.Process(target=_command_line, args=given)
    process.start()
    return Forked(process, printed, complained)


def _command_line(words: list[str], here: str, environment: dict[str, str], printed: Path, complained: Path) -> None:
    for path, descriptor in ((printed, 1), (complained, 2)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), descriptor)
    os.chdir(here)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    sys.argv = ["kanspice", *words]
    main()
