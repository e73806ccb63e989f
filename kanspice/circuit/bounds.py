"""The voltages that a design can produce at most: a result outside of them is numerical garbage, not physics."""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit.amplifiers import largest_columns_v
from kanspice.circuit.design import Design
from kanspice.circuit.stages.crossbar import largest_currents

_SLACK = 1.001
_FLOOR_V = 1e-6
_FLOOR = 1e-6
"""In units of current."""
_BEYOND_SUPPLY = 1.1
"""Of a supply: so far subcircuits may come."""


def output_bounds_v(design: Design, inputs_v: Array) -> dict[str, Array]:
    """Stage name -> largest possible |output|, (width,) volts, for inputs of at most |inputs_v| (inputs,) volts."""
    bounds: dict[str, Array] = {}
    before_v = inputs_v[: design.input_width]
    for stage in design.stages:
        before_v = bounds[stage.name] = stage.largest_v(design, before_v, bounds) * _SLACK + _FLOOR_V
    return {name: _of_subcircuits(design, largest_v) for name, largest_v in bounds.items()}


def column_bounds_v(design: Design) -> dict[str, Array]:
    """Crossbar name -> largest possible |column voltage|, (2 * pairs,), positive and negative in turn."""
    largest = largest_currents(design.devices)
    bounds = {}
    for crossbar in design.crossbars:
        largest_v = largest_columns_v(crossbar, crossbar.largest_column_currents_a(largest))
        bounds[crossbar.name] = _of_subcircuits(design, largest_v * _SLACK + _FLOOR_V)
    return bounds


def _of_subcircuits(design: Design, largest_v: Array) -> Array:
    """What amplifiers that are subcircuits may do besides: nothing is known of them but their supplies."""
    if design.realised is None:
        return largest_v
    amplifier = design.realised.amplifier
    return np.maximum(largest_v, _BEYOND_SUPPLY * max(abs(amplifier.vdd_v), abs(amplifier.vss_v)))


def amplifier_bounds_v(design: Design) -> dict[str, Array]:
    """Crossbar name -> largest possible |output| of its columns' amplifiers, (2 * pairs,)."""
    largest, columns = largest_currents(design.devices), column_bounds_v(design)
    needed = {c.name: c.feedback_ohm * c.largest_column_currents_a(largest) * _SLACK for c in design.crossbars}
    return {name: columns_v + needed[name] for name, columns_v in columns.items()}


def current_bounds_a(design: Design) -> dict[str, tuple[Array, Array]]:
    """Crossbar name -> largest |current| of its rows, (rows,), and into its columns' amplifiers, (2 * pairs,), amps."""
    largest, bounds = largest_currents(design.devices), {}
    for crossbar in design.crossbars:
        columns_a = crossbar.largest_column_currents_a(largest) * _SLACK + _FLOOR * crossbar.current_unit_a
        bounds[crossbar.name] = np.full(crossbar.rows, columns_a.sum()), columns_a
    return bounds


def is_settled(design: Design) -> bool:
    """True where each bank behind its switches has one possible state at every moment.

    A bank's voltages are the nodes' less on_ohm times its currents, which depend on them: that is a contraction, and so
    has one solution, where on_ohm times all slopes at a node is below 1.
    """
    if design.switching is None:
        return True
    return all(design.switching.on_ohm * period.steepest_siemens() < 1 for period in design.periods)
