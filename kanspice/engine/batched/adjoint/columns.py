"""Gradients of a crossbar without wires, by the implicit function theorem: one scalar equation for every column.

A column at c solves f(c) = current(c) + bias - drawn(c) = 0, and its amplifier gives e(c) = c - R drawn(c). A loss
that grows by g per volt of e grows by g de/dc of c; what moves f by df moves c by -df / f'. So a current into the
column counts mu = -g (de/dc) / f', and all else follows from what it does to currents (`Currents.pulled_back`), to
what is drawn, and to e itself. Where f' is zero a column is about to jump: there is no gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Flags
from kanspice.circuit import Crossbar
from kanspice.circuit.amplifiers import drawn_a
from kanspice.devices import Device
from kanspice.engine.batched.adjoint.bends import bend_gradients
from kanspice.engine.batched.adjoint.gradients import CrossbarGradients
from kanspice.engine.batched.array_devices import host
from kanspice.engine.batched.currents import Currents

_FOLD = 1e-9
"""Of what devices and amplifiers change by each, per volt: what cancels to less than this is a fold."""


@dataclass(frozen=True)
class SettledColumns:
    """A crossbar as it settled: rows_v (samples, rows); columns_v and amplifier_a (samples, 2 * pairs).

    unit_v: volts that the unit of the curves' voltages is.
    """

    crossbar: Crossbar
    rows_v: Array
    columns_v: Array
    amplifier_a: Array
    unit_v: float


def column_gradients(
    settled: SettledColumns, currents: Currents, gradient_v: Array, devices: Sequence[Device] = ()
) -> CrossbarGradients:
    """How a loss changes, which changes by gradient_v (samples, 2 * pairs) per volt of each amplifier's output.

    devices: all types, where gradients by what bends their curves are wanted.
    Where an amplifier is exactly at its swing the derivative is that of one beyond it.
    """
    crossbar, rows_v, unit_v = settled.crossbar, settled.rows_v, settled.unit_v
    columns_v = settled.columns_v
    everyone = np.arange(len(columns_v))
    slope = host(currents.at(currents.processor.array(columns_v), everyone)[1]) * crossbar.current_unit_a
    found = column_effects(settled, slope, gradient_v)
    back = currents.pulled_back(columns_v, found.into * crossbar.current_unit_a)
    # what curves of wider units change by is what all voltages of devices would, if these were smaller instead
    seen = float((back.rows_v * rows_v).sum() + (found.into * slope * columns_v).sum())
    if back.shift_v is not None:
        seen += float((_of_all_types(crossbar, back.shift_v) * np.repeat(crossbar.shift_v, 2, axis=1)).sum())
    by_area = _of_all_types(crossbar, back.area)
    series, stretch = bend_gradients(
        *(crossbar, devices, unit_v),
        seen_v=lambda row, column: rows_v[:, row] - columns_v[:, column],
        counts=lambda _, column: found.into[:, column],
    )
    return CrossbarGradients(
        rows_v=back.rows_v,
        column_area=by_area,
        shift_v=None if back.shift_v is None else _of_all_types(crossbar, back.shift_v),
        bias_a=found.into.sum(axis=0),
        feedback_ohm=found.feedback.sum(axis=0),
        offset_v=found.offset.sum(axis=0),
        open_loop_gain=float(found.gain.sum()),
        output_ohm=float(found.output.sum()),
        swing_v=float(found.swing.sum()),
        unit_v=-seen / unit_v,
        current_unit_a=float((by_area * crossbar.column_area).sum()) / crossbar.current_unit_a,
        without=found.without,
        series=series,
        stretch=stretch,
    )


def column_effects(settled: SettledColumns, slope: Array, gradient_v: Array) -> ColumnEffects:
    """The same of what belongs to a column, sample by sample. slope: (samples, 2 * pairs), siemens, of its devices."""
    if settled.crossbar.holds_columns:
        return _held(settled.crossbar, slope, settled.amplifier_a, gradient_v)
    return _driven(settled.crossbar, slope, settled.columns_v, settled.amplifier_a, gradient_v)


def amplifier_gradients(crossbar: Crossbar, outputs_v: Array, gradient: Array) -> Array:
    """Gradients (samples, many, 2 * pairs) by what the amplifiers of columns give, of those by what subtractors give.

    gradient: (samples, many, pairs). outputs_v: (samples, pairs); beyond their swing subtractors follow nothing.
    """
    free = np.abs(outputs_v) < crossbar.swing_v
    found = np.empty((*gradient.shape[:2], 2 * crossbar.width))
    found[..., 1::2] = gradient * free[:, None, :] * crossbar.subtractor_gain
    found[..., ::2] = -found[..., 1::2]
    return found


def _of_all_types(crossbar: Crossbar, values: Array) -> Array:
    """Of values (rows, columns, types that it has, or all): zero for types that it has none of."""
    if values.shape == crossbar.column_area.shape:
        return values
    everything = np.zeros_like(crossbar.column_area)
    everything[:, :, crossbar.types] = values
    return everything


@dataclass(frozen=True)
class ColumnEffects:
    """(samples, columns) each: by a current into the column, and by what is an amplifier's.

    without: (samples,) that have no gradient.
    """

    into: Array
    offset: Array
    feedback: Array
    gain: Array
    output: Array
    swing: Array
    without: Flags


def _held(crossbar: Crossbar, slope: Array, into_a: Array, gradient_v: Array) -> ColumnEffects:
    """Columns that stay at their offsets: e = offset - R I, as far as the swing allows. With a gain A that is large,

    columns are off by (e - offset) / A: nothing at A = inf, by A as by anything else.
    """
    wanted_v = crossbar.offset_v - crossbar.feedback_ohm * into_a
    free = np.abs(wanted_v) < crossbar.swing_v
    into, nothing = np.where(free, -crossbar.feedback_ohm * gradient_v, 0.0), np.zeros_like(gradient_v)
    return ColumnEffects(
        into=into,
        offset=np.where(free, gradient_v, 0.0) + into * slope,
        feedback=np.where(free, -into_a * gradient_v, 0.0),
        gain=nothing,
        output=nothing,
        swing=np.where(free, 0.0, np.sign(wanted_v) * gradient_v),
        without=np.zeros(len(gradient_v), dtype=bool),
    )


def _driven(crossbar: Crossbar, slope: Array, columns_v: Array, into_a: Array, gradient_v: Array) -> ColumnEffects:
    """Columns that their amplifiers hold with a finite gain: drawn = (c - stage(c)) / (R + Ro)."""
    siemens = 1 / (crossbar.feedback_ohm + crossbar.output_ohm)
    gain, error_v = crossbar.open_loop_gain, crossbar.offset_v - columns_v
    is_free = np.abs(gain * error_v) < crossbar.swing_v
    drawn_slope = drawn_a(crossbar, columns_v)[1]
    excess_slope = slope - drawn_slope
    without = np.asarray((np.abs(excess_slope) <= _FOLD * (np.abs(slope) + drawn_slope)).any(axis=1))
    safe = np.where(without[:, None], 1.0, excess_slope)
    passed = np.where(without[:, None], 0.0, gradient_v)
    into = -passed * (1 - crossbar.feedback_ohm * drawn_slope) / safe
    by_drawn = -passed * crossbar.feedback_ohm - into
    """By what is drawn: it lowers e, and it is a current out of the column."""
    by_output = -by_drawn * into_a * siemens
    return ColumnEffects(
        into=into,
        offset=by_drawn * np.where(is_free, -gain * siemens, 0.0),
        feedback=by_output - passed * into_a,
        gain=by_drawn * np.where(is_free, -error_v * siemens, 0.0),
        output=by_output,
        swing=by_drawn * np.where(is_free, 0.0, -np.sign(error_v) * siemens),
        without=without,
    )
