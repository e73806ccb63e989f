"""Gradients of a crossbar with wires, by the implicit function theorem: one transposed linear system for every sample.

What crosspoints lose solves d = P I(d) + c(I), P being the wires and c the columns at their amplifiers. With the slopes
S = dI/dd, a current more at a crosspoint counts w, which solves (1 - M S) w = w0: w0 is what it counts at the amplifier
alone, M is P and the columns' slopes. M is symmetric, so that the transposed system is Newton's own operator of
`wired`. A volt more of loss there counts S w, and all else follows: from what it does to currents, to losses, and to
the amplifiers. What a resistance loses is its current; so a segment counts its current times the one that S w makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from kanspice.base.arrays import Array, Flags, Indices, zeros
from kanspice.circuit import Crossbar
from kanspice.circuit.wires import lost_v, shared_losses
from kanspice.devices import Device
from kanspice.engine.batched.adjoint.bends import bend_gradients
from kanspice.engine.batched.adjoint.gradients import CrossbarGradients
from kanspice.engine.batched.array_devices import beside, host
from kanspice.engine.batched.crosspoints import WholeCrosspoints
from kanspice.engine.batched.operating_points import StageChain
from kanspice.engine.batched.wired import MOST_ROUNDS, WiredState, gmres, largest, solved_numbers

_LEFT = 1e-13
"""Of the largest number on the right-hand side: what a linear system should leave of it."""
_ACCEPTED = 1e-10
"""Of the same, what it may leave."""
_STEEPEST = 1e6
"""By how much more than at its amplifier a current may count at a crosspoint: there is a fold where it is more."""
_QUICK = 0.2
"""What a term of the series may be of the one before: GMRES costs more for each digit."""
_MOST_TERMS, _MOST_RESTARTS = 40, 5


def wired_gradients(
    chain: StageChain, crossbar: Crossbar, rows_v: Array, gradient_v: Array, devices: Sequence[Device] = ()
) -> CrossbarGradients:
    """How a loss changes, which changes by gradient_v (samples, 2 * pairs) per volt of each amplifier's output.

    devices: all types, where gradients by what bends their curves are wanted.
    rows_v: (samples, rows), volts, as they are in the chain's `solve`, whose states are found again. Samples without a
    state, or whose gradient_v is not finite, have no gradient.
    """
    parts, first = [], 0
    for state in chain.wired_states(crossbar, rows_v):
        end = first + len(state.rows_v)
        parts.append(gradients_at(state, gradient_v[first:end], devices))
        first = end
    return CrossbarGradients.joined(parts)


def gradients_at(state: WiredState, gradient_v: Array, devices: Sequence[Device] = ()) -> CrossbarGradients:
    """The same for some samples whose state is known."""
    crossbar, settled = state.crossbar, state.settled
    good = np.flatnonzero(settled.converged & np.isfinite(gradient_v).all(axis=1))
    adjoint = WiredAdjoint(state, good)
    counted = adjoint.counted(gradient_v[good])
    weights, losses = counted.weights, counted.losses

    def by(name: str) -> Array:
        """(2 * pairs,) by what amplifiers have."""
        return np.asarray(adjoint.by_amplifiers(counted, name).sum(axis=0))

    by_rows = np.zeros_like(state.rows_v)
    by_rows[good] = adjoint.by_rows(counted)
    by_area_a, by_shift = _by_devices(state, good, weights)
    # what curves of wider units change by is what all voltages of devices would, if these were smaller instead
    seen = float((by_rows[good] * state.rows_v[good]).sum()) + float((losses * adjoint.lost).sum())
    seen += float((by_shift * np.repeat(crossbar.shift_v, 2, axis=1)).sum())
    known_v, counts = host(adjoint.lost), host(weights)
    series, stretch = bend_gradients(
        *(crossbar, devices, state.unit_v),
        seen_v=lambda row, column: state.rows_v[good][:, row] - known_v[:, row, column],
        counts=lambda row, column: counts[:, row, column],
    )
    driver_ohm, row_ohm, column_ohm = shared_losses(losses, adjoint.current)
    without = np.ones(len(state.rows_v), dtype=bool)
    without[good[counted.is_solved]] = False
    return CrossbarGradients(
        rows_v=by_rows,
        column_area=by_area_a * crossbar.current_unit_a,
        shift_v=by_shift,
        bias_a=by("into_a"),
        feedback_ohm=by("feedback_ohm"),
        offset_v=by("offset_v"),
        without=without,
        unit_v=-seen / state.unit_v,
        current_unit_a=float((by_area_a * crossbar.column_area).sum()),
        open_loop_gain=float(by("open_loop_gain").sum()),
        output_ohm=float(by("output_ohm").sum()),
        swing_v=float(by("swing_v").sum()),
        driver_ohm=driver_ohm,
        row_ohm=row_ohm,
        column_ohm=column_ohm,
        series=series,
        stretch=stretch,
    )


@dataclass(frozen=True)
class Counted:
    """What counts at crosspoints for something that changes by gradient_v (samples, 2 * pairs) per volt of amplifiers.

    weights, losses: (samples, rows, 2 * pairs), on the processor: by a current more through the crosspoint, and by a
    volt more that it loses. by_column_v: (samples, 2 * pairs) by a volt more of each column. is_solved: (samples,); of
    the others nothing counts.
    """

    gradient_v: Array
    weights: Array
    losses: Array
    by_column_v: Array
    is_solved: Flags


class WiredAdjoint:
    """A crossbar with wires at its state, for the samples `good`: what is the same whatever follows its amplifiers.

    lost, current, slope: (samples, rows, 2 * pairs), volts, amps and siemens at crosspoints, on the processor.
    """

    def __init__(self, state: WiredState, good: Indices) -> None:
        self.state, self.good = state, good
        crosspoints, settled = state.crosspoints, state.settled
        self.lost = crosspoints.processor.array(state.lost_v[good])
        self.current, self.slope = crosspoints.at(self.lost, good)
        self._changes = _amplifiers(state.crossbar, settled.columns_v[good], settled.drawn_a[good])
        ohm = crosspoints.processor.array(self._changes["into_a"].column_v)
        self._system = _System(state.crossbar, self.slope, ohm)

    def counted(self, gradient_v: Array) -> Counted:
        """gradient_v: (samples, 2 * pairs), finite."""
        processor = self.state.crosspoints.processor
        at_amplifiers = processor.array(gradient_v * self._changes["into_a"].output_v)
        weights, is_solved = self._system.solve(at_amplifiers, solved_numbers(processor))
        weights = weights * beside(is_solved.astype(np.float64), weights)[:, None, None]
        losses = self.slope * weights
        return Counted(gradient_v * is_solved[:, None], weights, losses, host(losses.sum(axis=1)), is_solved)

    def by_amplifiers(self, counted: Counted, name: str) -> Array:
        """(samples, 2 * pairs) by a field of amplifiers, or by a current more into columns, `into_a`."""
        change = self._changes[name]
        return np.asarray(counted.gradient_v * change.output_v + counted.by_column_v * change.column_v)

    @staticmethod
    def by_rows(counted: Counted) -> Array:
        """(samples, rows) by a volt more of each row."""
        return np.asarray(-host(counted.losses.sum(axis=2)))


@dataclass(frozen=True)
class _Change:
    """What columns and amplifiers' outputs change by with one number, currents staying: (samples, 2 * pairs) each."""

    column_v: Array
    output_v: Array


