"""Crossbars in the batched engine: against bisection, column by column, and against ngspice on the same design."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import (
    PEAK,
    crossbar_design,
    crossbar_output,
    design_of,
    inputs_for,
    load_device,
    network,
    polynomial_device,
    specimen_of,
    technology,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kanspice.engine.batched import solve
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.solution import Outcome
from kanspice.families import load
from kanspice.families.common import load_array
from kanspice.families.compiling import sizing_of
from kanspice.families.kanalogue.circuit import compile_kanalogue
from kanspice.gap.costs import physical_cost

SPREADS = ("devices.area_sigma=0.1", "tia.offset_sigma_v=2e-3", "tia.feedback_sigma=0.02", "tia.rail_v=50.0")
LIMITED = ("tia.swing_v=0.8",)
DEVICES = ("devices.shift_sigma_v=0.01", "devices.series_ohm=5e3", "clippers.knee_v=0.02")
SHORTS = ("devices.stuck_short=0.05", "devices.short_ohm=1e6")
INPUT_AND_OUTPUT = ("tia.output_ohm=2e5", "tia.input_bias_a=1e-8")
REAL = ("tia.gain=300", *INPUT_AND_OUTPUT, *LIMITED)


@pytest.fixture(scope="module")
def model():
    return network([3, 4, 2], [load_device("z21"), PEAK])


@pytest.fixture(scope="module")
def inputs(model):
    return inputs_for(model, 40)


def outputs(solution):
    return list(solution.stage_v.values())[-1]


def disagreement(design, inputs, fidelity="device"):
    """Largest difference from ngspice, in standard deviations of ngspice's outputs."""
    judge = ngspice.solve(design, inputs, fidelity, RunOptions(check_samples=0))
    found = solve(design, inputs, fidelity)
    assert [(f.index, f.outcome) for f in found.failed] == [(f.index, f.outcome) for f in judge.failed]
    solved = judge.solved
    return np.abs(outputs(found) - outputs(judge))[solved].max() / outputs(judge)[solved].std()


