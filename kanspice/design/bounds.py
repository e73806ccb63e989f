"""The voltages that a design can produce at most: a result outside of them is numerical garbage, not physics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kanspice.design import filters, synapses
from kanspice.design.amplifiers import largest_columns_v
from kanspice.design.branches import growth, slopes
from kanspice.design.connections import FilterBank, SynapseBank
from kanspice.design.ideal import carried_v
from kanspice.design.stages import (
    Array,
    Connections,
    Crossbar,
    Design,
    DigitalLayer,
    HeldSum,
    LayerNorm,
    Limiter,
    OdePeriod,
    ReadOut,
    Stage,
)
from kanspice.devices import Device

_SLACK = 1.001
_FLOOR_V = 1e-6
_FLOOR = 1e-6
"""In units of current."""
_LARGEST_DRAWN = 10.0
"""Standard deviations that no sample's noise exceeds, nor how late its outputs are taken."""


def output_bounds_v(design: Design, inputs_v: Array) -> dict[str, Array]:
    """Stage name -> largest possible |output|, (width,) volts, for inputs of at most |inputs_v| (inputs,) volts."""
    largest = largest_currents(design.devices)
    bounds: dict[str, Array] = {}
    before_v = inputs_v[: design.input_width]
    for stage in design.stages:
        before_v = bounds[stage.name] = _bound(design, stage, largest, before_v, bounds) * _SLACK + _FLOOR_V
    return bounds


def column_bounds_v(design: Design) -> dict[str, Array]:
    """Crossbar name -> largest possible |column voltage|, (2 * pairs,), positive and negative in turn."""
    largest = largest_currents(design.devices)
    bounds = {}
    for crossbar in design.crossbars:
        largest_v = largest_columns_v(crossbar, largest_column_currents_a(crossbar, largest))
        bounds[crossbar.name] = largest_v * _SLACK + _FLOOR_V
    return bounds


def amplifier_bounds_v(design: Design) -> dict[str, Array]:
    """Crossbar name -> largest possible |output| of its columns' amplifiers, (2 * pairs,)."""
    largest, columns = largest_currents(design.devices), column_bounds_v(design)
    needed = {c.name: c.feedback_ohm * largest_column_currents_a(c, largest) * _SLACK for c in design.crossbars}
    return {name: columns_v + needed[name] for name, columns_v in columns.items()}


def current_bounds_a(design: Design) -> dict[str, tuple[Array, Array]]:
    """Crossbar name -> largest |current| of its rows, (rows,), and into its columns' amplifiers, (2 * pairs,), amps."""
    largest, bounds = largest_currents(design.devices), {}
    for crossbar in design.crossbars:
        columns_a = largest_column_currents_a(crossbar, largest) * _SLACK + _FLOOR * crossbar.current_unit_a
        bounds[crossbar.name] = np.full(crossbar.rows, columns_a.sum()), columns_a
    return bounds


def _bound(design: Design, stage: Stage, largest: Array, before_v: Array, earlier_v: Mapping[str, Array]) -> Array:
    if isinstance(stage, Limiter):
        return _limiter_bound(stage, before_v)
    if isinstance(stage, LayerNorm | DigitalLayer):
        return _formula_bound(stage, before_v)
    if isinstance(stage, OdePeriod):
        return np.full(stage.width, _largest_node_v(design, stage, float(stage.start_v(before_v[None, :]).max())))
    if isinstance(stage, HeldSum | ReadOut):
        return carried_v(stage, before_v, earlier_v)
    if isinstance(stage, FilterBank | SynapseBank):
        return _bank_bound(stage, before_v)
    columns_v: Array = largest_column_currents_a(stage, largest) * stage.feedback_ohm + np.abs(stage.offset_v)
    outputs_v: Array = columns_v.reshape(-1, 2).sum(axis=1) * stage.subtractor_gain
    return outputs_v


