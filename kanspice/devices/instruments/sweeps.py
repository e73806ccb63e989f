"""Points in the order in which they were measured -> one curve: branches up and down, and how far they are apart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.base.errors import InputError

Branch = Literal["up", "down", "mean"]
BRANCHES: tuple[Branch, ...] = get_args(Branch)
_TURN = 0.05
"""Of the range of voltages: a sweep that goes back by less has not turned, it is measured with noise."""
_SAME = 1e-9
_GRID = 1001


@dataclass(frozen=True)
class Hysteresis:
    """Differences of the branches down and up where both are, in the unit of the currents. at_v: of the largest.

    of: the largest current.
    """

    rms: float
    largest: float
    at_v: float
    of: float


@dataclass(frozen=True)
class VoltageSweep:
    """One curve: v (n,) strictly rising, i (n,). branch: which of those measured it is; None where there is one only.

    turns: how often the voltage turned. turned: whether it fell, and is turned round here. repeated: points at
    voltages that were there already, and were averaged.
    """

    v: Array
    i: Array
    branch: Branch | None
    turns: int
    turned: bool
    repeated: int
    hysteresis: Hysteresis | None


def one_sweep(v: Array, i: Array, branch: Branch) -> VoltageSweep:
    """The branch that is asked for of points v, i (n,) in the order in which they were measured."""
    parts = _parts(v)
    rising = [part for part in parts if v[part[-1]] > v[part[0]]]
    falling = [part for part in parts if v[part[-1]] < v[part[0]]]
    if not rising or not falling:
        both = np.concatenate(rising or falling or parts)
        volts, current = _sorted(v[both], i[both])
        return VoltageSweep(volts, current, None, len(parts) - 1, bool(falling), len(both) - len(volts), None)
    up, down = (_sorted(v[order], i[order]) for order in (np.concatenate(rising), np.concatenate(falling)))
    hysteresis = _hysteresis(up, down)
    match branch:
        case "up":
            volts, current = up
        case "down":
            volts, current = down
        case "mean":
            volts, current = _mean(up, down)
    used = sum(map(len, {"up": rising, "down": falling, "mean": rising + falling}[branch]))
    return VoltageSweep(volts, current, branch, len(parts) - 1, False, max(used - len(volts), 0), hysteresis)


def _parts(v: Array) -> list[Indices]:
    """Places of the points between turns of the voltage, a turning point in both of its parts."""
    turn = _TURN * float(np.ptp(v))
    ends, extreme, direction = [0], 0, 0.0
    for k in range(1, len(v)):
        step = float(v[k] - v[extreme])
        if direction == 0.0:
            if abs(step) > turn:
                direction, extreme = np.sign(step), k
        elif step * direction >= 0:
            extreme = k
        elif abs(step) > turn:
            ends.append(extreme)
            direction, extreme = -direction, k
    ends.append(len(v) - 1)
    return [np.arange(a, b + 1) for a, b in pairwise(ends) if b > a]


def _sorted(v: Array, i: Array) -> tuple[Array, Array]:
    """By voltage, the currents at one voltage averaged."""
    near = _SAME * max(float(np.ptp(v)), 1e-300)
    order = np.argsort(v, kind="stable")
    volts, current = v[order], i[order]
    group = np.cumsum(np.append(0, np.diff(volts) > near))
    count = np.bincount(group)
    return np.bincount(group, volts) / count, np.bincount(group, current) / count


def _common(up: tuple[Array, Array], down: tuple[Array, Array]) -> tuple[float, float]:
    return max(up[0][0], down[0][0]), min(up[0][-1], down[0][-1])


def _hysteresis(up: tuple[Array, Array], down: tuple[Array, Array]) -> Hysteresis | None:
    low, high = _common(up, down)
    if not low < high:
        return None
    fine = np.linspace(low, high, _GRID)
    apart = np.interp(fine, *down) - np.interp(fine, *up)
    worst = int(np.argmax(np.abs(apart)))
    of = float(max(np.abs(up[1]).max(), np.abs(down[1]).max()))
    return Hysteresis(float(np.sqrt(np.mean(apart**2))), float(apart[worst]), float(fine[worst]), of)


def _mean(up: tuple[Array, Array], down: tuple[Array, Array]) -> tuple[Array, Array]:
    low, high = _common(up, down)
    if not low < high:
        raise InputError("the branches share no voltages, so that they have no mean", hint="--branch up, or down")
    volts = _sorted(np.concatenate([up[0], down[0]]), np.concatenate([up[1], down[1]]))[0]
    volts = volts[(volts >= low) & (volts <= high)]
    return volts, (np.interp(volts, *up) + np.interp(volts, *down)) / 2
