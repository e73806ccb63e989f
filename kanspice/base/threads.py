"""Linear algebra in one thread: with another number of them sums round differently, and small ones take longer."""

from __future__ import annotations

from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


def one_thread() -> Any:
    """A context in which linear algebra runs in one thread."""
    return _threads().limit(limits=1)


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()
