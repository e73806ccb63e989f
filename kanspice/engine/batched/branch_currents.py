"""Currents of a period's branches into its nodes, compiled: sample by sample, all branches of one in the cache."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.base.compiled import compiled
from kanspice.circuit.branches import BranchArrays, Shape
from kanspice.engine.batched.parallel_branches import starts_of

SHAPES: tuple[Shape, ...] = ("linear", "rectified", "tanh")
RECTIFIED, TANH = 1, 2

_SATURATED = 40.0
"""tanh(20) is 1 in double precision."""
_PER_LN2 = 1.4426950408889634
_LN2, _LN2_REST = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""ln 2 in two parts, of which whole multiples of the first are exact (Cody and Waite, 1980)."""
_ROUNDER = 6755399441055744.0
"""1.5 * 2^52: what is added to it is rounded to a whole number, which then stands in its lowest bits."""
_ONE_BITS = 1023 << 52


class Wiring(NamedTuple):
    """Branches (branches,) as `BranchArrays` has them, sorted by the nodes at their ends.

    first, second: (pairs,) of nodes. starts: (pairs + 1,), the first branch of every pair, and the number of branches.
    level: (branches,), or empty where nothing saturates. shape: its place in `SHAPES`.
    """

    first: Indices
    second: Indices
    alpha: Array
    beta: Array
    gamma: Array
    weight: Array
    ratio: Array
    level: Array
    starts: Indices
    shape: int
    differences: bool


def wiring_of(branches: BranchArrays) -> Wiring:
    """Of branches sorted so that those between the same two nodes follow each other.

    Raises ValueError for a shape that is not one of these.
    """
    starts = starts_of(branches)
    return Wiring(
        first=branches.first[starts],
        second=branches.second[starts],
        alpha=np.array(branches.alpha, dtype=np.float64),
        beta=np.array(branches.beta, dtype=np.float64),
        gamma=np.array(branches.gamma, dtype=np.float64),
        weight=np.array(branches.weight, dtype=np.float64),
        ratio=np.array(branches.ratio, dtype=np.float64),
        level=np.array(branches.level) if np.isfinite(branches.level).any() else np.empty(0),
        starts=np.append(starts, len(branches.weight)),
        shape=SHAPES.index(branches.shape),
        differences=branches.differences,
    )


@compiled
def add_into_nodes(volts: Array, wiring: Wiring, into: Array) -> None:
    """Adds to what flows into nodes 0 and on, (samples, nodes + 1), for voltages there, (samples, nodes + 1)."""
    first, second, alpha, beta, gamma, weight, ratio, level, starts, shape, differences = wiring
    drive, other, whole = np.empty(len(alpha)), np.empty(len(alpha)), np.empty(len(alpha))
    for sample in range(len(volts)):
        for pair in range(len(first)):
            first_v, second_v = volts[sample, first[pair]], volts[sample, second[pair]]
            if len(level) == 0:
                for branch in range(starts[pair], starts[pair + 1]):
                    drive[branch] = alpha[branch] * first_v + beta[branch] * second_v + gamma[branch]
            else:
                for branch in range(starts[pair], starts[pair + 1]):
                    drive[branch], other[branch] = alpha[branch] * first_v, beta[branch] * second_v
        if len(level):
            _limit(drive, other, level, whole, differences)
            for branch in range(len(drive)):
                drive[branch] += gamma[branch]
        if shape == TANH:
            tanh_of_half(drive, whole)
        elif shape == RECTIFIED:
            _rectify(drive, ratio)
        for pair in range(len(first)):
            current = _sum(drive, weight, starts[pair], starts[pair + 1])
            into[sample, first[pair]] -= current
            into[sample, second[pair]] += current


@compiled
def _rectify(values: Array, ratio: Array) -> None:
    for place in range(len(values)):
        below = ratio[place] * values[place]
        values[place] = below if below > values[place] else values[place]  # no number stays none


@compiled
def _sum(values: Array, weight: Array, start: int, end: int) -> float:
    """Four sums side by side, that do not wait for each other."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    fours = start + (end - start) // 4 * 4
    for place in range(start, fours, 4):
        a, b = a + weight[place] * values[place], b + weight[place + 1] * values[place + 1]
        c, d = c + weight[place + 2] * values[place + 2], d + weight[place + 3] * values[place + 3]
    for place in range(fours, end):
        a += weight[place] * values[place]
    return (a + b) + (c + d)


@compiled
def _limit(values: Array, others: Array, level: Array, whole: Array, is_sum: bool) -> None:
    """Adds up in place what passes level * tanh(x / level), each by itself or their sum; infinite levels pass all."""
    for place in range(len(values)):
        values[place] = values[place] + others[place] if is_sum else values[place]
        others[place] = 0.0 if is_sum else others[place]
    _pass_level(values, level, whole)
    _pass_level(others, level, whole)
    for place in range(len(values)):
        values[place] += others[place]


@compiled
def _pass_level(values: Array, level: Array, whole: Array) -> None:
    passed = np.empty(len(values))
    for place in range(len(values)):
        passed[place] = 2 * values[place] / level[place]
    tanh_of_half(passed, whole)
    for place in range(len(values)):
        values[place] = values[place] if np.isinf(level[place]) else level[place] * passed[place]


@compiled
def tanh_of_half(values: Array, whole: Array) -> None:
    """tanh(values / 2) = 1 - 2 / (1 + exp(values)), in place, to the rounding of 1.

    exp(x) = 2^k exp(r), k whole and |r| at most ln(2) / 2, where Pade's approximant of degrees 6 and 6 is exact to
    rounding. A loop that calls a library's exponential, one number at a time, takes three times as long.
    """
    for place in range(len(values)):
        x = values[place]
        x = _SATURATED if x > _SATURATED else x  # what is no number stays none
        x = -_SATURATED if x < -_SATURATED else x
        shifted = x * _PER_LN2 + _ROUNDER
        k = shifted - _ROUNDER
        values[place] = (x - k * _LN2) - k * _LN2_REST
        whole[place] = shifted
    bits = whole.view(np.int64)
    for place in range(len(values)):
        bits[place] = (bits[place] << 52) + _ONE_BITS
    for place in range(len(values)):
        r = values[place]
        square = r * r
        even = ((square * (1 / 665280) + 1 / 792) * square + 5 / 44) * square + 1
        odd = ((square * (1 / 15840) + 1 / 66) * square + 0.5) * r
        below = even - odd
        values[place] = 1 - 2 * below / (below + whole[place] * (even + odd))
