"""Whether what a simulator found obeys Kirchhoff's current law: asked of the design, in NumPy, whatever solved it.

A linear solver can be wrong and say nothing: Newton's method, which compares one iterate with the next, then stops at
voltages that belong to no circuit. What rows lose, columns' amplifiers must gain, whatever wires and devices lie
between them. Where there are no wires, every column is asked by itself, with its devices' currents from their curves.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Crossbar, Design
from kanspice.engine.acceptance import Volts
from kanspice.engine.solution import FailedSample, Outcome

_TIMES_TOLERANCE = 1e3
"""What is left over may be so many times what Newton's method was told to leave: it leaves less than once that much."""


def unbalanced(
    design: Design,
    inputs_v: Array,
    volts: Volts,
    *,
    reltol: float,
    devices_see_columns: bool,
    least_a: float = 0.0,
) -> dict[int, FailedSample]:
    """Place -> failure, for samples in which the currents of a crossbar do not add up.

    inputs_v: (samples, inputs), volts. reltol: what part of a voltage or current the simulator was told to leave.
    devices_see_columns: False where devices are computed as if columns were at 0 V. least_a: what the currents at every
    node of a crossbar may be off by in any case.
    """
    failures: dict[int, FailedSample] = {}
    rows_v, part = inputs_v[:, : design.input_width], _TIMES_TOLERANCE * reltol
    for stage in design.stages:
        if isinstance(stage, Crossbar):
            for failure in _unbalanced(
                design, stage, rows_v, volts, part=part, sees_columns=devices_see_columns, least_a=least_a
            ):
                failures.setdefault(failure.index, failure)
        rows_v = volts.stage_v[stage.name]
    return failures


def _unbalanced(
    design: Design,
    crossbar: Crossbar,
    rows_v: Array,
    volts: Volts,
    *,
    part: float,
    sees_columns: bool,
    least_a: float,
) -> Iterator[FailedSample]:
    """part: of all currents together, and of the unit of current, which may be left over."""
    columns_v, taken_a = volts.column_v[crossbar.name], volts.amplifier_a[crossbar.name]
    rows_a = volts.row_a[crossbar.name]
    all_a = np.maximum(np.abs(rows_a).sum(axis=1), np.abs(taken_a).sum(axis=1))
    allowed_a = part * (crossbar.current_unit_a + all_a)
    allowed_a += least_a * crossbar.rows * len(crossbar.feedback_ohm)
    left_a = np.abs(rows_a.sum(axis=1) + design.sourced_a(crossbar).sum() - taken_a.sum(axis=1))
    for place in np.flatnonzero(left_a > allowed_a).tolist():
        yield _failure(place, f"{crossbar.name}: rows and columns", float(left_a[place]))
    if crossbar.has_wires:
        return
    for place in range(len(rows_v)):
        seen_v = columns_v[place] if sees_columns else np.zeros_like(columns_v[place])
        wrong_a = np.abs(_into_columns_a(design, crossbar, rows_v[place], seen_v) - taken_a[place])
        worst = int(np.argmax(wrong_a))
        if wrong_a[worst] > allowed_a[place]:
            yield _failure(place, f"{crossbar.name}: column {worst}", float(wrong_a[worst]))


def _failure(place: int, where: str, left_a: float) -> FailedSample:
    return FailedSample(place, Outcome.UNBALANCED, f"{where}: {left_a:.3g} A are left over")


def _into_columns_a(design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array) -> Array:
    """Currents (2 * pairs,) into columns at these voltages (2 * pairs,), from rows at theirs (rows,)."""
    across_v = rows_v[:, None] - columns_v
    found_a = design.sourced_a(crossbar).copy()
    for kind in crossbar.types.tolist():
        shifts_v = np.repeat(crossbar.shift_v[:, :, kind], 2, axis=1)
        units = (across_v - shifts_v) / design.input_v_per_unit
        area = crossbar.column_area[:, :, kind] * crossbar.current_unit_a
        found_a += (area * design.devices[kind].curve.numpy(units)[0]).sum(axis=0)
    return found_a
