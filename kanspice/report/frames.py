"""Columns of figures as a data frame of the library that the reader has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from kanspice.base.errors import InputError

LIBRARIES = ("pandas", "polars")
"""The first that is installed is taken."""

Columns = Mapping[str, Sequence[object] | npt.NDArray[Any]]


def frame(columns: Columns, library: str | None = None) -> Any:
    """A `DataFrame` of equally long columns, of pandas or polars; of the first that is installed if None.

    Raises InputError where there is none.
    """
    names = LIBRARIES if library is None else (library,)
    installed = next((name for name in names if name in LIBRARIES and find_spec(name) is not None), None)
    if installed is None:
        found = "neither" if library is None else f"{library}, which is not installed"
        hint = "pip install pandas"
        raise InputError(
            "no library of data frames", where="to_frame", expected="pandas or polars", found=found, hint=hint
        )
    return import_module(installed).DataFrame({name: np.asarray(values) for name, values in columns.items()})


def numbered(name: str, table: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """The columns of a table (rows, columns) by name and number, from 0."""
    return {f"{name}{column}": table[:, column] for column in range(table.shape[1])}
