"""The voltages that a design can produce at most: a result outside of them is numerical garbage, not physics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kanspice.design.stages import Array, Crossbar, Design, LayerNorm, Limiter, Stage
from kanspice.devices import Device

_SLACK = 1.001
_FLOOR_V = 1e-6
_GRID = 4001


def output_bounds_v(design: Design) -> dict[str, Array]:
    """Stage name -> largest possible |output|, (width,) volts; infinite where nothing bounds it."""
    largest = largest_currents(design.devices)
    return {stage.name: _bound(stage, largest) * _SLACK + _FLOOR_V for stage in design.stages}


def column_bounds_v(design: Design) -> dict[str, Array]:
    """Crossbar name -> largest possible |column voltage|, (2 * pairs,), positive and negative in turn."""
    largest = largest_currents(design.devices)
    bounds = {}
    for crossbar in design.crossbars:
        amps = _column_currents(crossbar, largest)
        bounds[crossbar.name] = amps * crossbar.feedback_ohm / (1 + crossbar.open_loop_gain) * _SLACK + _FLOOR_V
    return bounds


def _bound(stage: Stage, largest: Array) -> Array:
    if isinstance(stage, Limiter):
        limit = {
            "clip": max(abs(stage.low_v), abs(stage.high_v)),
            "sigmoid": stage.unit_v,
            "tanh": stage.unit_v,
            "none": np.inf,
        }[stage.kind]
        return np.full(stage.width, limit)
    if isinstance(stage, LayerNorm):
        largest_v: Array = np.abs(stage.gain_v) * np.sqrt(stage.width) + np.abs(stage.offset_v)
        return largest_v
    columns_v: Array = _column_currents(stage, largest) * stage.feedback_ohm
    return columns_v.reshape(-1, 2).sum(axis=1) * stage.subtractor_gain


def _column_currents(crossbar: Crossbar, largest: Array) -> Array:
    """Worst-case |current| of every column, amps, bias included."""
    positive = np.maximum(crossbar.area, 0).sum(axis=0) @ largest * crossbar.current_unit_a
    negative = np.maximum(-crossbar.area, 0).sum(axis=0) @ largest * crossbar.current_unit_a
    positive = positive + np.maximum(crossbar.bias_a, 0)
    negative = negative + np.maximum(-crossbar.bias_a, 0)
    return np.stack([positive, negative], axis=1).ravel()


def largest_currents(devices: Sequence[Device]) -> Array:
    """max |phi_k| of every device type over its range, in current units, (K,)."""
    curves = [device.curve for device in devices]
    return np.array([np.abs(curve.numpy(np.linspace(curve.lo_v, curve.hi_v, _GRID))[0]).max() for curve in curves])
