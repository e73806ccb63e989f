"""Functions of arrays that are compiled when they are first called: for loops in which every number depends on the
one before it, and for arithmetic that would go through memory many times if it were written with whole arrays.

Compiled code is kept beside this package, or in the user's cache, so that it takes its seconds once. Nothing in it may
change the order of a sum: the same numbers come out on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function in machine code; its arrays are NumPy's, C-contiguous and writeable. It lets other threads run."""
    try:
        return cast(Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))
    except RuntimeError:  # no folder may be written to
        return cast(Function, numba.njit(function, nogil=True, error_model="numpy"))
