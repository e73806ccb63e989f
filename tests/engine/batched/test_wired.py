"""Crossbars with wires: against linear algebra, against ngspice, and where they have no answer."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from circuits import LINE, PEAK, crossbar_design, inputs_for, load_device, network, polynomial_device, specimen_of
from hypothesis import given, settings
from hypothesis import strategies as st

from kanspice.base.errors import InputError
from kanspice.circuit.uniqueness import wires_leave_one_state
from kanspice.circuit.wires import lost_v
from kanspice.engine.batched import solve
from kanspice.engine.batched.crosspoints import WholeCrosspoints
from kanspice.engine.batched.wired import gmres, settle_wires
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.solution import Outcome

pytestmark = pytest.mark.slow

WIRES = ("wires.row_ohm=10.0", "wires.column_ohm=20.0", "wires.driver_ohm=50.0")


def wired_design(devices, area, *, row=0.0, column=0.0, driver=0.0, **amplifiers):
    design = crossbar_design(devices, area, **amplifiers)
    return with_crossbar(design, row_ohm=row, column_ohm=column, driver_ohm=driver)


def with_crossbar(design, **changes):
    return replace(design, stages=(design.stages[0], replace(design.stages[1], **changes)))


def node_analysis(crossbar, rows_v):
    """Column currents (2 * pairs,) of a crossbar of lines, I = area * V uA, its columns held at 0 V: by the textbook.

    Nodes are numbered rows first, then columns, each crosspoint one; all resistances are above 0.
    """
    rows, pairs, _ = crossbar.area.shape
    columns = 2 * pairs
    conductance = np.zeros((rows, columns))
    conductance[:, ::2], conductance[:, 1::2] = (
        np.maximum(crossbar.area[:, :, 0], 0),
        np.maximum(-crossbar.area[:, :, 0], 0),
    )
    size = rows * columns
    matrix, right = np.zeros((2 * size, 2 * size)), np.zeros(2 * size)

    def connect(first, second, siemens):
        matrix[first, first] += siemens
        matrix[second, second] += siemens
        matrix[first, second] -= siemens
        matrix[second, first] -= siemens

    for row in range(rows):
        for column in range(columns):
            node = row * columns + column
            connect(node, size + node, conductance[row, column] * crossbar.current_unit_a)
            if column == 0:
                siemens = 1 / (crossbar.driver_ohm + crossbar.row_ohm)
                matrix[node, node] += siemens
                right[node] += siemens * rows_v[row]
            else:
                connect(node - 1, node, 1 / crossbar.row_ohm)
            if row == rows - 1:
                matrix[size + node, size + node] += 1 / crossbar.column_ohm
            else:
                connect(size + node, size + node + columns, 1 / crossbar.column_ohm)
    volts = np.linalg.solve(matrix, right)
    return volts[-columns:] / crossbar.column_ohm


@pytest.mark.parametrize("ohm", [1e-3, 1.0, 1e3, 1e5])
def test_a_linear_crossbar_is_what_node_analysis_makes_of_it(ohm):
    rng = np.random.default_rng(1)
    area = rng.normal(0, 1, (9, 4, 1))
    design = wired_design([LINE], area, row=ohm, column=0.7 * ohm, driver=3 * ohm, feedback=1e5, rail=1e3)
    inputs = rng.uniform(-1, 1, (5, 9))
    solution = solve(design, inputs, "device", RunOptions(check_samples=0))
    expected = np.array([node_analysis(design.stages[1], rows_v) for rows_v in inputs])
    outputs = 1e5 * (expected[:, ::2] - expected[:, 1::2])
    assert solution.failed == ()
    np.testing.assert_allclose(solution.stage_v["l1.crossbar"], outputs, rtol=0, atol=1e-9 * outputs.std())


def test_one_device_behind_a_driver_its_wires_and_an_amplifier():
    """2 uA/V behind 1 + 2 + 3 kohm, at an amplifier whose input is 1 Mohm / (1 + 9): 2.1 V divided."""
    design = wired_design([LINE], [[[2.0]]], row=2e3, column=3e3, driver=1e3, gain=9.0)
    solution = solve(design, np.array([[2.1]]), "device")
    current = 2.1 / (5e5 + 1e3 + 2e3 + 3e3 + 1e5)
    np.testing.assert_allclose(solution.column_v["l1.crossbar"], [[current * 1e5, 0.0]], rtol=1e-12)


def test_losses_are_those_of_a_ladder():
    """1 A at row 0, column 1: driver and 2 segments of the row; 2 segments of the column, of which row 1 shares one."""
    design = wired_design([LINE], np.ones((2, 2, 1)), row=1.0, column=10.0, driver=100.0)
    currents = np.zeros((1, 2, 4))
    currents[0, 0, 1] = 1.0
    lost = lost_v(design.stages[1], currents, np.zeros((1, 4)))[0]
    np.testing.assert_allclose(lost, [[101, 102 + 20, 102, 102], [0, 10, 0, 0]])


def test_badcrossbar_agrees_on_resistors():
    """Where a device is missing it is told of an infinite resistance."""
    how = "needs badcrossbar: pip install --no-deps badcrossbar pathvalidate"
    badcrossbar = pytest.importorskip("badcrossbar", reason=how)
    rng = np.random.default_rng(4)
    area = rng.normal(size=(12, 5, 1))
    design = wired_design([LINE], area, row=3.0, column=3.0, feedback=1e4)
    inputs = rng.normal(size=(7, 12))
    siemens = np.stack([np.maximum(area[:, :, 0], 0), np.maximum(-area[:, :, 0], 0)], axis=2).reshape(12, 10) * 1e-6
    with np.errstate(divide="ignore"):
        amps = badcrossbar.compute(inputs.T, 1 / siemens, r_i=3.0).currents.output
    found = solve(design, inputs, "device").stage_v["l1.crossbar"]
    expected = 1e4 * (amps[:, ::2] - amps[:, 1::2])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * expected.std())


@pytest.mark.ngspice
@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    wires=st.tuples(*[st.sampled_from([0.0, 1.0, 10.0, 300.0])] * 3).filter(any),
    gain=st.sampled_from([np.inf, 1e4, 300.0]),
    spreads=st.sampled_from([(), ("devices.area_sigma=0.1", "tia.offset_sigma_v=2e-3", "tia.feedback_sigma=0.02")]),
    names=st.sampled_from([("z21",), ("a21", "z15"), ("rtd",), ("zaz21", "nmos_2n7002")]),
    seed=st.integers(0, 1000),
)
def test_ngspice_agrees(wires, gain, spreads, names, seed):
    model = network([5, 4, 2], [load_device(name) for name in names], seed=seed)
    inputs = inputs_for(model, 6, seed)
    row, column, driver = wires
    ohms = (f"wires.row_ohm={row}", f"wires.column_ohm={column}", f"wires.driver_ohm={driver}")
    sized = ("units.i_unit_a=1e-6", f"tia.gain={gain}", "tia.rail_v=1000.0", "tia.headroom=0.01")
    design = specimen_of(model, inputs, *sized, *ohms, *spreads)
    judge = ngspice.solve(design, inputs, "device", RunOptions(check_samples=0))
    found = solve(design, inputs, "device")
    assert judge.failed == found.failed == ()
    for name, volts in judge.stage_v.items():
        scale = max(float(volts.std()), 1e-12)
        np.testing.assert_allclose(found.stage_v[name], volts, rtol=0, atol=1e-6 * scale)


def test_falling_currents_behind_strong_wires_are_followed_from_ideal_ones():
    """A tunnel diode's fall of 2 uA/V, 1,000 devices wide, behind 200 ohm: beyond where one state is certain."""
    design = wired_design([PEAK], np.full((4, 3, 1), 300.0), row=200.0, column=300.0, feedback=1e2, rail=1e3)
    assert not wires_leave_one_state(design, design.stages[1])
    inputs = np.linspace(0.0, 1.2, 8)[:, None] * np.array([1.0, 0.8, 0.6, 0.4])
    solution = solve(design, inputs, "device")
    assert solution.solved.all()
    assert any("could give 8 samples several states" in note and "stable" in note for note in solution.notes)


