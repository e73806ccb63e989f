"""VACASK on chains of crossbars: the batched engine's equal, and nothing that goes wrong comes out as a number."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from circuits import LINE, PEAK, crossbar_design, crossbar_output, inputs_for, load_device, network, specimen_of

from kanspice.base.errors import InputError, SimulatorError
from kanspice.circuit import DifferentialPairs, Limiter, Rectifier
from kanspice.engine.engines import engine_named
from kanspice.engine.options import RunOptions
from kanspice.engine.running import open_session, solve
from kanspice.engine.solution import Outcome
from kanspice.engine.vacask import call, operating_points, program
from kanspice.engine.vacask.emit import build_circuit

pytestmark = pytest.mark.slow

FEW = RunOptions(check_samples=0, timeout_s=60)
SIZED = ("units.i_unit_a=1e-6", "tia.rail_v=1000.0")
CIRCUITS = {
    "ideal": (),
    "gain": ("tia.gain=300",),
    "real amplifiers": ("tia.gain=1000", "tia.swing_v=0.4", "tia.output_ohm=2e3", "tia.input_bias_a=1e-7"),
    "ideal with a swing": ("tia.swing_v=0.4",),
    "spreads": ("tia.offset_sigma_v=2e-3", "tia.feedback_sigma=0.02", "devices.area_sigma=0.1", "tia.gain=1e4"),
    "shifts behind clamps": ("tia.gain=300", "devices.shift_sigma_v=0.02", "clippers.knee_v=0.02"),
    "stuck": ("tia.gain=1000", "devices.stuck_open=0.1", "devices.stuck_short=0.05", "devices.series_ohm=1000"),
    "wires": ("tia.gain=1000", "wires.row_ohm=1", "wires.column_ohm=2", "wires.driver_ohm=50"),
    "rows alone": ("tia.gain=1000", "wires.row_ohm=300"),
    "drivers alone": ("tia.gain=1000", "wires.driver_ohm=500"),
}


@pytest.fixture(autouse=True, scope="module")
def modules(module_cache):
    """Of all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(module_cache))
        yield


def assert_equal(one, other, bound):
    """Stage by stage, and every current, to so much of their spread."""
    both = one.solved & other.solved
    assert both.any()
    assert [each.outcome for each in one.failed] == [each.outcome for each in other.failed]
    for tables in ("stage_v", "column_v", "row_a", "amplifier_a"):
        for name, table in getattr(other, tables).items():
            found, expected = getattr(one, tables)[name][both], table[both]
            scale = max(float(expected.std()), 1e-9)
            np.testing.assert_allclose(found, expected, rtol=0, atol=bound * scale, err_msg=f"{tables} {name}")


@pytest.mark.vacask
@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize("name", CIRCUITS)
def test_the_batched_engine_answers_alike(name, norm):
    model = network([4, 3, 2], [load_device("z15"), load_device("z21")], norm=norm, seed=int(norm == "layer"))
    inputs = inputs_for(model, 5)
    design = specimen_of(model, inputs, *CIRCUITS[name], *SIZED)
    one, other = (solve(engine, design, inputs, "device", FEW) for engine in ("vacask", "batched"))
    (first, second) = design.crossbars
    assert_equal(
        one, other, 1e-9 if first.has_wires or second.has_wires else 1e-11
    )  # of the batched engine's iterations


@pytest.mark.vacask
def test_the_answer_is_the_circuits():
    """By bisection, column by column."""
    model = network([3, 2], [PEAK, LINE])
    inputs = inputs_for(model, 4)
    design = specimen_of(model, inputs, "tia.gain=300", "tia.offset_sigma_v=2e-3", "tia.output_ohm=100", *SIZED)
    found = solve("vacask", design, inputs, "device", FEW)
    (crossbar,) = design.crossbars
    rows_v = design.stages[0].ideal_v(design, design.inputs_v(inputs))
    expected = [crossbar_output(design, crossbar, row)[1] for row in rows_v]
    np.testing.assert_allclose(found.stage_v[crossbar.name], expected, rtol=0, atol=1e-10 * np.abs(expected).max())


