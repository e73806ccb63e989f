"""Functions of arrays that are compiled when they are first called: for loops in which every number depends on the
one before it, and for arithmetic that would go through memory many times if it were written with whole arrays.

Compiled code is kept beside this package, or in the user's cache, so that it takes its seconds once. Nothing in it may
change the order of a sum: the same numbers come out on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


class _KeptCode:
    """Code kept in files that nothing depends on: what cannot be read is compiled, what has no room is not kept.

    numba's own, which this stands before, raises when the disk is full, and for ever after where a file was left empty.
    """

    def __init__(self, kept: Any) -> None:
        self.kept = kept

    def load_overload(self, types: object, target: object) -> object:
        """The code for some types; None where there is none that can be read."""
        try:
            return self.kept.load_overload(types, target)
        except Exception:  # a damaged file raises nearly anything
            with suppress(OSError):
                self.kept.flush()
            return None

    def save_overload(self, types: object, code: object) -> None:
        """Keeps code, if that is possible."""
        with suppress(Exception):
            self.kept.save_overload(types, code)


def compiled(function: Function) -> Function:
    """The function in machine code; its arrays are NumPy's, C-contiguous and writeable. It lets other threads run.

    Others are compiled again for what they are. Kept code is of the function's own file as it is: whoever changes a
    compiled function that others call from another file empties the cache (`__pycache__/*.nb?`).
    """
    try:
        dispatcher = numba.njit(function, cache=True, nogil=True, error_model="numpy")
        dispatcher._cache = _KeptCode(dispatcher._cache)
    except (RuntimeError, AttributeError):  # no folder may be written to; or numba does not compile at all
        dispatcher = numba.njit(function, nogil=True, error_model="numpy")
    return cast(Function, dispatcher)
