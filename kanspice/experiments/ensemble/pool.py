"""Processes of this machine that measure: draws go out over a pipe to each, results come back as they finish.

A pipe is all that connects us: whichever side ends, the other one sees it at once. Libraries that share work through
locks in common memory leave those, and processes that look after them, behind when they are interrupted.
"""

from __future__ import annotations

import copyreg
import os
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from kanspice.base.errors import KanspiceError, SimulatorError
from kanspice.base.processes.children import Process, end, start
from kanspice.experiments.ensemble.specimens import Done, Setups, Specimen
from kanspice.experiments.ensemble.worker import Answer, WorkerCrash

_AHEAD = 2
"""Draws at every worker, so that none of them ever waits for us."""
_ENDING_S = 2.0
"""A process that has closed its pipe is about to end."""


class _Copying(ForkingPickler):
    """Writes tensors as numbers. torch would have them shared with processes that `multiprocessing` started."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.dispatch_table = copyreg.dispatch_table


@dataclass(eq=False)
class _Worker:
    """A process, and how many draws it has to answer for."""

    process: Process
    pipe: Connection
    owes: int = 0

    def give(self, message: object) -> None:
        """Raises SimulatorError where it is gone."""
        try:
            self.pipe.send_bytes(_Copying.dumps(message))
        except OSError as error:
            raise _gone(self) from error

    def answer(self) -> Done:
        """What it has to say. Raises what it met, or SimulatorError where it is gone."""
        try:
            said: Answer = self.pipe.recv()
        except (EOFError, OSError) as error:
            raise _gone(self) from error
        self.owes -= 1
        match said:
            case WorkerCrash():
                raise RuntimeError(f"in a worker process:\n{said.trace}")
            case KanspiceError() | MemoryError():
                raise said
            case Done():
                return said


def pooled(jobs: int, setups: Setups, specimens: Sequence[Specimen]) -> Generator[Done, None, None]:
    """What is found of all specimens, as they are finished, of so many processes at most.

    Raises SimulatorError where a process ends by itself, and what they raise.
    """
    left = deque(specimens)
    with _workers(min(jobs, len(specimens))) as workers:
        for worker in workers:
            worker.give(setups)
        for _ in range(_AHEAD):
            for worker in workers:
                _give_one(worker, left)
        while busy := {worker.pipe: worker for worker in workers if worker.owes}:
            for pipe in wait(list(busy)):
                worker = next(each for each in busy.values() if each.pipe is pipe)
                result = worker.answer()
                _give_one(worker, left)
                yield result


def _give_one(worker: _Worker, left: deque[Specimen]) -> None:
    if left:
        worker.give(left.popleft())
        worker.owes += 1


@contextmanager
def _workers(number: int) -> Iterator[list[_Worker]]:
    workers: list[_Worker] = []
    try:
        for _ in range(number):
            workers.append(_started())
        yield workers
    finally:
        for worker in workers:
            end(worker.process)
            worker.pipe.close()


def _started() -> _Worker:
    """Raises SimulatorError where it cannot be."""
    ours, theirs = Pipe()
    try:
        program = f"from kanspice.experiments.ensemble.worker import main; main({theirs.fileno()})"
        # -P: what lies in the working folder is not imported.
        process = start([sys.executable, "-P", "-c", program], environment=_environment(), passed=[theirs.fileno()])
    except OSError as error:
        ours.close()
        raise SimulatorError("a worker process cannot be started", found=str(error), hint="fewer --jobs") from error
    finally:
        theirs.close()
    return _Worker(process, ours)


def _environment() -> dict[str, str]:
    """Ours, with everything importable from where we have it."""
    here = str(Path(__file__).resolve().parents[3])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([here, *(path for path in sys.path if path)])}


def _gone(worker: _Worker) -> SimulatorError:
    end(worker.process, _ENDING_S)
    code = worker.process.returncode
    found = f"signal {-code}" if code < 0 else f"exit code {code}"
    return SimulatorError("a worker process ended by itself", found=found, hint="fewer --jobs: memory?")