INPUT_STAGES = {
    "sigmoid": {"kind": "sigmoid", "reach": 1.5},
    "tanh": {"kind": "tanh"},
    "clip": {"kind": "clip"},
    "none": {"kind": "none"},
    "soft": {"kind": "clip", "knee_v": 0.1},
    "soft below": {"kind": "clip", "knee_v": 0.1, "high_v": np.inf},
}


def behind(stage):
    """A chain of one crossbar behind an input stage."""
    design = crossbar_design([LINE], np.eye(stage.width)[:, :, None], gain=300.0)
    return replace(design, stages=(stage, design.stages[1]), input_v_per_unit=1.0)


def assert_stage(stage):
    """Its formula in NumPy, over its whole reach."""
    design = behind(stage)
    inputs = np.linspace(-2.5, 2.5, 9 * stage.width).reshape(9, stage.width)
    found = solve("vacask", design, inputs, "device", FEW)
    assert found.failed == ()
    np.testing.assert_allclose(found.stage_v[stage.name], stage.ideal_v(design, inputs), rtol=1e-12, atol=1e-12)


@pytest.mark.vacask
@pytest.mark.parametrize("kind", INPUT_STAGES)
def test_an_input_stage_is_its_formula(kind):
    values = {"low_v": -0.2, "high_v": 0.7, "input_v_per_unit": 0.8, "unit_v": 1.3, "shift_v": np.array([0.0, 0.05])}
    assert_stage(Limiter(name="l1.input", compares_to="l1.input", width=2, **values | INPUT_STAGES[kind]))


@pytest.mark.vacask
@pytest.mark.parametrize("shape", ["sigmoid", "tanh"])
def test_differential_pairs_are_theirs(shape):
    both = {"shift_v": np.array([0.0, 0.05]), "offset_v": np.array([1e-3, 0.0]), "tail_a": np.array([1e-4, 1.1e-4])}
    values = {"input_v_per_unit": 0.8, "unit_v": 1.3, "nominal_tail_a": 1e-4, "thermal_v": 0.02585}
    circuit = {"current_gain": 100.0, "source_ohm": 500.0, "rail_v": 5.0}
    assert_stage(DifferentialPairs("l1.input", "l1.input", shape, **values, **both, **circuit))


@pytest.mark.vacask
@pytest.mark.parametrize(("gain", "knee"), [(1e4, 0.026), (np.inf, 0.026), (1e4, 0.0)])
@pytest.mark.parametrize("levels", [(-0.2, 0.7), (0.0, np.inf)])
def test_rectifiers_are_theirs(gain, knee, levels):
    both = {"shift_v": np.array([0.0, 0.05]), "low_offset_v": np.array([1e-3, 0.0]), "high_offset_v": np.zeros(2)}
    values = {"open_loop_gain": gain, "knee_v": knee, "saturation_a": 1e-14, "load_ohm": 1e5}
    assert_stage(Rectifier("l1.input", "l1.input", *levels, **both, **values, output_v_per_unit=1.0, rail_v=5.0))


# --- how sure it is, and what fails ---


@pytest.fixture(scope="module")
def design():
    model = network([3, 2], [load_device("z21"), PEAK])
    return specimen_of(model, inputs_for(model, 4), "tia.gain=1000", "wires.row_ohm=1", *SIZED)


@pytest.fixture(scope="module")
def inputs():
    return inputs_for(network([3, 2], [PEAK]), 4)


@pytest.mark.vacask
def test_the_numerical_error_is_that_of_another_start_and_order(design, inputs):
    found = solve("vacask", design, inputs, "device", RunOptions(check_samples=2))
    error = found.numerical_error
    assert error is not None
    assert len(error.samples) == 2
    assert 0 < error.max_abs_v < 1e-11
    assert found.engine_options["reltol"] == 1e-12
    assert found.engine_version == program.find_vacask().version
    assert found.size.elements > 30
    assert found.timing_s["per_sample_s"] > 0


