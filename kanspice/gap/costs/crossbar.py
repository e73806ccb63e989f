"""Crossbars: what their drivers deliver into the rows, and what class-AB amplifiers draw from their rails.

Power is voltage times current at the rows, and rail times current for amplifiers.
"""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Crossbar
from kanspice.engine.solution import Solution
from kanspice.gap.costs.cost import Areas, MeasuredCost, of_powers, quiescent_said

AT_REST = "an operating point has no duration: `kanspice settle` measures latency and energy"


def crossbar_cost(crossbar: Crossbar, driven_v: Array, solution: Solution, quiescent_a: float) -> MeasuredCost:
    """driven_v: (samples, rows) at the stage that drives the rows. quiescent_a: from both rails, per amplifier."""
    solved = solution.solved
    row_a, amplifier_a = solution.row_a[crossbar.name][solved], solution.amplifier_a[crossbar.name][solved]
    parts = crossbar_powers_w(crossbar, driven_v[solved], row_a, amplifier_a)
    parts["quiescent"] = np.full(len(row_a), quiescent_w(crossbar, quiescent_a))
    return of_powers(
        crossbar.name,
        parts,
        devices=crossbar.device_count,
        amplifiers=amplifier_count(crossbar),
        areas=areas_of(crossbar),
        assumptions=(*crossbar_assumptions(crossbar, quiescent_a), AT_REST),
    )


def crossbar_powers_w(crossbar: Crossbar, rows_v: Array, row_a: Array, amplifier_a: Array) -> dict[str, Array]:
    """What a crossbar takes but for quiescent currents, part by part, (samples,) watts each.

    rows_v, row_a: (samples, rows) at what drives the rows; amplifier_a: (samples, columns) what output stages take.
    """
    delivered = rows_v * row_a
    drawn = crossbar.rail_v * np.abs(row_a)
    return {
        "rows": delivered.sum(axis=1),
        "drivers": np.maximum(drawn - delivered, 0.0).sum(axis=1),
        "references": np.full(len(row_a), references_power_w(crossbar)),
        "amplifiers": crossbar.rail_v * np.abs(amplifier_a).sum(axis=1),
    }


def references_power_w(crossbar: Crossbar) -> float:
    """What the reference currents take from a rail."""
    return crossbar.rail_v * float(np.abs(crossbar.bias_a).sum())


def amplifier_count(crossbar: Crossbar) -> int:
    """One per row, one per column, one per pair of columns."""
    return crossbar.rows + 3 * crossbar.width


def quiescent_w(crossbar: Crossbar, quiescent_a: float) -> float:
    """What a crossbar's amplifiers take when they give nothing."""
    return 2 * crossbar.rail_v * quiescent_a * amplifier_count(crossbar)


def areas_of(crossbar: Crossbar) -> Areas | None:
    """None for a crossbar without devices."""
    area = np.abs(crossbar.area[crossbar.area != 0])
    return Areas(float(area.sum()), float(area.max()), float(area.min())) if area.size else None


def crossbar_assumptions(crossbar: Crossbar, quiescent_a: float) -> tuple[str, ...]:
    """What a power of crossbars rests on."""
    return (
        "amplifiers, row drivers included, have class-AB output stages and draw the current that they give from rails"
        f" of plus and minus {crossbar.rail_v:g} V (tia.rail_v), and {quiescent_said(quiescent_a)}",
        "reference currents come from a rail",
        "LayerNorm and digital control are not counted",
    )
