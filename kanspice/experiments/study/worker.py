"""One process that measures: told of every bench once, then of one draw after the other, until nobody tells it more.

It is started as `python -c "from kanspice.experiments.study.worker import main; main(DESCRIPTOR)"`.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection

from kanspice.base.errors import KanspiceError
from kanspice.experiments.study.specimens import Bench, DrawResult, measure


@dataclass(frozen=True)
class Broken:
    """What a worker met that nobody thought of, as Python prints it."""

    trace: str


Answer = DrawResult | KanspiceError | MemoryError | Broken


def main(descriptor: int) -> None:
    """Answers on the connection with this file descriptor until its other end is closed."""
    os.set_inheritable(descriptor, False)
    with Connection(descriptor) as study:
        try:
            benches: Mapping[int, Bench] = study.recv()
            while True:
                point, trial, seed = study.recv()
                study.send(_answer(benches[point], trial, seed))
        except (EOFError, ConnectionError):
            return


def _answer(bench: Bench, trial: int, seed: int) -> Answer:
    try:
        return measure(bench, trial, seed)
    except (KanspiceError, MemoryError) as error:
        return error
    except Exception:
        return Broken(traceback.format_exc())