@pytest.mark.vacask
@pytest.mark.parametrize("overrides", [(), ("tia.gain=1000",), ("wires.row_ohm=10", "wires.driver_ohm=100")])
def test_the_numerical_error_is_never_less_than_the_error(overrides):
    """Against the batched engine, whose own error is counted too; and not a thousand times as large."""
    model = network([6, 4, 3], [load_device("z21"), PEAK])
    inputs = inputs_for(model, 8)
    design = specimen_of(model, inputs, *overrides, *SIZED)
    one, other = (
        solve(engine, design, inputs, "device", RunOptions(check_samples=8)) for engine in ("vacask", "batched")
    )
    outputs, expected = (each.stage_v[design.stages[-1].name] for each in (one, other))
    apart_v, stated_v = float(np.abs(outputs - expected).max()), one.numerical_error.max_abs_v
    assert apart_v <= stated_v + other.numerical_error.max_abs_v
    assert stated_v < 1e-11 * np.abs(expected).max()


@pytest.mark.vacask
def test_a_sample_that_fails_leaves_the_others_alone(monkeypatch):
    """The second of four has one iteration to converge in, also when it is tried again."""
    design = crossbar_design([PEAK], [[[1.0]]], gain=1000.0)
    inputs = np.array([[0.1], [0.2], [0.3], [0.4]])
    good = solve("vacask", design, inputs, "device", FEW)
    deck_of = operating_points.block_deck

    def hurried(circuit, inputs_v, starts, accepted, *, patient):
        deck = deck_of(circuit, inputs_v, starts, accepted, patient=patient)
        place = 0 if patient else 1
        few, many = (f"  options op_itl={most} op_itlcont={most}\n" for most in (1, 100))
        analysis = f"  var k={place}\n  analysis p{place}"
        first, second = deck.rsplit(analysis, 1)
        rest = second.split("\n", 1)
        return f"{first}{few}{analysis}{rest[0]}\n{many}{rest[1]}"

    monkeypatch.setattr(operating_points, "block_deck", hurried)
    found = solve("vacask", design, inputs, "device", FEW)
    (failure,) = found.failed
    assert (failure.index, failure.outcome) == (1, Outcome.DIVERGED)
    assert "Homotopy failed" in failure.advice
    np.testing.assert_array_equal(found.stage_v["l1.crossbar"][[0, 2, 3]], good.stage_v["l1.crossbar"][[0, 2, 3]])


def test_what_is_no_number_is_never_written():
    crossbar = crossbar_design([PEAK], [[[1.0]]], gain=1000.0)
    none = replace(crossbar.stages[1], bias_a=np.array([np.nan, 0.0]))
    with pytest.raises(InputError, match="nan"):
        build_circuit(replace(crossbar, stages=(crossbar.stages[0], none)), "device")


@pytest.mark.vacask
def test_results_that_cannot_be_written_are_no_results(design, inputs, monkeypatch):
    """A simulator that ends well and leaves nothing, as on a full disk."""
    silent = replace(program.find_vacask(), simulator=Path("/bin/true"))
    solve("vacask", design, inputs, "device", FEW)  # so that its modules are kept
    monkeypatch.setattr(call, "find_vacask", lambda: silent)
    found = solve("vacask", design, inputs, "device", FEW)
    assert {failure.outcome for failure in found.failed} == {Outcome.CRASHED}
    assert "left no whole result" in found.failed[0].advice