def test_one_state_is_certain_where_wires_are_weak_or_nothing_falls():
    weak = wired_design([PEAK], np.ones((4, 3, 1)), row=10.0, column=10.0)
    assert wires_leave_one_state(weak, weak.stages[1])
    rising = wired_design([polynomial_device("up", [0.0, 1.0], [[0.0, 1.0]])], np.full((4, 3, 1), 1e4), row=1e3)
    assert wires_leave_one_state(rising, rising.stages[1])
    # one device of slope -2 uA/V behind R: several states from 0.5 Mohm on
    below, above = (wired_design([PEAK], [[[1.0]]], row=ohm) for ohm in (0.45e6, 0.55e6))
    assert wires_leave_one_state(below, below.stages[1])
    assert not wires_leave_one_state(above, above.stages[1])


# 2 uA/V up to 0.5 V, and then down at 80 uA/V: falls that wires of some hundred ohm return more than once.
CLIFF = polynomial_device("cliff", [0.0, 0.5, 0.51, 2.0], [[0.0, 2.0], [1.0, -80.0], [0.2, 0.1]])


def beyond_convergence(part=1.0):
    """32 devices of about 100 unit areas, and an input, with this part of resistances that are too much."""
    area = np.array([48, 120, 138, 62, 43, 74, 128, 115, 56, 96, 130, 95, 125, 172, 132, 90.0]).reshape(8, 2, 1)
    ohms = {"row": 200.0 * part, "column": 300.0 * part, "driver": 1e3 * part}
    strong = np.array([[0.57, 0.71, 0.86, 1.2, 1.1, 0.69, 1.23, 0.82]])
    return wired_design([CLIFF], area, **ohms, feedback=1e2, rail=1e9), strong


