"""One crossbar over time: charges at its nodes, what flows into them, and the implicit steps that balance the two.

Nodes are rows (driven ideally, behind a driver, or chains of wire), columns (at one voltage, or chains down to their
amplifiers), what amplifiers with a pole remember, and the outputs of these amplifiers. `charges` is linear in the
nodes; `d charge / dt = flow`.
An implicit step with time constant tau solves `(charge - known) / tau = flow`. Newton's matrix is never built: columns
are solved with rows standing still, then rows with columns that have moved; as devices tie them together much less than
drivers and wires do, a few rounds are enough, and with ideal rows the step is Newton's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Flags, Indices
from kanspice.circuit import Crossbar
from kanspice.circuit.amplifiers import drawn_a, outputs_v
from kanspice.devices import Curve
from kanspice.engine.batched.junctions import Junctions, LoadLines
from kanspice.engine.batched.tridiagonal import chained

_MOST_ROUNDS = 12
_FIRM_S = 1e9
"""Siemens: what holds a column that its amplifier does not let move."""
_DIVERGED = 1e6
"""Volts: no node comes there."""


@dataclass(frozen=True)
class Balance:
    """What an implicit step came to, for samples: their nodes (samples, size), charges, and whether it did.

    device_s: (samples, rows, columns) slopes of the devices nearby, siemens; (samples, 1, columns) of all together
    where columns are at one voltage and rows do not move by themselves.
    """

    nodes: Array
    charges: Array
    done: Flags
    device_s: Array


@dataclass(frozen=True)
class Demand:
    """Of an implicit step, at its samples: `(charges - known) per_s = flows`, per_s being 1 / tau.

    known: (samples, size). per_s: (samples,). rows_v: (samples, rows) volts that rows are driven at. left_v: (size,)
    how far off nodes may stay.
    """

    samples: Indices
    known: Array
    per_s: Array
    rows_v: Array
    left_v: Array


@dataclass(frozen=True)
class TerminalCurrents:
    """At a moment.

    drawn_a: (samples, columns) what amplifiers take from their columns, but for drawn_c: (samples, columns) coulombs on
    the feedback capacitors.
    row_a: (samples, rows) what drivers give, but for row_c: (samples, rows) coulombs on rows that have no resistance.
    """

    drawn_a: Array
    drawn_c: Array
    row_a: Array
    row_c: Array


@dataclass(frozen=True)
class Eliminated:
    """Steps of amplifiers' nodes for those of their columns' ends, (samples, columns) each.

    siemens: what they add to the diagonal of the ends; pushed_a: to what is left there. pole, output: the nodes' own
    steps, and what is added to them per volt of the end's.
    """

    siemens: Array
    pushed_a: Array
    pole: tuple[Array, Array]
    output: tuple[Array, Array]


class Amplifiers:
    """One per column: what they draw from it, and, with a pole, how that moves."""

    def __init__(self, crossbar: Crossbar) -> None:
        self.crossbar = crossbar
        self.has_pole = math.isfinite(crossbar.gbw_hz)
        self.turn = 2 * math.pi * crossbar.gbw_hz
        self.reach_v = crossbar.slew_v_per_s / self.turn if self.has_pole else math.inf
        self.siemens = 1 / (crossbar.feedback_ohm + crossbar.output_ohm)
        self.feedback_s, self.feedback_f = 1 / crossbar.feedback_ohm, crossbar.feedback_f

    @property
    def holds(self) -> bool:
        """True when columns cannot move."""
        return not self.has_pole and self.crossbar.holds_columns

    def rate(self, columns_v: Array, pole_v: Array) -> tuple[Array, Array, Array]:
        """How fast poles move, V/s, and its derivatives by column and pole; see `netlists/tia_pole.cir`."""
        leak, swing_v = 1 / self.crossbar.open_loop_gain, self.crossbar.swing_v
        beyond = np.abs(pole_v) > swing_v
        driven = self.crossbar.offset_v - columns_v - leak * pole_v
        driven = driven - np.where(beyond, pole_v - np.copysign(min(swing_v, 1e30), pole_v), 0.0)
        free = np.where(np.abs(driven) < self.reach_v, self.turn, 0.0)
        return self.turn * np.clip(driven, -self.reach_v, self.reach_v), -free, -free * (leak + beyond)

    def drawn(self, columns_v: Array, outputs_v: Array) -> Array:
        """Amps through the feedback resistors; nothing where columns cannot move, whatever is drawn."""
        if self.holds:
            return np.zeros_like(columns_v)
        if not self.has_pole:
            return drawn_a(self.crossbar, columns_v)[0]
        return np.asarray((columns_v - outputs_v) * self.feedback_s)

    def pulled(self, columns_v: Array, pole_v: Array, outputs_v: Array) -> Array:
        """How far outputs are from where their stages drive them, volts: the output resistance drops what they give."""
        swing_v = self.crossbar.swing_v
        driven_v = np.clip(pole_v, -swing_v, swing_v)
        dropped_v = self.crossbar.output_ohm * self.feedback_s * (columns_v - outputs_v)
        return np.asarray(driven_v - outputs_v + dropped_v)

    def eliminated(self, columns_v: Array, pole_v: Array, left: tuple[Array, Array], per_s: Array) -> Eliminated:
        """The part of Newton's matrix that is the amplifiers' own, solved for their columns' ends.

        left: of poles and outputs, (samples, columns) each. per_s: (samples, 1).
        """
        if not self.has_pole:
            nothing = np.zeros_like(columns_v)
            slope = drawn_a(self.crossbar, columns_v)[1]
            return Eliminated(slope, nothing, (nothing, nothing), (nothing, nothing))
        _, by_column, by_itself = self.rate(columns_v, pole_v)
        stays = per_s - by_itself
        pole, pole_by = left[0] / stays, by_column / stays
        held_s = self.feedback_s + self.feedback_f * per_s
        divided = self.crossbar.output_ohm * held_s
        driven = (np.abs(pole_v) < self.crossbar.swing_v).astype(np.float64)
        output = (left[1] + driven * pole) / (1 + divided)
        output_by = (divided + driven * pole_by) / (1 + divided)
        return Eliminated(held_s * (1 - output_by), held_s * output, (pole, pole_by), (output, output_by))


class CrossbarDae:
    """The equations of one crossbar, for any samples at a time; nodes are rows, columns, poles and outputs, flat."""

    def __init__(self, crossbar: Crossbar, curves: Sequence[Curve], samples: int) -> None:
        """curves: of the device types, in volts. samples: how many there are."""
        self.crossbar, self.junctions, self.amplifiers = crossbar, Junctions(crossbar, curves), Amplifiers(crossbar)
        self.rows, self.columns = crossbar.rows, 2 * crossbar.width
        self.chained_rows, self.chained_columns = crossbar.row_ohm > 0, crossbar.column_ohm > 0
        self.moving_rows = max(crossbar.driver_ohm, crossbar.row_ohm) > 0
        self.per_row = self.columns if self.chained_rows else 1
        self.per_column = self.rows + 1 if self.chained_columns else 1
        moving = self.moving_rows, True, self.amplifiers.has_pole
        widths = self.rows * self.per_row, self.columns * self.per_column, 2 * self.columns
        sizes = [width * there for width, there in zip(widths, moving, strict=True)]
        self.row_end, self.column_end = sizes[0], sizes[0] + sizes[1]
        self.size = sum(sizes)
        self.junction_f = crossbar.column_area.sum(axis=2) * crossbar.junction_f
        self.are_sums = not (self.moving_rows or self.chained_columns)
        self.lines = LoadLines(self.junctions, samples, crossbar.rows)
        self.tied_f = self.junction_f.sum(axis=0, keepdims=True) if self.are_sums else self.junction_f
        first_ohm = crossbar.driver_ohm + crossbar.row_ohm
        self.driver_s = 1 / first_ohm if first_ohm > 0 else math.inf
        self.row_s = np.full(self.columns - 1, 1 / crossbar.row_ohm) if self.chained_rows else np.empty(0)
        self.column_s = np.full(self.rows, 1 / crossbar.column_ohm) if self.chained_columns else np.empty(0)

    def scales_v(self) -> Array:
        """(size,) how much of an error matters: one of a column grows in an amplifier that is fast for its load."""
        scales = np.ones(self.size)
        if self.amplifiers.has_pole:
            column_f = (self.junction_f + self.crossbar.column_f).sum(axis=0)
            grows = np.sqrt(np.maximum(self.amplifiers.turn / self.amplifiers.siemens * column_f, 1.0))
            scales[self.row_end : self.column_end] /= np.repeat(grows, self.per_column)
        return scales

    def at_columns(self, columns_v: Array, pole_v: Array, outputs_v: Array, rows_v: Array) -> Array:
        """Nodes (samples, size) with everything on its row's voltage, or on its column's."""
        samples = len(columns_v)
        parts = []
        if self.moving_rows:
            parts.append(np.repeat(rows_v, self.per_row, axis=1))
        parts.append(np.repeat(columns_v, self.per_column, axis=1))
        if self.amplifiers.has_pole:
            parts += [pole_v, outputs_v]
        return np.concatenate(parts, axis=1).reshape(samples, self.size)

    def _row_nodes(self, nodes: Array, rows_v: Array) -> Array:
        """(samples, rows, columns, or 1 where a row is at one voltage)."""
        known = nodes[:, : self.row_end] if self.moving_rows else rows_v
        return known.reshape(len(nodes), self.rows, self.per_row)

    def _column_nodes(self, nodes: Array) -> Array:
        """(samples, columns, rows + 1, the last at the amplifier, or 1 where a column is at one voltage)."""
        return nodes[:, self.row_end : self.column_end].reshape(len(nodes), self.columns, self.per_column)

    def _amplifier_nodes(self, nodes: Array) -> tuple[Array, Array]:
        """What amplifiers with a pole remember, and their outputs, (samples, columns)."""
        return nodes[:, self.column_end : self.column_end + self.columns], nodes[:, self.column_end + self.columns :]

    def _crosspoints(self, nodes: Array) -> Array:
        """Column voltages there, (samples, rows or 1, columns)."""
        known = self._column_nodes(nodes)
        return (known[:, :, :-1] if self.chained_columns else known).transpose(0, 2, 1)

    def _across(self, nodes: Array, rows_v: Array) -> Array:
        """Volts across devices, (samples, rows, columns)."""
        return self._row_nodes(nodes, rows_v) - self._crosspoints(nodes)

    def _devices(self, nodes: Array, rows_v: Array, samples: Indices) -> tuple[Array, Array]:
        """Currents and slopes (samples, rows, columns), or (samples, 1, columns) as in `Balance`."""
        if not self.are_sums:
            return self.junctions.at(self._across(nodes, rows_v))
        current, slope = self.lines.at(nodes[:, : self.column_end], rows_v, samples)
        return current[:, None, :], slope[:, None, :]

    def charges(self, nodes: Array, rows_v: Array) -> Array:
        """(samples, size) coulombs, volts of poles, coulombs times the output resistance of outputs.

        For rows driven at (samples, rows) volts.
        """
        crossbar, charges = self.crossbar, np.empty_like(nodes)
        samples = len(nodes)
        between = self.junction_f * self._across(nodes, rows_v)
        if self.moving_rows:
            own = between + crossbar.row_f * self._row_nodes(nodes, rows_v)
            charges[:, : self.row_end] = (own if self.chained_rows else own.sum(axis=2)).reshape(samples, self.row_end)
        own = (crossbar.column_f * self._crosspoints(nodes) - between).transpose(0, 2, 1)
        into = self._column_nodes(charges)
        if self.chained_columns:
            into[:, :, :-1], into[:, :, -1] = own, 0.0
        else:
            into[:, :, 0] = own.sum(axis=2)
        if self.amplifiers.has_pole:
            (poles_v, outputs_v), (own, outputs) = self._amplifier_nodes(nodes), self._amplifier_nodes(charges)
            feedback_c = self.amplifiers.feedback_f * (self._column_nodes(nodes)[:, :, -1] - outputs_v)
            into[:, :, -1] += feedback_c
            own[:], outputs[:] = poles_v, -crossbar.output_ohm * feedback_c
        return charges

    def flows(self, nodes: Array, rows_v: Array, device_a: Array) -> Array:
        """(samples, size) amps into nodes, V/s of poles, volts of outputs. device_a: as `_devices`."""
        flows = np.empty_like(nodes)
        samples = len(nodes)
        if self.moving_rows:
            flows[:, : self.row_end] = self._row_flows(nodes, rows_v, device_a).reshape(samples, self.row_end)
        columns, into = self._column_nodes(nodes), self._column_nodes(flows)
        ends_v, (poles_v, outputs_v) = columns[:, :, -1], self._amplifier_nodes(nodes)
        at_end = self.crossbar.bias_a - self.amplifiers.drawn(ends_v, outputs_v)
        if self.chained_columns:
            onward = (columns[:, :, :-1] - columns[:, :, 1:]) * self.column_s
            into[:, :, :-1] = device_a.transpose(0, 2, 1) - onward
            into[:, :, 1:-1] += onward[:, :, :-1]
            into[:, :, -1] = onward[:, :, -1] + at_end
        else:
            into[:, :, 0] = device_a.sum(axis=1) + at_end
        if self.amplifiers.holds:
            into[:, :, -1] = 0.0
        if self.amplifiers.has_pole:
            own, outputs = self._amplifier_nodes(flows)
            own[:] = self.amplifiers.rate(ends_v, poles_v)[0]
            outputs[:] = self.amplifiers.pulled(ends_v, poles_v, outputs_v)
        return flows

    def _row_flows(self, nodes: Array, rows_v: Array, device_a: Array) -> Array:
        row_nodes = self._row_nodes(nodes, rows_v)
        arriving = (rows_v - row_nodes[:, :, 0]) * self.driver_s
        if not self.chained_rows:
            return np.asarray(arriving - device_a.sum(axis=2))
        onward = (row_nodes[:, :, :-1] - row_nodes[:, :, 1:]) * self.row_s
        flows = -device_a
        flows[:, :, 0] += arriving
        flows[:, :, 1:] += onward
        flows[:, :, :-1] -= onward
        return flows

    def balance(self, guess: Array, demand: Demand, *, held: bool = False) -> Balance:
        """Nodes (samples, size) that fulfil it. held: columns stay at their amplifiers' voltage, and these too."""
        left_v, per_s = demand.left_v, demand.per_s
        nodes = guess.copy()
        device_s = np.empty((len(guess), 1 if self.are_sums else self.rows, self.columns))
        done, size_of = np.zeros(len(guess), dtype=bool), np.zeros(len(guess))
        open_ = np.arange(len(guess))
        for _ in range(_MOST_ROUNDS):
            now, driven_v = nodes[open_], demand.rows_v[open_]
            device_a, device_s[open_] = self._devices(now, driven_v, demand.samples[open_])
            charged = (self.charges(now, driven_v) - demand.known[open_]) * per_s[open_, None]
            left = charged - self.flows(now, driven_v, device_a)
            step = self.moved(left, now, device_s[open_], per_s[open_], held=held)
            nodes[open_] = now - step
            size, before = np.abs(step / left_v).max(axis=1), size_of[open_]
            size_of[open_] = size
            good = (size <= 1) | ((2 * size < before) & (size * size <= before))  # what the next one would change
            done[open_] = good
            open_ = open_[~good & (size * left_v.max() < _DIVERGED)]
            if open_.size == 0:
                break
        return Balance(nodes, self.charges(nodes, demand.rows_v), done, device_s)

    def moved(self, left: Array, nodes: Array, device_s: Array, per_s: Array, *, held: bool = False) -> Array:
        """By how much nodes are too high, to first order, that leave so much of charges times per_s, less flows."""
        pace = per_s[:, None, None]
        tied = device_s + self.tied_f * pace
        step = self._column_step(left, nodes, tied, pace, held=held)
        if self.moving_rows:
            self._row_step(step, left, tied, pace)
        return step

    def _column_step(self, left: Array, nodes: Array, tied: Array, pace: Array, *, held: bool) -> Array:
        """Of columns and amplifiers, while rows stand still: (samples, size)."""
        step = np.zeros_like(nodes)
        column_f = self.crossbar.column_f
        into, right = self._column_nodes(step), self._column_nodes(left).copy()
        own = None
        if held or self.amplifiers.holds:
            right[:, :, -1] = 0.0
            end_s: Array = np.full_like(right[:, :, -1], _FIRM_S)
        else:
            ends_v, poles_v = self._column_nodes(nodes)[:, :, -1], self._amplifier_nodes(nodes)[0]
            own = self.amplifiers.eliminated(ends_v, poles_v, self._amplifier_nodes(left), pace[:, :, 0])
            right[:, :, -1] += own.pushed_a
            end_s = own.siemens
        if self.chained_columns:
            diagonal = np.empty_like(right)
            diagonal[:, :, :-1] = (tied + column_f * pace).transpose(0, 2, 1)
            diagonal[:, :, -1] = end_s
            into[:] = chained(diagonal, self.column_s, right)
        else:
            into[:, :, 0] = right[:, :, 0] / (tied.sum(axis=1) + self.rows * column_f * pace[:, :, 0] + end_s)
        if self.amplifiers.has_pole and own is not None:
            poles, outputs = self._amplifier_nodes(step)
            for part, (alone, by_end) in ((poles, own.pole), (outputs, own.output)):
                part[:] = alone + by_end * into[:, :, -1]
        return step

    def _row_step(self, step: Array, left: Array, tied: Array, pace: Array) -> None:
        """Fills in the rows' part, columns having moved."""
        row_f, shape = self.crossbar.row_f, (len(step), self.rows, self.per_row)
        own, pushed = left[:, : self.row_end].reshape(shape), tied * self._crosspoints(step)
        if self.chained_rows:
            diagonal = tied + row_f * pace
            diagonal[:, :, 0] += self.driver_s
            found = chained(diagonal, self.row_s, own + pushed)
        else:
            found = own[:, :, 0] + pushed.sum(axis=2)
            found = found / (tied.sum(axis=2) + self.columns * row_f * pace[:, :, 0] + self.driver_s)
        step[:, : self.row_end] = found.reshape(len(step), self.row_end)

    def outputs_v(self, nodes: Array, rows_v: Array) -> Array:
        """(samples, columns) of the amplifiers."""
        if self.amplifiers.has_pole:
            return self._amplifier_nodes(nodes)[1]
        return outputs_v(self.crossbar, self._column_nodes(nodes)[:, :, -1], self._drawn_a(nodes, rows_v))

    def currents(self, nodes: Array, rows_v: Array) -> TerminalCurrents:
        """What flows at a moment; currents into capacitors are left to whoever knows several moments."""
        drawn_a = self._drawn_a(nodes, rows_v)
        drawn_c = np.zeros_like(drawn_a)
        if self.amplifiers.has_pole:
            across_v = self._column_nodes(nodes)[:, :, -1] - self._amplifier_nodes(nodes)[1]
            drawn_c = self.amplifiers.feedback_f * across_v
        if self.moving_rows:
            rows_a = (rows_v - self._row_nodes(nodes, rows_v)[:, :, 0]) * self.driver_s
            return TerminalCurrents(drawn_a, drawn_c, rows_a, np.zeros_like(rows_a))
        across = self._across(nodes, rows_v)
        rows_c = (self.junction_f * across).sum(axis=2) + self.columns * self.crossbar.row_f * rows_v
        return TerminalCurrents(drawn_a, drawn_c, self.junctions.at(across)[0].sum(axis=2), rows_c)

    def _drawn_a(self, nodes: Array, rows_v: Array) -> Array:
        """(samples, columns) what amplifiers take from their columns, but for what charges feedback capacitors."""
        columns = self._column_nodes(nodes)
        if not self.amplifiers.holds:
            return self.amplifiers.drawn(columns[:, :, -1], self._amplifier_nodes(nodes)[1])
        if self.chained_columns:
            return np.asarray((columns[:, :, -2] - columns[:, :, -1]) * self.column_s[-1] + self.crossbar.bias_a)
        device_a = self.junctions.at(self._across(nodes, rows_v))[0]
        return np.asarray(device_a.sum(axis=1) + self.crossbar.bias_a)
