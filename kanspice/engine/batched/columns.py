"""The voltages that a crossbar's columns settle at: one scalar equation each, solved for all of them together.

A column at voltage c solves `f(c) = current(c) + bias - drawn(c) = 0`, the last what its amplifier draws. Newton's
method does it in a few steps where amplifiers are strong; a bracket, halved where Newton's step leaves it or does not
help, where devices bend or fall steeply.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array, namespace, zeros
from kanspice.circuit import Crossbar
from kanspice.circuit.amplifiers import drawn_a, outputs_v
from kanspice.engine.batched.array_devices import host, host_record
from kanspice.engine.batched.currents import Currents

_MOST_STEPS = 200
_FREE_STEPS = 8
"""Newton steps before each must halve what is left."""
_RESIDUAL = 1e-14
"""Of the largest current that the column can carry: what rounding leaves of a sum of its devices."""
_JUMP = 1e-8
"""Of the same: what a bracket that is closed may leave. A curve may jump by 1e-9 where two of its pieces meet."""
_CLOSED = 4 * float(np.finfo(np.float64).eps)
"""Of the column's voltage: a bracket that is closed to rounding."""


@dataclass(frozen=True)
class Settled:
    """Columns at rest.

    columns_v, amplifiers_v: (samples, columns) volts. drawn_a: (samples, columns) what amplifiers take from them.
    residual_a: (samples,) largest current that is left over. converged: (samples,).
    rows_a: (samples, rows) what rows take from their drivers, where it comes with the rest.
    """

    columns_v: Array
    amplifiers_v: Array
    drawn_a: Array
    residual_a: Array
    converged: npt.NDArray[np.bool_]
    rows_a: Array | None = None


@dataclass(frozen=True)
class Reach:
    """What no column can exceed: largest_v volts and largest_a amps, (columns,)."""

    largest_v: Array
    largest_a: Array


def settle(crossbar: Crossbar, currents: Currents, samples: int, reach: Reach, away_v: float = 0.0) -> Settled:
    """Columns and amplifiers of a crossbar whose devices carry `currents`; offsets, feedback and gain are its own.

    away_v: how far from the amplifiers' offsets the search begins, volts.
    """
    crossbar, reach = currents.processor.record(crossbar), currents.processor.record(reach)
    if not crossbar.holds_columns:
        return host_record(_Search(crossbar, currents, samples, reach, away_v).settle())
    xp = namespace(crossbar.offset_v)
    offset_v = xp.broadcast_to(crossbar.offset_v, (samples, len(crossbar.offset_v)))
    current = currents.at(offset_v, np.arange(samples))[0] * crossbar.current_unit_a + crossbar.bias_a
    amplifiers_v = outputs_v(crossbar, offset_v, current)
    finite = xp.isfinite(amplifiers_v).all(axis=1)
    return host_record(Settled(offset_v, amplifiers_v, current, np.zeros(samples), finite))


class _Search:
    """Newton's method in a bracket, for a block of samples."""

    def __init__(self, crossbar: Crossbar, currents: Currents, samples: int, reach: Reach, away_v: float) -> None:
        self.xp = namespace(crossbar.offset_v)
        self.crossbar, self.currents = crossbar, currents
        self.scale_a = reach.largest_a + self.xp.abs(drawn_a(crossbar, 0 * crossbar.offset_v)[0])
        nothing = zeros((samples, len(self.scale_a)), self.scale_a)
        self.low_v, self.high_v = nothing - reach.largest_v, nothing + reach.largest_v
        start_v = self.xp.minimum(crossbar.offset_v + away_v, reach.largest_v)
        self.columns_v = nothing + start_v
        self.left_a = nothing + np.inf
        self.open = self.left_a > 0

    def settle(self) -> Settled:
        for step in range(_MOST_STEPS):
            alive = np.flatnonzero(host(self.open.any(axis=1)))
            if alive.size == 0:
                break
            self._step(alive, must_help=step >= _FREE_STEPS)
        drawn = drawn_a(self.crossbar, self.columns_v)[0]
        amplifiers_v = outputs_v(self.crossbar, self.columns_v, drawn)
        balanced = (~self.open & (self.left_a <= _JUMP * self.scale_a)).all(axis=1)
        return Settled(self.columns_v, amplifiers_v, drawn, self.xp.max(self.left_a, axis=1), balanced)

    def _step(self, alive: npt.NDArray[np.int64], *, must_help: bool) -> None:
        """One step of the samples that have columns left to settle; settled columns stay."""
        # all of them without a copy
        here = alive if len(alive) < len(self.columns_v) else slice(None)
        xp, columns_v, before_a = self.xp, self.columns_v[here], self.left_a[here]
        excess_a, slope = self._excess(columns_v, alive)
        left_a = xp.abs(excess_a)
        low_v = xp.where(excess_a > 0, columns_v, self.low_v[here])
        high_v = xp.where(excess_a > 0, self.high_v[here], columns_v)
        with np.errstate(all="ignore"):
            next_v = columns_v - excess_a / slope
        useless = ~((next_v > low_v) & (next_v < high_v))
        if must_help:
            useless |= left_a > 0.5 * before_a
        next_v = xp.where(useless, 0.5 * (low_v + high_v), next_v)
        closed = high_v - low_v <= _CLOSED * xp.maximum(xp.abs(low_v), xp.abs(high_v))
        still = self.open[here] & (left_a > _RESIDUAL * self.scale_a) & ~closed
        self.left_a[here], self.low_v[here], self.high_v[here] = left_a, low_v, high_v
        self.columns_v[here] = xp.where(still, next_v, columns_v)
        self.open[here] = still

    def _excess(self, columns_v: Array, alive: npt.NDArray[np.int64]) -> tuple[Array, Array]:
        """f and its derivative."""
        crossbar = self.crossbar
        current, slope = self.currents.at(columns_v, alive)
        held_a, held_slope = drawn_a(crossbar, columns_v)
        into_a = current * crossbar.current_unit_a + crossbar.bias_a
        return into_a - held_a, slope * crossbar.current_unit_a - held_slope
