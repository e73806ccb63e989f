"""Every kind of cell alone in ngspice, with amplifiers of finite gain, against a scalar solution in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import DEVICE_NAMES, PEAK, crossbar_design, crossbar_output, load_device

from kanspice.devices import PiecewisePolynomial, behind, is_resistance
from kanspice.engine.netlist import build_netlist
from kanspice.engine.netlist.cells import FullCell, ResistorCell, SharedCell, TangentCell, WindowCell, choose_cells
from kanspice.engine.ngspice.engine import solve

pytestmark = [pytest.mark.ngspice, pytest.mark.slow]


def rows_of(curve):
    """Voltages worth trying: breakpoints, the clamp's corner, outside of the range, and places between.

    A resistor is one beyond its range, too, which no circuit comes to: see `test_a_resistor_has_no_clamp`.
    """
    knots = curve.breakpoints if isinstance(curve, PiecewisePolynomial) else np.array([curve.lo_v, curve.hi_v])
    width = curve.hi_v - curve.lo_v
    if is_resistance(curve):
        return np.linspace(curve.lo_v, curve.hi_v, 25)
    between = np.linspace(curve.lo_v - width / 3, curve.hi_v + width / 3, 23)
    return np.concatenate([[0.0], knots, knots + 1e-9, knots - 1e-9, between])


def check(design, rows_v, solution, tolerance=1e-8):
    """Outputs and columns of every sample against the scalar solution, relative to the largest output."""
    assert solution.failed == ()
    crossbar = design.crossbars[0]
    expected = [crossbar_output(design, crossbar, row) for row in rows_v]
    columns, outputs = (np.array(part) for part in zip(*expected, strict=True))
    got = solution.stage_v["l1.crossbar"]
    np.testing.assert_allclose(got, outputs, rtol=0, atol=tolerance * np.abs(outputs).max())
    got = solution.column_v["l1.crossbar"]
    np.testing.assert_allclose(got, columns, rtol=0, atol=tolerance * np.abs(columns).max() + 1e-15)


def cells_of(design, fidelity="device", *, full=False):
    curves = [device.curve.stretched(design.input_v_per_unit) for device in design.devices]
    return choose_cells(curves, design.crossbars[0], fidelity, full=full)


@pytest.mark.parametrize("v_unit", [1.0, 0.37])
@pytest.mark.parametrize("name", DEVICE_NAMES)
def test_one_device_between_row_and_column(name, v_unit):
    """A gain of 50 moves the column by up to tens of millivolts, across the corners of the curve."""
    device = load_device(name)
    peak = np.abs(device.curve.numpy(rows_of(device.curve))[0]).max()
    design = crossbar_design([device], [[[1.0]]], gain=50.0, feedback=1e6 / peak, v_unit=v_unit, swing=0.5)
    rows = rows_of(device.curve)[:, None]
    check(design, rows * v_unit, solve(design, rows, "device"))


@pytest.mark.parametrize("kind", [WindowCell, FullCell])
def test_windows_and_whole_curves_agree_with_all_devices_on_one_column(kind):
    devices = [load_device(name) for name in DEVICE_NAMES]
    devices = [device for device in devices if isinstance(device.curve, PiecewisePolynomial)]
    devices = [device for device in devices if not is_resistance(device.curve)]
    area = np.random.default_rng(3).normal(size=(3, 2, len(devices)))
    swing = 0.0 if kind is WindowCell else 1e9
    design = crossbar_design(devices, area, [0.3, -0.2], gain=1000.0, feedback=1e5, swing=swing)
    assert {type(cell) for cell in cells_of(design)} == {kind}
    rows = np.random.default_rng(4).uniform(-0.2, 1.6, (12, 3))
    rows[0] = 0.0
    check(design, rows, solve(design, rows, "device"))


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_a_window_is_exact_up_to_its_reach(direction):
    """A reference current moves the column to 99 % of the reach; the row walks over every breakpoint."""
    device = load_device("z21")
    reach = WindowCell(0, device.curve).reach_v
    bias = direction * 0.99 * reach * 11.0  # into 1 / (1 + 10) of an ohm per microampere, all but alone
    design = crossbar_design([device], [[[direction * 1e-3]]], [bias], gain=10.0, feedback=1e6)
    assert isinstance(cells_of(design)[0], WindowCell)
    rows = rows_of(device.curve)[:, None]
    solution = solve(design, rows, "device")
    assert np.abs(solution.column_v["l1.crossbar"]).max() == pytest.approx(0.99 * reach, rel=2e-2)
    assert solution.notes == ()
    check(design, rows, solution)


def test_beyond_the_reach_whole_curves_take_over_and_say_so():
    """The design expects no swing, so short cells are chosen; the columns go where they must all the same."""
    device = load_device("z21")
    design = crossbar_design([device], [[[40.0]]], gain=400.0, feedback=1e6)
    assert isinstance(cells_of(design)[0], WindowCell)
    rows = np.linspace(0.0, 1.2, 9)[:, None]
    solution = solve(design, rows, "device")
    reach = build_netlist(design, "device").reach_v["l1.crossbar"]
    beyond = np.abs(solution.column_v["l1.crossbar"]).max(axis=1) >= reach
    assert 0 < beyond.sum() < len(rows)
    assert [note for note in solution.notes if note.startswith(f"{beyond.sum()} samples solved with whole curves")]
    check(design, rows, solution)
    assert solution.numerical_error is not None


@pytest.mark.parametrize("name", DEVICE_NAMES)
@pytest.mark.parametrize("fidelity", ["shared", "device"])
def test_columns_at_virtual_ground(name, fidelity):
    device = load_device(name)
    design = crossbar_design([device], [[[0.7], [-1.3]]], [0.25, 0.0], feedback=1e5)
    usual = SharedCell if fidelity == "shared" else TangentCell
    assert isinstance(cells_of(design, fidelity)[0], ResistorCell if name == "ohmic" else usual)
    rows = rows_of(device.curve)[:, None]
    solution = solve(design, rows, fidelity)
    current = device.curve.numpy(rows[:, 0])[0]
    expected = np.stack([0.7 * current + 0.25, -1.3 * current], axis=1) * 0.1
    assert solution.failed == ()
    np.testing.assert_allclose(solution.stage_v["l1.crossbar"], expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    assert np.all(solution.column_v["l1.crossbar"] == 0)


def test_a_device_on_a_falling_slope_pushes_its_column_back():
    """By hand: I = 1 - 2 (v - 0.5) uA at v = 0.7 - c, R = 1 Mohm, A = 99: c = I R / 100, so c = 0.6e-2 / 0.98."""
    design = crossbar_design([PEAK], [[[1.0]]], gain=99.0, feedback=1e6)
    solution = solve(design, np.array([[0.7]]), "device")
    column = 0.6e-2 / 0.98
    np.testing.assert_allclose(solution.column_v["l1.crossbar"], [[column, 0.0]], rtol=1e-9)
    np.testing.assert_allclose(solution.stage_v["l1.crossbar"], [[99 * column]], rtol=1e-9)


def test_a_resistor_has_no_clamp():
    """Where its card ends the circuit's resistor goes on: a column beyond what the card allows is no answer."""
    design = crossbar_design([load_device("ohmic")], [[[2.0]]], gain=100.0, feedback=1e3)
    lines = "".join(build_netlist(design, "device").files["circuit.cir"]()).splitlines()
    assert [line for line in lines if line.startswith("Rl1_d")] == ["Rl1_d0_0_0 l1_r0 l1_c0p 500000.0"]
    solution = solve(design, np.array([[10.0], [1500.0]]), "device")
    assert [(failed.index, failed.outcome.value) for failed in solution.failed] == [(1, "out of range")]


def test_a_resistor_behind_another_one_is_a_resistor():
    series = behind(load_device("ohmic").curve, 0.25)
    assert is_resistance(series)
    np.testing.assert_allclose(series.numpy([-3.0, 10.0]), [[-2.4, 8.0], [0.8, 0.8]], rtol=1e-14)


def test_what_a_crossbar_has_none_of_is_not_written():
    """Of two types of devices each crossbar has one: the other's nodes and its reach would only be in the way."""
    devices = [load_device("ohmic"), load_device("z21")]
    design = crossbar_design(devices, [[[0.0, 1.0]]], gain=1000.0)
    assert [(type(cell), cell.index) for cell in cells_of(design)] == [(WindowCell, 1)]
    design = crossbar_design(devices, [[[1.0, 0.0]]], gain=1000.0)
    assert [(type(cell), cell.index) for cell in cells_of(design)] == [(ResistorCell, 0)]
    assert build_netlist(design, "device").reach_v["l1.crossbar"] == np.inf
    assert design.crossbars[0].types.tolist() == [0]
