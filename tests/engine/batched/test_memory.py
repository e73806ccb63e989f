"""The memory that is announced: never less than what is taken, and not absurdly more."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from circuits import LINE, inputs_for, load_device, network, specimen_of
from periods import design_of_periods, period

from kanspice.circuit import stability
from kanspice.devices import PiecewisePolynomial
from kanspice.engine.batched import solve, wired
from kanspice.engine.batched.memory import most_crossings
from kanspice.engine.options import RunOptions

TECHNOLOGIES = {
    "gain": ("tia.gain=1000",),
    "columns that move far": ("tia.gain=20", "tia.rail_v=20"),
    "shifts": ("tia.gain=1000", "devices.shift_sigma_v=0.01"),
    "wires": ("tia.gain=1000", "wires.row_ohm=1", "wires.column_ohm=1"),
}
RESISTIVE = ("tia.gain=1000", "tia.rail_v=1000", "wires.row_ohm=200", "wires.column_ohm=200", "wires.driver_ohm=1000")


def taken_and_announced(design, inputs):
    said = []
    tracemalloc.start()
    try:
        solve(design, inputs, "device", RunOptions(check_samples=2), progress=said.append)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return taken, said[0].simulator_bytes


@pytest.mark.slow
@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_crossbars(name):
    model = network([60, 40, 10], [load_device("z21"), load_device("a21")], seed=1)
    inputs = inputs_for(model, 30)
    taken, announced = taken_and_announced(specimen_of(model, inputs, *TECHNOLOGIES[name]), inputs)
    assert taken <= announced <= 20 * taken


@pytest.mark.parametrize("nodes", [3, 90])
def test_periods(nodes):
    rng = np.random.default_rng(0)
    edges = [(first, second) for first in range(nodes + 1) for second in range(nodes + 1) if first != second]
    theta = rng.normal(size=(2, len(edges))) / nodes
    design = design_of_periods(*(period("ShiftRelu1", edges, theta, duration=0.05, index=index) for index in (1, 2)))
    solve(design, np.zeros((2, nodes)), "device", RunOptions(check_samples=0))  # what is loaded once is no run's
    taken, announced = taken_and_announced(design, rng.normal(size=(20, nodes)))
    assert taken <= announced <= 20 * taken


def test_breakpoints_within_reach_of_each_other():
    curve = PiecewisePolynomial(np.array([0.0, 1.0, 1.2, 1.3, 3.0]), np.zeros((4, 2)))
    assert [most_crossings(curve, reach) for reach in (0.0, 0.04, 0.06, 0.1, 0.2, 2.0)] == [1, 1, 2, 2, 3, 5]


@pytest.mark.slow
def test_states_that_are_tested(monkeypatch):
    """As many rounds as there can be, of everything that is found in rounds."""
    monkeypatch.setattr(stability, "_CERTAIN", 0.0)
    monkeypatch.setattr(wired, "_INNER", 0.0)
    model = network([15, 10], [load_device("z21")], seed=1)
    inputs = inputs_for(model, 8)
    taken, announced = taken_and_announced(specimen_of(model, inputs, *RESISTIVE), inputs)
    assert taken <= announced <= 10 * taken


def test_states_that_are_searched_for():
    model = network([10, 60], [load_device("z21")], seed=1)
    inputs = inputs_for(model, 2)
    taken, announced = taken_and_announced(specimen_of(model, inputs, "tia.gain=1.2", "tia.rail_v=40"), inputs)
    assert taken <= announced


def test_resistances_behind_wires():
    model = network([300, 3], [LINE], seed=1)
    inputs = inputs_for(model, 4)
    taken, announced = taken_and_announced(specimen_of(model, inputs, *RESISTIVE), inputs)
    assert taken <= announced <= 10 * taken