def _amplifiers(crossbar: Crossbar, columns_v: Array, into_a: Array) -> dict[str, _Change]:
    """For columns at these voltages that these currents flow into; exactly at its swing an amplifier is beyond it.

    See `circuit.amplifiers` for what they do: c = (A V0 + (R + Ro) I) / (1 + A) within the swing, e + (R + Ro) I beyond
    it, and an output of c - R I.
    """
    nothing, feedback_ohm = np.zeros_like(into_a), crossbar.feedback_ohm
    if crossbar.holds_columns:
        wanted_v = crossbar.offset_v - feedback_ohm * into_a
        free = (np.abs(wanted_v) < crossbar.swing_v).astype(np.float64)
        return {
            "into_a": _Change(nothing, -feedback_ohm * free),
            "offset_v": _Change(nothing + 1.0, free),
            "feedback_ohm": _Change(nothing, -into_a * free),
            "output_ohm": _Change(nothing, nothing),
            "open_loop_gain": _Change(nothing, nothing),
            "swing_v": _Change(nothing, np.sign(wanted_v) * (1 - free)),
        }
    gain, error_v = crossbar.open_loop_gain, crossbar.offset_v - columns_v
    free = (np.abs(gain * error_v) < crossbar.swing_v).astype(np.float64)
    passed = free / (1 + gain) + (1 - free)
    """What of a voltage behind the output stage the column sees."""
    ohm = (feedback_ohm + crossbar.output_ohm) * passed
    held_v, limit_v = free * gain / (1 + gain), (1 - free) * np.sign(error_v)
    error_v = free * error_v / (1 + gain)
    return {
        "into_a": _Change(ohm, ohm - feedback_ohm),
        "offset_v": _Change(held_v, held_v),
        "feedback_ohm": _Change(passed * into_a, (passed - 1) * into_a),
        "output_ohm": _Change(passed * into_a, passed * into_a),
        "open_loop_gain": _Change(error_v, error_v),
        "swing_v": _Change(limit_v, limit_v),
    }