def _formula_bound(stage: LayerNorm | DigitalLayer, before_v: Array) -> Array:
    from_inputs: Array
    if isinstance(stage, LayerNorm):
        from_inputs = np.abs(stage.gain_v) * np.sqrt(stage.width)
    else:
        from_inputs = before_v @ np.abs(stage.weight)
    return from_inputs + np.abs(stage.offset_v)


def _limiter_bound(stage: Limiter, before_v: Array) -> Array:
    before_v = before_v + np.abs(stage.shift_v)
    if stage.kind == "none":
        return before_v
    limit = max(abs(stage.low_v), abs(stage.high_v)) if stage.kind == "clip" else stage.unit_v
    limits: Array = np.full(stage.width, limit)
    # beyond its level a clamp loses knee * exp(how far beyond / knee), which is at most what it gets
    return limits + stage.knee_v * np.log1p(before_v / stage.knee_v) if stage.knee_v > 0 else limits


def _bank_bound(bank: Connections, before_v: Array) -> Array:
    if isinstance(bank, FilterBank):
        return filters.largest_output_v(bank)
    return synapses.largest_output_v(bank, before_v) + _LARGEST_DRAWN * bank.read_noise_v


def is_settled(design: Design) -> bool:
    """True where each bank behind its switches has one possible state at every moment.

    A bank's voltages are the nodes' less on_ohm times its currents, which depend on them: that is a contraction, and so
    has one solution, where on_ohm times all slopes at a node is below 1.
    """
    if design.switching is None:
        return True
    return all(
        design.switching.on_ohm
        * period.current_unit_a
        / period.unit_v
        * _at_node(period, period.gain * slopes(period.law, period.theta))
        < 1
        for period in design.periods
    )


def _at_node(period: OdePeriod, parts: Array) -> float:
    """The largest sum at any node over the branches that end there, of numbers (branches,)."""
    at_node = np.zeros(period.nodes + 1)
    np.add.at(at_node, period.source, parts)
    np.add.at(at_node, period.destination, parts)
    return float(at_node[1:].max())


def _largest_node_v(design: Design, period: OdePeriod, start_v: float) -> float:
    """Gronwall: with d|v|/dt at most a |v| + b for the largest voltage, |v| grows to (|v| + b t) e^(a t) at most.

    Behind a switch of resistance R, voltages differ from the nodes' by at most R times the current. What nodes lose
    only makes them smaller.
    """
    slope, offset = growth(period.law, period.theta)
    if design.schematic is not None:
        offset = offset * np.maximum(1.0, design.schematic.pair_saturation * period.tail)
    totals = [_at_node(period, period.gain * part) for part in (slope, offset)]
    if design.switching is not None:
        left = 1 - design.switching.on_ohm * totals[0] * period.current_unit_a / period.unit_v
        if left <= 0:
            return float("inf")
        totals = [total / left for total in totals]
    on_s = period.period_s + period.late_off_s + _LARGEST_DRAWN * design.jitter_s
    time = on_s * period.current_unit_a / float(period.capacitor_f.min()) / period.unit_v
    pushed_v = float((np.abs(period.injected_c) / period.capacitor_f).max())
    with np.errstate(over="ignore"):
        return float((start_v + pushed_v + totals[1] * time * period.unit_v) * np.exp(totals[0] * time))


def largest_column_currents_a(crossbar: Crossbar, largest: Array) -> Array:
    """Worst-case |current| of every column, amps, bias included."""
    currents_a: Array = crossbar.column_area.sum(axis=0) @ largest * crossbar.current_unit_a
    return currents_a + np.abs(crossbar.bias_a)


def largest_currents(devices: Sequence[Device]) -> Array:
    """max |phi_k| of every device type over its range, in current units, (K,)."""
    largest: Array = np.abs(current_ranges(devices)).max(axis=0)
    return largest


def current_ranges(devices: Sequence[Device]) -> Array:
    """Smallest and largest phi_k of every device type over its range, in current units, (2, K)."""
    currents = [device.sampled[0] for device in devices]
    return np.array([[amps.min() for amps in currents], [amps.max() for amps in currents]])
