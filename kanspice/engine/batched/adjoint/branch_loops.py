"""How currents of a period's branches change, compiled: sample by sample, all branches of one in the cache."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.base.compiled import compiled
from kanspice.engine.batched.branch_currents import RECTIFIED, TANH, Wiring, tanh_of_half


class BranchSums(NamedTuple):
    """Derivatives (branches,) by what `Wiring` has of each branch, added up."""

    alpha: Array
    beta: Array
    gamma: Array
    weight: Array
    ratio: Array
    level: Array


class _Drives(NamedTuple):
    """Of one sample, (branches,) each: what branches carry of their weight, and its slope by the drive.

    passed: what each of the drive's two terms passes of a change; changed: what both change by with the level.
    """

    shaped: Array
    slope: Array
    passed: Array
    other_passed: Array
    changed: Array


@compiled
def add_pulled_back(  # noqa: PLR0917 - arrays alone
    volts: Array, weights: Array, wiring: Wiring, into: Array, by_volts: Array, sums: BranchSums, wants_sums: bool
) -> None:
    """Adds, for voltages at nodes 0 and on, (samples, nodes + 1): to `into` what flows into them, and, with weights of
    that, to by_volts how the weighted sum changes with each voltage; to sums, if wanted, with each branch's numbers.
    """
    if wiring.shape != TANH and len(wiring.level) == 0:
        _add_of_lines(volts, weights, wiring, into, by_volts, sums, wants_sums)
        return
    count = len(wiring.alpha)
    drives = _Drives(np.empty(count), np.empty(count), np.ones(count), np.ones(count), np.zeros(count))
    turned, rooms = np.empty(count), np.empty((2, count))
    for sample in range(len(volts)):
        _drive(volts[sample], wiring, drives, turned, rooms)
        for pair in range(len(wiring.first)):
            first, second = wiring.first[pair], wiring.second[pair]
            counted = weights[sample, second] - weights[sample, first]
            current, by_first, by_second = 0.0, 0.0, 0.0
            for branch in range(wiring.starts[pair], wiring.starts[pair + 1]):
                by_drive = wiring.weight[branch] * drives.slope[branch]
                current += wiring.weight[branch] * drives.shaped[branch]
                by_first += by_drive * drives.passed[branch] * wiring.alpha[branch]
                by_second += by_drive * drives.other_passed[branch] * wiring.beta[branch]
            into[sample, first] -= current
            into[sample, second] += current
            by_volts[sample, first] += counted * by_first
            by_volts[sample, second] += counted * by_second
        if wants_sums:
            _count(volts[sample], weights[sample], wiring, drives, turned, sums)


@compiled
def _add_of_lines(  # noqa: PLR0917 - arrays alone
    volts: Array, weights: Array, wiring: Wiring, into: Array, by_volts: Array, sums: BranchSums, wants_sums: bool
) -> None:
    """The same where every branch is one straight line, or two, and nothing saturates: branch by branch, at once."""
    rectified = wiring.shape == RECTIFIED
    for sample in range(len(volts)):
        for pair in range(len(wiring.first)):
            first, second = wiring.first[pair], wiring.second[pair]
            first_v, second_v = volts[sample, first], volts[sample, second]
            counted = weights[sample, second] - weights[sample, first]
            current, by_first, by_second = 0.0, 0.0, 0.0
            for branch in range(wiring.starts[pair], wiring.starts[pair + 1]):
                drive = wiring.alpha[branch] * first_v + wiring.beta[branch] * second_v + wiring.gamma[branch]
                is_below = rectified and wiring.ratio[branch] * drive > drive
                slope = wiring.ratio[branch] if is_below else 1.0
                by_drive = wiring.weight[branch] * slope
                current += by_drive * drive
                by_first += by_drive * wiring.alpha[branch]
                by_second += by_drive * wiring.beta[branch]
                if wants_sums and counted != 0:
                    sums.weight[branch] += counted * slope * drive
                    if is_below:
                        sums.ratio[branch] += counted * wiring.weight[branch] * drive
                    if by_drive != 0:
                        sums.gamma[branch] += counted * by_drive
                        sums.alpha[branch] += counted * by_drive * first_v
                        sums.beta[branch] += counted * by_drive * second_v
            into[sample, first] -= current
            into[sample, second] += current
            by_volts[sample, first] += counted * by_first
            by_volts[sample, second] += counted * by_second


@compiled
def _drive(volts: Array, wiring: Wiring, drives: _Drives, turned: Array, rooms: Array) -> None:
    """What all branches carry at one sample's voltages, (nodes + 1,). rooms: (2, branches) to work in."""
    other, whole = rooms[0], rooms[1]
    for pair in range(len(wiring.first)):
        first_v, second_v = volts[wiring.first[pair]], volts[wiring.second[pair]]
        for branch in range(wiring.starts[pair], wiring.starts[pair + 1]):
            drives.shaped[branch] = wiring.alpha[branch] * first_v
            other[branch] = wiring.beta[branch] * second_v
    if len(wiring.level):
        _pass_levels(drives, other, wiring.level, whole, wiring.differences)
    else:
        for branch in range(len(other)):
            drives.shaped[branch] += other[branch]
    for branch in range(len(other)):
        drives.shaped[branch] += wiring.gamma[branch]
    _shape(drives, wiring.ratio, whole, wiring.shape, turned)