# --- against answers that owe nothing to either engine ---


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides", [(), ("tia.gain=1000",), ("tia.gain=30",), ("tia.gain=1e7",), LIMITED, REAL, DEVICES, SHORTS]
)
def test_the_answer_is_the_circuits(model, inputs, overrides):
    """Areas, offsets and resistors all different: both layers by bisection, column by column."""
    design = specimen_of(model, inputs, *overrides, *SPREADS, seed=7)
    solution = solve(design, inputs, "device")
    first, second = design.crossbars
    solved = np.flatnonzero(solution.solved)
    assert solved.size > 15
    for sample in solved[:12]:
        columns, hidden = crossbar_output(design, first, design.stages[0].ideal_v(design, inputs[sample]))
        expected = crossbar_output(design, second, design.stages[2].ideal_v(design, hidden))[1]
        np.testing.assert_allclose(solution.column_v["l1.crossbar"][sample], columns, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(outputs(solution)[sample], expected, rtol=0, atol=1e-9 * np.abs(expected).max())


def test_a_line_and_an_amplifier_divide():
    """5 (r - c) into a feedback of 1 Mohm, in microamperes: c (1 + A) = 5 (r - c)."""
    line = polynomial_device("line", [-10.0, 10.0], [[-10.0, 1.0]])
    design = crossbar_design([line], [[[5.0]]], gain=99.0)
    solution = solve(design, np.array([[2.1], [-1.05]]), "device")
    np.testing.assert_allclose(solution.column_v["l1.crossbar"], [[0.1, 0.0], [-0.05, 0.0]], rtol=1e-14, atol=1e-18)
    np.testing.assert_allclose(outputs(solution), [[9.9], [-4.95]], rtol=1e-13)


def test_a_column_that_bends_where_it_rests():
    """A corner at 0 V on every row, and a root exactly on the corner of the falling piece."""
    design = crossbar_design([PEAK], [[[1.0]]], gain=9.0, feedback=1e6)
    rest_v = 1.0 / (1 + 9.0)
    solution = solve(design, np.array([[0.0], [0.5 + rest_v], [-1.0]]), "device")
    np.testing.assert_allclose(solution.column_v["l1.crossbar"][:, 0], [0.0, rest_v, 0.0], rtol=0, atol=1e-15)


def test_steep_falling_devices_are_followed_to_their_one_state():
    """Newton's method runs away from such a column; the bracket does not."""
    cliff = polynomial_device("cliff", [0.0, 0.5, 0.51, 2.0], [[0.0, 2.0], [1.0, -80.0], [0.2, 0.1]])
    design = crossbar_design([cliff, PEAK], [[[3.0, 1.0]], [[1.0, 0.5]]], gain=400.0, feedback=1e6)
    rows = np.random.default_rng(0).uniform(0, 1.5, (200, 2))
    solution = solve(design, rows, "device")
    assert solution.failed == ()
    for row, columns in zip(rows[:40], solution.column_v["l1.crossbar"], strict=False):
        np.testing.assert_allclose(columns, crossbar_output(design, design.crossbars[0], row)[0], rtol=0, atol=1e-13)


def test_a_column_with_several_states_has_no_answer():
    design = crossbar_design([PEAK], [[[5.0]]], gain=2.0, feedback=1e6)
    solution = solve(design, np.array([[1.5], [0.4], [1.5]]), "device")
    assert [(f.index, f.outcome) for f in solution.failed] == [(0, Outcome.MULTISTABLE), (2, Outcome.MULTISTABLE)]
    assert np.isnan(outputs(solution)[[0, 2]]).all()
    assert np.isfinite(outputs(solution)[1]).all()


def test_more_than_a_rail_is_no_answer():
    design = crossbar_design([PEAK], [[[5.0]]], feedback=1e6, rail=4.0)
    solution = solve(design, np.array([[0.5], [0.2]]), "device")
    assert [(f.index, f.outcome) for f in solution.failed] == [(0, Outcome.BEYOND_RAIL)]
    assert "rail is 4 V" in solution.failed[0].advice


def test_no_time_is_no_answer(model, inputs):
    solution = solve(design_of(model, inputs), inputs, "device", RunOptions(timeout_s=0.0, block=8))
    assert {failure.outcome for failure in solution.failed} == {Outcome.TIMED_OUT}
    assert len(solution.failed) == len(inputs)
    assert solution.numerical_error is None
    for name, amplifiers_a in solution.amplifier_a.items():
        assert np.isnan(amplifiers_a).all()
        assert np.isnan(solution.row_a[name]).all()
    assert len(solution.row_a) == 2
    assert physical_cost(design_of(model, inputs), solution, technology()).power_w is None


# --- what must not matter, and what must be said ---


@pytest.mark.parametrize("overrides", [(), ("tia.gain=300",), ("tia.offset_sigma_v=2e-3",)])
def test_neither_blocks_nor_order_matter(model, inputs, overrides):
    design = design_of(model, inputs, *overrides)
    order = np.random.default_rng(0).permutation(len(inputs))
    found = outputs(solve(design, inputs, "device"))
    in_blocks = outputs(solve(design, inputs, "device", RunOptions(block=7)))
    shuffled = outputs(solve(design, inputs[order], "device"))
    np.testing.assert_allclose(in_blocks, found, rtol=0, atol=1e-12 * np.abs(found).max())
    np.testing.assert_allclose(shuffled, found[order], rtol=0, atol=1e-12 * np.abs(found).max())


def test_the_error_is_that_of_whole_curves_in_every_device(model, inputs):
    design = design_of(model, inputs, "tia.gain=1000")
    solution = solve(design, inputs, "device", RunOptions(check_samples=6, seed=3))
    error = solution.numerical_error
    assert error is not None
    assert len(error.samples) == 6
    assert error.max_abs_v < 1e-12
    assert solution.engine == "batched"
    assert solution.engine_options["residual_a"] < 1e-17
    again = solve(design, inputs, "device", RunOptions(check_samples=0))
    assert again.numerical_error is None


def test_progress_counts_every_sample_once(model, inputs):
    seen = []
    solve(design_of(model, inputs), inputs, "device", RunOptions(block=7), progress=seen.append)
    assert sum(advance.samples for advance in seen) == len(inputs)
    assert seen[0].simulator_bytes > 0


def test_samples_farthest_from_the_network_are_checked(model, inputs):
    design = design_of(model, inputs)
    exact = outputs(solve(design, inputs, "device")) / design.stages[-1].output_v_per_unit
    exact[17] += 1.0
    hints = {design.stages[-1].compares_to: exact}
    solution = solve(design, inputs, "device", RunOptions(check_samples=2), hints=hints)
    assert 17 in solution.numerical_error.samples


# --- against the judge ---

gains = st.sampled_from([np.inf, 1e6, 3e3, 300.0])


@pytest.mark.slow
@pytest.mark.ngspice
@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    made=st.tuples(gains, st.sampled_from([(), SPREADS[:3], INPUT_AND_OUTPUT])),
    stages=st.tuples(
        st.sampled_from(["PosHC", "NegHC", "sigmoid", "tanh", "None"]), st.sampled_from(["batch", "layer"])
    ),
    names=st.sampled_from([("z21",), ("a21", "z15"), ("rtd",), ("zaz21", "nmos_2n7002")]),
    seed=st.integers(0, 1000),
)
def test_ngspice_agrees(made, stages, names, seed):
    (gain, spreads), (stage, norm) = made, stages
    model = network([3, 4, 2], [load_device(name) for name in names], input_stage=stage, norm=norm, seed=seed)
    inputs = inputs_for(model, 12, seed)
    sized = ("units.i_unit_a=1e-6", "tia.rail_v=1000.0", "tia.headroom=0.01")
    overrides = (f"tia.gain={gain}", *sized, *spreads)
    design = specimen_of(model, inputs, *overrides, seed=seed)
    assert disagreement(design, inputs) < 1e-6


