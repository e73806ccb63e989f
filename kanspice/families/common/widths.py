"""What every network of layers checks of its widths."""

from __future__ import annotations

from collections.abc import Sequence

from kanspice.base.errors import InputError


def check_widths(widths: Sequence[int]) -> tuple[int, ...]:
    """The widths: inputs, hidden widths..., outputs. Raises InputError unless they are whole numbers from 1."""
    if len(widths) < 2 or any(not isinstance(width, int) or width < 1 for width in widths):
        raise InputError(
            "the layer widths cannot be used",
            expected="at least two whole numbers from 1: inputs, hidden widths, outputs",
            found=str(list(widths)),
        )
    return tuple(widths)
