"""Linear algebra in one thread: with another number of them sums round differently, and small ones take longer."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

_WORTH_THREADS = 100_000
"""Above it threads share the work of a step: measured with 460,136 branches, and against with 39,533 devices."""


def one_thread() -> Any:
    """A context in which linear algebra runs in one thread."""
    return _threads().limit(limits=1)


def fitting_threads(size: int) -> Any:
    """A context in which linear algebra runs in one thread, unless so many devices or parameters are worth more.

    Threads that wait for each other at every small step cost a 2-D KirchhoffNet four times the processor time.
    """
    return one_thread() if size <= _WORTH_THREADS else nullcontext()


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()
