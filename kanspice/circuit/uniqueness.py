"""Whether a crossbar's columns have one possible voltage each: devices of negative slope can give several.

A column at voltage c solves `f(c) = sum of scale phi(row - c) + bias - drawn(c) = 0`: its amplifier draws the last.
Where f always falls there is one solution; it can rise only where the devices' negative slopes outweigh the amplifier.
A column moves by little, so a device has only the slopes near its row's voltage; where even the steepest of these
cannot outweigh the amplifier, nothing is searched.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.circuit.amplifiers import least_slope
from kanspice.circuit.bounds import column_bounds_v
from kanspice.circuit.design import Design
from kanspice.circuit.stages import Crossbar
from kanspice.circuit.stages.crossbar import largest_currents
from kanspice.circuit.state_search import crossings
from kanspice.circuit.steepness import Near, falls
from kanspice.circuit.wires import lost_v

_BOUND_ROUNDS, _POSITIVE = 20, 1e-12
_STEP = 1 / 700
"""Of a device's range: how finely column voltages are searched."""


def swings_without_wires(design: Design) -> bool:
    """Whether amplifiers have a swing, in crossbars of which every column's states can be counted."""
    crossbars = design.crossbars
    return any(math.isfinite(each.swing_v) for each in crossbars) and not any(each.has_wires for each in crossbars)


def solution_counts(design: Design, crossbar: Crossbar, rows_v: Array) -> npt.NDArray[np.int64]:
    """Number of possible voltages of every column, positive and negative in turn: (samples, 2 * pairs).

    rows_v: (samples, rows), volts.
    """
    doubtful = doubtful_columns(design, crossbar, rows_v)
    if not doubtful.any():
        return np.ones(doubtful.shape, dtype=np.int64)
    return np.where(doubtful, crossings(design, crossbar, rows_v, _search_grid(design, crossbar), doubtful), 1)


def doubtful_columns(design: Design, crossbar: Crossbar, rows_v: Array) -> npt.NDArray[np.bool_]:
    """Which columns could have several voltages, by the steepest falls of their devices alone: (samples, 2 * pairs).

    rows_v: (samples, rows), volts.
    """
    if crossbar.holds_columns or _always_falls(design, crossbar):
        return np.zeros((len(rows_v), 2 * crossbar.width), dtype=bool)
    return ~_falls_within_reach(design, crossbar, rows_v)


def wires_leave_one_state(design: Design, crossbar: Crossbar, rows_v: Array | None = None) -> npt.NDArray[np.bool_]:
    """True where a crossbar with wires certainly has one state: (samples,) for rows (samples, rows) in volts.

    Without rows (1,): for whatever they are driven with.
    What crosspoints lose is P I(d), P the positive semidefinite map from currents to losses. Two states would need a
    direction in which devices, at their steepest falls G, return all that P takes: sqrt(G) P sqrt(G) of norm 1 or more.
    P G has the same eigenvalues and no negative entries, so that the largest is at most max (P G x) / x for any x > 0.
    A device has only the falls within reach of its row's voltage: what its largest losses and shift can take it to.
    """
    ohm = np.zeros(2 * crossbar.width) if crossbar.holds_columns else 1 / least_slope(crossbar)
    by_device = crossbar.current_unit_a / design.input_v_per_unit * crossbar.column_area
    siemens = (by_device @ np.array([falls(device).max() for device in design.devices]))[None]
    if not siemens.any():  # nothing falls
        return np.ones(1 if rows_v is None else len(rows_v), dtype=bool)
    anywhere = _returned(crossbar, siemens, ohm) < 1
    if rows_v is None:
        return np.asarray(anywhere)
    certain = np.broadcast_to(anywhere, len(rows_v)).copy()
    if anywhere[0]:
        return certain
    units, reach = design.input_v_per_unit, _reach_v(design, crossbar) / design.input_v_per_unit
    near = np.stack([Near(device, falls(device), reach).at(rows_v / units) for device in design.devices], axis=-1)
    for place, steepest in enumerate(near):
        certain[place] = _returned(crossbar, np.einsum("rkd,rd->rk", by_device, steepest)[None], ohm)[0] < 1
    return certain


def _returned(crossbar: Crossbar, siemens: Array, ohm: Array) -> Array:
    """At least the largest part of a loss (samples,) that falls of siemens (samples, rows, columns) can return."""
    x, bound = np.ones_like(siemens), np.full(len(siemens), np.inf)
    for _ in range(_BOUND_ROUNDS):
        currents = siemens * x
        image = lost_v(crossbar, currents, ohm * currents.sum(axis=1)) + _POSITIVE
        bound = np.minimum(bound, (image / x).max(axis=(1, 2)))
        x = image / image.max(axis=(1, 2), keepdims=True)
    return bound


def _reach_v(design: Design, crossbar: Crossbar) -> float:
    """By how much the voltage of a device can differ from its row's, at most."""
    largest_a = crossbar.column_area @ largest_currents(design.devices) * crossbar.current_unit_a
    in_wires_v = lost_v(crossbar, largest_a[None], np.zeros((1, 2 * crossbar.width))).max()
    return float(in_wires_v + column_bounds_v(design)[crossbar.name].max() + np.abs(crossbar.shift_v).max(initial=0.0))


def _always_falls(design: Design, crossbar: Crossbar) -> bool:
    """True when no column's devices together can fall more steeply than its amplifier rises."""
    steepest = crossbar.column_area.sum(axis=0) @ np.array([falls(device).max() for device in design.devices])
    return bool(np.all(steepest < _held_siemens(design, crossbar)))


def _falls_within_reach(design: Design, crossbar: Crossbar, rows_v: Array) -> npt.NDArray[np.bool_]:
    """(samples, 2 * pairs) True where it holds of devices whose columns are within their bounds."""
    units, reach = design.input_v_per_unit, _reach_v(design, crossbar) / design.input_v_per_unit
    near = np.stack([Near(device, falls(device), reach).at(rows_v / units) for device in design.devices], axis=-1)
    area = crossbar.column_area.transpose(0, 2, 1).reshape(-1, 2 * crossbar.width)
    return np.asarray(near.reshape(len(rows_v), -1) @ area < _held_siemens(design, crossbar))


def _held_siemens(design: Design, crossbar: Crossbar) -> Array:
    """What an amplifier holds its column with at least, in current units per model unit, (2 * pairs,)."""
    siemens: Array = least_slope(crossbar) * design.input_v_per_unit / crossbar.current_unit_a
    return siemens


def _search_grid(design: Design, crossbar: Crossbar) -> Array:
    """Voltages from one worst case to the other, (points,)."""
    bound_v = column_bounds_v(design)[crossbar.name].max()
    range_v = min(device.curve.hi_v - device.curve.lo_v for device in design.devices) * design.input_v_per_unit
    return np.linspace(-bound_v, bound_v, 2 + int(2 * bound_v / (range_v * _STEP)))