@pytest.mark.ngspice
def test_ngspice_agrees_on_shared_curves(model, inputs):
    design = design_of(model, inputs, "tia.gain=1000", "tia.offset_sigma_v=2e-3")
    assert disagreement(design, inputs, "shared") < 1e-6


@pytest.mark.ngspice
def test_ngspice_agrees_on_what_has_no_answer():
    design = crossbar_design([PEAK], [[[5.0]]], gain=2.0, feedback=1e6)
    assert disagreement(design, np.array([[1.5], [0.4], [1.5], [0.3]])) < 1e-6
    assert disagreement(replace_rail(design, 1.0), np.array([[0.4], [0.1], [0.05]])) < 1e-6


def replace_rail(design, rail_v):
    return replace(design, stages=(design.stages[0], replace(design.stages[1], rail_v=rail_v)))


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.reference_data
def test_ngspice_agrees_on_the_reference_checkpoint(reference_data):
    folder = reference_data / "kanalogue" / "mnist_batchnorm_3basis"
    loaded = load(folder / "best.pth", folder / "config.json", folder.parent / "iv")
    inputs = load_array(folder / "inputs.npy", "the inputs")
    design = compile_kanalogue(loaded.model, technology("tia.gain=1000"), sizing_of(loaded.model, inputs))
    assert disagreement(design, inputs[:1]) < 1e-6


# --- devices as they were measured ---


def rough(device):
    """The device with points that its curve does not quite go through."""
    v = np.linspace(device.curve.lo_v, device.curve.hi_v, 12)
    current = device.curve.numpy(v)[0]
    return device.with_points(v, current + 0.03 * np.abs(current).max() * np.cos(9 * v), "test")


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("overrides", [(), ("tia.gain=1000",)])
def test_both_engines_follow_the_measured_points(overrides):
    devices = [rough(load_device("z21")), rough(PEAK)]
    model = network([3, 4, 2], devices)
    inputs = inputs_for(model, 40)
    design = design_of(model, inputs, "devices.curve=points", *overrides)
    assert [device.sha256 for device in design.devices] == [device.measured().sha256 for device in devices]
    assert disagreement(design, inputs) < 1e-9
    as_trained = solve(design_of(model, inputs, *overrides), inputs, "device")
    assert np.abs(outputs(solve(design, inputs, "device")) - outputs(as_trained)).max() > 1e-2


def test_the_numerical_error_of_shifted_devices_is_measured():
    model = network([6, 5, 3], [load_device("z21"), load_device("a21")], seed=2)
    inputs = inputs_for(model, 12, 3)
    design = specimen_of(model, inputs, "devices.shift_sigma_v=0.01", "tia.gain=300")
    error = solve(design, inputs, "device", RunOptions()).numerical_error
    assert 0 < error.rmse_v < 1e-12