@compiled
def _count(  # noqa: PLR0917 - arrays alone
    volts: Array, weights: Array, wiring: Wiring, drives: _Drives, turned: Array, sums: BranchSums
) -> None:
    """Adds to sums what one sample's weighted currents change by with each branch's numbers."""
    for pair in range(len(wiring.first)):
        first, second = wiring.first[pair], wiring.second[pair]
        counted, first_v, second_v = weights[second] - weights[first], volts[first], volts[second]
        start, end = wiring.starts[pair], wiring.starts[pair + 1]
        for branch in range(start, end):
            by_drive = counted * wiring.weight[branch] * drives.slope[branch]
            sums.weight[branch] += counted * drives.shaped[branch]
            sums.gamma[branch] += by_drive
            sums.alpha[branch] += by_drive * drives.passed[branch] * first_v
            sums.beta[branch] += by_drive * drives.other_passed[branch] * second_v
        if len(wiring.level):
            for branch in range(start, end):
                sums.level[branch] += counted * wiring.weight[branch] * drives.slope[branch] * drives.changed[branch]
        if wiring.shape == RECTIFIED:
            for branch in range(start, end):
                sums.ratio[branch] += counted * wiring.weight[branch] * turned[branch]


@compiled
def _shape(drives: _Drives, ratio: Array, whole: Array, shape: int, turned: Array) -> None:
    """Of drives, in place, what they are shaped to. turned: what a rectifier changes by with its ratio."""
    if shape == TANH:
        tanh_of_half(drives.shaped, whole)
        for place in range(len(whole)):
            drives.slope[place] = 0.5 * (1 - drives.shaped[place] * drives.shaped[place])
    elif shape == RECTIFIED:
        for place in range(len(whole)):
            drive = drives.shaped[place]
            is_below = ratio[place] * drive > drive
            drives.slope[place] = ratio[place] if is_below else 1.0
            turned[place] = drive if is_below else 0.0
            drives.shaped[place] = drives.slope[place] * drive
    else:
        drives.slope[:] = 1.0


@compiled
def _pass_levels(drives: _Drives, other: Array, level: Array, whole: Array, differences: bool) -> None:
    """The terms of drives as `level` lets them pass, each by itself or their sum, added up in place."""
    if differences:
        for place in range(len(level)):
            drives.shaped[place] += other[place]
            other[place] = 0.0
    drives.changed[:] = 0.0
    _pass_level(drives.shaped, level, whole, drives.passed, drives.changed)
    _pass_level(other, level, whole, drives.other_passed, drives.changed)
    for place in range(len(level)):
        drives.shaped[place] += other[place]
        if differences:
            drives.other_passed[place] = drives.passed[place]


@compiled
def _pass_level(values: Array, level: Array, whole: Array, passed: Array, changed: Array) -> None:
    for place in range(len(values)):
        passed[place] = 2 * values[place] / level[place]
    tanh_of_half(passed, whole)
    for place in range(len(values)):
        part = passed[place]
        passed[place] = 1 - part * part
        if not np.isinf(level[place]):
            changed[place] += part - values[place] / level[place] * passed[place]
            values[place] = level[place] * part
        else:
            passed[place] = 1.0


def pairs_of(first: Indices, second: Indices) -> Indices:
    """An order of branches in which those from one node to the same other follow each other."""
    return np.lexsort((second, first))