@dataclass(frozen=True)
class _System:
    """(1 - M S) w = w0 of some samples, on the processor.

    slope: (samples, rows, 2 * pairs), siemens. ohm: (samples, 2 * pairs), of columns at their amplifiers.
    """

    crossbar: Crossbar
    slope: Array
    ohm: Array

    def _passed_on(self, weights: Array, samples: Indices) -> Array:
        """M S w."""
        moved = self.slope[samples] * weights
        return lost_v(self.crossbar, moved, self.ohm[samples] * moved.sum(axis=1))

    def _applied(self, weights: Array, samples: Indices) -> Array:
        """(1 - M S) w."""
        return weights - self._passed_on(weights, samples)

    def solve(self, at_amplifiers: Array, numbers: int) -> tuple[Array, Flags]:
        """w (samples, rows, 2 * pairs) for w0 (samples, 2 * pairs), the same at all rows; and which are solved.

        numbers: crosspoints of which systems are solved together.
        """
        samples, rows, columns = self.slope.shape
        weights = zeros(self.slope.shape, self.slope)
        is_solved, size = np.zeros(samples, dtype=bool), max(1, numbers // (rows * columns))
        for first in range(0, samples, size):
            some = np.arange(first, min(first + size, samples))
            weights[some], is_solved[some] = self._solve_few(at_amplifiers[some][:, None, :] + weights[some], some)
        return weights, is_solved

    def _solve_few(self, right: Array, samples: Indices) -> tuple[Array, Flags]:
        scale = largest(right)
        solution, left, left_size = self._series(right, samples, _LEFT * scale)
        for _ in range(_MOST_RESTARTS):
            slow = np.flatnonzero(left_size > _LEFT * scale)
            if slow.size == 0:
                break
            places, before = samples[slow], left_size[slow]
            tolerance = float((_LEFT * scale[slow] / before).min())
            moved = gmres(partial(self._applied, samples=places), left[slow], tolerance, MOST_ROUNDS)
            tried = solution[slow] + moved
            new_left = right[slow] - self._applied(tried, places)
            new_size = largest(new_left)
            better = new_size < before
            taken = slow[better]
            solution[taken], left[taken], left_size[taken] = tried[better], new_left[better], new_size[better]
            if not (new_size < 0.5 * before).any():
                break
        return solution, np.asarray((left_size <= _ACCEPTED * scale) & (largest(solution) <= _STEEPEST * scale))

    def _series(self, right: Array, samples: Indices, wanted: Array) -> tuple[Array, Array, Array]:
        """w0 + M S w0 + ..., as far as its terms fall quickly: the sum, what it leaves, and the largest of that."""
        solution, left, size = 0 * right, right + 0, largest(right)
        going, term = np.arange(len(samples)), right
        for _ in range(_MOST_TERMS):
            new = self._passed_on(term, samples[going])
            new_size = largest(new)
            quick = new_size < _QUICK * size[going]
            there, more = going[quick], quick & (new_size > wanted[going])
            solution[there] += term[quick]
            left[there], size[there] = new[quick], new_size[quick]
            going, term = going[more], new[more]
            if going.size == 0:
                break
        return solution, left, size


def _by_devices(state: WiredState, good: Indices, weights: Array) -> tuple[Array, Array]:
    """By areas, which are in amps, and shifts of all devices, (rows, 2 * pairs, devices): also of types of which

    the crossbar has none.
    """
    crossbar, crosspoints = state.crossbar, state.crosspoints
    lost = crosspoints.processor.array(state.lost_v[good])
    by_area, by_shift = np.zeros_like(crossbar.column_area), np.zeros_like(crossbar.column_area)
    by_area[:, :, crossbar.types], by_shift[:, :, crossbar.types] = crosspoints.pulled_back(lost, good, weights)
    missing = np.setdiff1d(np.arange(by_area.shape[2]), crossbar.types)
    if missing.size:
        curves, shift_v = [state.curves[place] for place in missing], np.repeat(crossbar.shift_v, 2, axis=1)
        nothing = np.zeros_like(by_area)[:, :, missing]
        others = WholeCrosspoints(state.rows_v, curves, nothing, shift_v[:, :, missing], crosspoints.processor)
        by_area[:, :, missing] = others.pulled_back(lost, good, weights)[0]
    return by_area, by_shift