def test_what_does_not_converge_says_how_far_it_got_and_what_to_do():
    design, strong = beyond_convergence()
    solution = solve(design, np.concatenate([strong, 0.1 * strong]), "device", RunOptions(check_samples=0))
    (failure,) = solution.failed
    assert (failure.index, failure.outcome) == (0, Outcome.DIVERGED)
    seen = re.search(
        r"l1.crossbar leaves (\S+) A unbalanced; a state was found with (\S+) % of all res", failure.advice
    )
    assert 1e-7 < float(seen[1]) < 1e-3
    assert "lower the resistances of wires, drivers or switches" in failure.advice
    assert np.isnan(solution.stage_v["l1.crossbar"][0]).all()
    assert np.isfinite(solution.stage_v["l1.crossbar"][1]).all()
    less, strong = (beyond_convergence(0.9 * float(seen[2]) / 100 * part) for part in (1.0, 0.05))
    outcomes = [solve(*at, "device", RunOptions(check_samples=0)).failed for at in (less, strong)]
    assert [[failure.outcome for failure in failed] for failed in outcomes] == [[Outcome.MULTISTABLE], []]


def test_a_search_that_is_late_ends_with_what_it_has():
    design, strong = beyond_convergence()
    crossbar, curves = design.crossbars[0], [device.curve for device in design.devices]
    area = crossbar.column_area * crossbar.current_unit_a
    crosspoints = WholeCrosspoints(strong, curves, area, np.zeros_like(area))
    settled, _ = settle_wires(crossbar, crosspoints, strong, is_late=lambda: True)
    assert not settled.converged.any()
    assert settled.grown.tolist() == [0.0]
    timed = solve(design, strong, "device", RunOptions(check_samples=0, timeout_s=1e-9))
    assert timed.failed[0].outcome is Outcome.TIMED_OUT


def test_devices_along_a_wire_do_not_share_a_curve():
    design = wired_design([PEAK], [[[1.0]]], row=1.0)
    with pytest.raises(InputError, match="see different voltages"):
        solve(design, np.array([[0.3]]), "shared")


def test_gmres_solves_every_samples_system():
    rng = np.random.default_rng(0)
    matrices = np.eye(12) + 0.3 * rng.normal(size=(4, 12, 12))
    right = rng.normal(size=(4, 3, 4))
    right[2] = 0

    def apply(x):
        return np.einsum("sij,sj->si", matrices, x.reshape(4, 12)).reshape(x.shape)

    found = gmres(apply, right, 1e-13, 12)
    expected = np.linalg.solve(matrices, right.reshape(4, 12, 1)).reshape(right.shape)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