@pytest.mark.vacask
def test_a_full_disk_is_an_error_before_it_runs(design, inputs, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(SimulatorError, match="the working folder cannot be used"):
        solve("vacask", design, inputs, "device", FEW)


@pytest.mark.vacask
@pytest.mark.parametrize("gain", [1000.0, 1e6])
def test_amplifiers_that_currents_pass_by_are_no_garbage(gain):
    """Feedback of 1 ohm and an output stage of 20 kohm, of which columns pass more than amplifiers give."""
    design = crossbar_design([PEAK], [[[1.0], [-0.5]], [[0.3], [2.0]]], gain=gain)
    parts = {"feedback_ohm": np.ones(4), "output_ohm": 2e4, "swing_v": 0.4}
    design = replace(design, stages=(design.stages[0], replace(design.stages[1], **parts)))
    inputs = np.linspace(0.05, 1.0, 6)[:, None].repeat(2, axis=1)
    one, other = (solve(engine, design, inputs, "device", FEW) for engine in ("vacask", "batched"))
    assert one.failed == other.failed == ()
    assert_equal(one, other, 1e-9)
    falls = one.stage_v["l1.crossbar"][:, 0] * one.row_a["l1.crossbar"][:, 0]
    assert (falls < 0).all() == (gain < 2e4)


@pytest.mark.vacask
def test_what_takes_too_long_is_ended(design, inputs, monkeypatch, tmp_path):
    script = tmp_path / "vacask"
    script.write_text("#!/bin/sh\nsleep 60\n", encoding="utf-8")
    script.chmod(0o755)
    hanging = replace(program.find_vacask(), simulator=script)
    solve("vacask", design, inputs, "device", FEW)  # so that its modules are kept
    monkeypatch.setattr(call, "find_vacask", lambda: hanging)
    found = solve("vacask", design, inputs, "device", replace(FEW, timeout_s=2.0))
    assert {failure.outcome for failure in found.failed} == {Outcome.TIMED_OUT}


@pytest.mark.vacask
def test_what_crashes_is_no_result(design, inputs, monkeypatch, tmp_path):
    script = tmp_path / "vacask"
    script.write_text("#!/bin/sh\nkill -SEGV $$\n", encoding="utf-8")
    script.chmod(0o755)
    crashing = replace(program.find_vacask(), simulator=script)
    solve("vacask", design, inputs, "device", FEW)  # so that its modules are kept
    monkeypatch.setattr(call, "find_vacask", lambda: crashing)
    found = solve("vacask", design, inputs, "device", FEW)
    assert {failure.outcome for failure in found.failed} == {Outcome.CRASHED}
    assert "ended by signal 11" in found.failed[0].advice


@pytest.mark.vacask
def test_another_version_than_the_tested_one_is_said(design, inputs, monkeypatch):
    other = replace(program.find_vacask(), version="0.4")
    monkeypatch.setattr(call, "find_vacask", lambda: other)
    found = solve("vacask", design, inputs, "device", FEW)
    assert found.notes[0] == f"VACASK 0.4: kanspice is tested with {program.TESTED_VERSION}"


# --- what is refused ---


def test_what_it_does_not_solve_is_refused_by_name(design, inputs):
    with pytest.raises(InputError, match=r"(?s)VACASK does not solve this.*fidelity shared"):
        solve("vacask", design, inputs, "shared", FEW)
    with pytest.raises(InputError, match="follows no circuit over time"):
        engine_named("vacask").follow_sequence(
            design, inputs, None, None, finer=False, which=None, timeout_s=None, told=print
        )


@pytest.mark.vacask
def test_a_session_solves_again_and_again(design, inputs):
    with open_session("vacask", design, "device", FEW, sample_timeout_s=20.0) as session:
        found = [session.solve(inputs[:2]), session.solve(inputs[2:])]
    whole = solve("vacask", design, inputs, "device", FEW)
    outputs = np.concatenate([each.stage_v["l1.crossbar"] for each in found])
    np.testing.assert_allclose(outputs, whole.stage_v["l1.crossbar"], rtol=1e-12)


def test_without_the_package_the_message_has_the_line_that_installs_it(design, inputs, monkeypatch):
    monkeypatch.setitem(sys.modules, program.PACKAGE, None)
    with pytest.raises(SimulatorError, match=r"(?s)not installed.*python -m pip install 'kanspice\[vacask\]'"):
        solve("vacask", design, inputs, "device", FEW)


def test_names_of_strangers_are_not_in_the_circuit(design):
    """Stages and devices are called what their model calls them: nothing of that is written."""
    line = '\nendc\ncontrol\n postprocess("sh", "-c", "touch was_here")\n'
    device = replace(design.devices[0], name=line)
    hostile = replace(design, devices=(device, *design.devices[1:]), family=line, model_sha256=line)
    (text,), (expected,) = (
        [of.text("circuit.inc")] for of in (build_circuit(hostile, "device")[0], build_circuit(design, "device")[0])
    )
    assert text == expected
    assert "postprocess" not in text
