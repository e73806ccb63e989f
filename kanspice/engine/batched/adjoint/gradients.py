"""What comes back from a crossbar: how a loss changes with all that its amplifiers' voltages depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Flags


@dataclass(frozen=True)
class CrossbarGradients:
    """Derivatives of a loss, summed over samples but for the rows.

    rows_v: (samples, rows) per volt. column_area, shift_v: (rows, 2 * pairs, device types), per unit of area and per
    volt. series, stretch: (device types,) by what bends their curves (`bends`).
    What was not looked for is None. bias_a, feedback_ohm, offset_v: (2 * pairs,) per amp, ohm and volt.
    unit_v: per volt of the unit in which curves have their voltages. without: (samples,) True where there is no
    gradient, and none is counted: a column is about to jump, or no linear system was solved.
    """

    rows_v: Array
    column_area: Array
    bias_a: Array
    feedback_ohm: Array
    offset_v: Array
    without: Flags
    unit_v: float
    current_unit_a: float
    open_loop_gain: float = 0.0
    output_ohm: float = 0.0
    swing_v: float = 0.0
    driver_ohm: float = 0.0
    row_ohm: float = 0.0
    column_ohm: float = 0.0
    shift_v: Array | None = None
    series: Array | None = None
    stretch: Array | None = None

    @classmethod
    def joined(cls, parts: Sequence[CrossbarGradients]) -> CrossbarGradients:
        """Of samples that were looked at some at a time."""
        arrays = ("column_area", "bias_a", "feedback_ohm", "offset_v", "shift_v", "series", "stretch")
        summed = [name for name in arrays if getattr(parts[0], name) is not None]
        numbers = [*("unit_v", "current_unit_a", "open_loop_gain", "output_ohm", "swing_v")]
        numbers += [*("driver_ohm", "row_ohm", "column_ohm")]
        return cls(
            rows_v=np.concatenate([part.rows_v for part in parts]),
            without=np.concatenate([part.without for part in parts]),
            **{name: np.sum([getattr(part, name) for part in parts], axis=0) for name in summed},
            **{name: float(sum(getattr(part, name) for part in parts)) for name in numbers},  # type: ignore[arg-type]
        )
