"""Crossbars at many positions, and averages over them."""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Average, Tiles
from kanspice.engine.solution import Solution
from kanspice.gap.costs.cost import Areas, MeasuredCost, of_powers
from kanspice.gap.costs.crossbar import (
    amplifier_count,
    areas_of,
    crossbar_assumptions,
    crossbar_powers_w,
    quiescent_w,
)

_ONE_AFTER_THE_OTHER = (
    "a crossbar that positions share takes the mean of what they take, for as long as all of them last;"
    " what holds their voltages is not counted"
)
_UNKNOWN_S = "how long a position takes is not known: convolution.position_s says it"
_AT_LEAST_S = "the latency is that of the convolutions alone (convolution.position_s)"


def tiles_cost(tiles: Tiles, before_v: Array, solution: Solution, quiescent_a: float) -> MeasuredCost:
    """before_v: (samples, outputs) of the stage before. quiescent_a: from both rails, per amplifier."""
    solved, first = solution.solved, tiles.crossbars[0]
    rows_v = tiles.rows_v(before_v[solved])
    samples, positions, rows = rows_v.shape
    row_a = solution.row_a[tiles.name][solved].reshape(samples, positions, rows)
    amplifier_a = solution.amplifier_a[tiles.name][solved].reshape(samples, positions, 2 * first.width)
    parts: dict[str, Array] = {}
    for group in tiles.groups:
        of_group = (values[:, group.positions].reshape(-1, values.shape[2]) for values in (rows_v, row_a, amplifier_a))
        for name, power_w in crossbar_powers_w(group.crossbar, *of_group).items():
            parts[name] = parts.get(name, np.zeros(samples)) + power_w.reshape(samples, len(group.positions)).sum(
                axis=1
            )
    parts = {name: power_w / (positions if tiles.is_reused else 1) for name, power_w in parts.items()}
    parts["quiescent"] = np.full(samples, quiescent_w(first, quiescent_a) * len(tiles.crossbars))
    lasts_s = (positions if tiles.is_reused else 1) * tiles.position_s
    assumptions = (
        *crossbar_assumptions(first, quiescent_a),
        *((_ONE_AFTER_THE_OTHER,) if tiles.is_reused else ()),
        _AT_LEAST_S if lasts_s else _UNKNOWN_S,
    )
    return of_powers(
        tiles.name,
        parts,
        devices=tiles.device_count,
        amplifiers=amplifier_count(first) * len(tiles.crossbars),
        areas=_areas(tiles),
        lasts_s=lasts_s,
        assumptions=assumptions,
    )


def average_cost(average: Average, before_v: Array, solution: Solution) -> MeasuredCost:
    """What its resistors take out of the voltages before it, (samples, outputs)."""
    solved = solution.solved
    across_v = before_v[solved].reshape(-1, *average.ohm.shape) - solution.stage_v[average.name][solved][:, None, :]
    power_w = np.sum(across_v**2 / average.ohm, axis=(1, 2))
    return of_powers(average.name, {"averages": power_w}, devices=average.ohm.size)


def _areas(tiles: Tiles) -> Areas | None:
    """Of all crossbars together."""
    found = [areas for areas in (areas_of(crossbar) for crossbar in tiles.crossbars) if areas is not None]
    if not found:
        return None
    largest, smallest = max(areas.largest for areas in found), min(areas.smallest for areas in found)
    return Areas(sum(areas.total for areas in found), largest, smallest)
