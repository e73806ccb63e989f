"""One process that measures: told of every setup once, then of one draw after the other, until nobody tells it more.

It is started as `python -c "from kanspice.experiments.ensemble.worker import main; main(DESCRIPTOR)"`.
"""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection

from kanspice.base.errors import KanspiceError
from kanspice.experiments.ensemble.specimens import Done, Setup, Setups, Specimen, measured


@dataclass(frozen=True)
class WorkerCrash:
    """What a worker met that nobody thought of, as Python prints it."""

    trace: str


Answer = Done | KanspiceError | MemoryError | WorkerCrash


def main(descriptor: int) -> None:
    """Answers on the connection with this file descriptor until its other end is closed."""
    os.set_inheritable(descriptor, False)
    with Connection(descriptor) as study:
        try:
            setups: Setups = study.recv()
            while True:
                specimen: Specimen = study.recv()
                study.send(_answer(setups[specimen.point], specimen))
        except (EOFError, ConnectionError):
            return


def _answer(setup: Setup, specimen: Specimen) -> Answer:
    try:
        return measured(setup, specimen)
    except (KanspiceError, MemoryError) as error:
        return error
    except Exception:
        return WorkerCrash(traceback.format_exc())
