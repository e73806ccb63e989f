"""In what two specimens of a stage differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Stage


def differences(first: Stage, second: Stage) -> Iterator[tuple[str, Array]]:
    """Fields of numbers that differ, and by how much the second has more: of stages of one kind and shape."""
    for each in fields(second):
        one, other = getattr(first, each.name), getattr(second, each.name)
        if isinstance(other, np.ndarray | float) and not np.array_equal(one, other):
            yield each.name, np.asarray(other) - np.asarray(one)
