"""The gap put on the stage where it arises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import PEAK, design_of, inputs_for, network

from kanspice.engine.solution import FailedSample, NumericalError, Outcome, Solution
from kanspice.experiments.verify.result import GapResult
from kanspice.families.common.following import reference_stages
from kanspice.gap import Limit, StageGap, compare, decoded_outputs, measure, numerical_gap, spread


@pytest.fixture(params=["batch", "layer"])
def case(request):
    """A design at an odd scale, inputs, and the reference network's stages."""
    model = network([3, 4, 3], [PEAK], norm=request.param, input_stage="sigmoid")
    inputs = inputs_for(model, 6)
    design = design_of(model, inputs, "units.v_unit_v=0.3", "tia.rail_v=0.4")
    return design, inputs, reference_stages(model, inputs)


def solution_of(design, inputs, error_at=None, failed=()):
    """What an engine would return: every stage ideal, but for 10 mV more from one of them; failed rows are NaN."""
    volts, stage_v = inputs * design.input_v_per_unit, {}
    for stage in design.stages:
        volts = stage.ideal_v(design, volts)
        if stage.name == error_at:
            volts = volts + 0.010 * np.arange(len(volts))[:, None]
        volts = np.where(np.isin(np.arange(len(volts)), failed)[:, None], np.nan, volts)
        stage_v[stage.name] = volts
    failures = tuple(FailedSample(index, Outcome.DIVERGED) for index in failed)
    return Solution("test", "0", {}, len(inputs), failures, stage_v, {}, {})


def test_an_ideal_circuit_has_no_gap_at_any_stage(case):
    design, inputs, reference = case
    for stage in measure(design, solution_of(design, inputs), inputs, reference):
        assert stage.gap.max_abs < 1e-13
        assert stage.added.max_abs == 0.0


def test_outputs_come_back_in_model_units(case):
    design, inputs, reference = case
    outputs = decoded_outputs(design, solution_of(design, inputs))
    assert design.stages[-1].output_v_per_unit != 1.0
    np.testing.assert_allclose(outputs, list(reference.values())[-1], rtol=0, atol=1e-13)


@pytest.mark.parametrize("where", [0, 1, -1])
def test_all_of_the_gap_is_put_on_the_stage_that_makes_it(case, where):
    design, inputs, reference = case
    culprit = design.stages[where]
    stages = measure(design, solution_of(design, inputs, culprit.name), inputs, reference)
    by_name = {stage.name: stage for stage in stages}
    error = 0.010 * np.arange(len(inputs)) / culprit.output_v_per_unit
    at_fault = by_name.pop(culprit.name)
    assert at_fault.added.rmse == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-9)
    assert at_fault.added.max_abs == pytest.approx(error.max(), rel=1e-9)
    assert at_fault.gap.rmse == pytest.approx(at_fault.added.rmse, rel=1e-9)
    assert at_fault.gap.relative_rmse == pytest.approx(at_fault.added.relative_rmse, rel=1e-9)
    assert all(stage.added.max_abs == 0.0 for stage in by_name.values())


def test_failed_samples_are_left_out_of_errors_but_not_of_agreement(case):
    design, inputs, reference = case
    stages = measure(design, solution_of(design, inputs, failed=(1, 4)), inputs, reference)
    for stage in stages:
        assert stage.gap.max_abs < 1e-13
        assert stage.added.max_abs == 0.0
        assert np.isfinite(stage.largest_v)
    assert stages[-1].gap.argmax_agreement == pytest.approx(4 / 6)


def test_nothing_solved_gives_no_figures(case):
    design, inputs, reference = case
    for stage in measure(design, solution_of(design, inputs, failed=range(6)), inputs, reference):
        assert np.isnan([stage.gap.rmse, stage.added.rmse, stage.largest_v]).all()


def test_the_numerical_error_is_scaled_as_the_gap_is(case):
    design, inputs, reference = case
    expected = list(reference.values())[-1]
    solution = replace(solution_of(design, inputs), numerical_error=NumericalError((0, 3), max_abs_v=2e-6, rmse_v=1e-6))
    numerical, per_unit = numerical_gap(design, solution, spread(expected)), design.stages[-1].output_v_per_unit
    assert numerical.samples == 2
    assert numerical.rmse == pytest.approx(1e-6 / per_unit)
    assert numerical.max_abs == pytest.approx(2e-6 / per_unit)
    deviation = np.sqrt(np.mean(expected.std(axis=0) ** 2))
    assert numerical.relative_rmse == pytest.approx(numerical.rmse / deviation)
    assert numerical_gap(design, solution, 0.0).relative_rmse is None
    assert numerical_gap(design, solution_of(design, inputs), 1.0) is None


def result(failed=(), limits=(), stages=()):
    nothing = compare(np.zeros((2, 2)), np.zeros((2, 2)))
    return GapResult(
        *({}, {}, {}, {}, 2, tuple(failed), nothing, tuple(stages), None, None, None, None, tuple(limits), {}, (), {}),
        *(np.zeros((2, 2)), np.zeros((2, 2))),
    )


FAILED = FailedSample(1, Outcome.CRASHED)


@pytest.mark.parametrize(
    ("failed", "limits", "code"),
    [
        ([], [], 0),
        ([], [Limit("rmse", 0.5, 0.5)], 0),
        ([], [Limit("rmse", 0.5, 0.4)], 1),
        ([], [Limit("rmse", 0.1, 0.4), Limit("max_abs", 0.5, 0.4)], 1),
        ([], [Limit("rmse", float("nan"), 0.4)], 3),
        ([FAILED], [], 3),
        ([FAILED], [Limit("rmse", 0.5, 0.4)], 3),
    ],
)
def test_exit_codes(failed, limits, code):
    assert result(failed, limits).exit_code == code
    assert result(failed, limits).passed == (code == 0)


def test_the_weakest_stage_is_the_one_that_adds_most():
    def stage(name, error):
        gap = compare(np.array([[0.0], [1.0 + error]]), np.array([[0.0], [1.0]]))
        return StageGap(name, gap, gap, 0.0, None, False)

    assert result(stages=[stage("a", 1e-3), stage("b", 0.1), stage("c", 0.0)]).weakest_stage.name == "b"
    assert result(stages=[stage("a", 1e-12)]).weakest_stage is None
