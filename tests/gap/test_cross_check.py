"""Whether two engines agree, and what counts as disagreement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import PEAK, crossbar_design
from periods import design_of_periods, period

from kanspice.engine.solution import FailedSample, NumericalError, Outcome, Solution
from kanspice.experiments.verify.wording import cross_check
from kanspice.gap.cross_check import cross_checked, unchecked

DESIGN = crossbar_design([PEAK], [[[1.0]]])
VOLTS = np.array([[1.0], [3.0], [1.0], [3.0]])


def solution(volts, engine="ngspice", failed=(), error=None, name="l1.crossbar"):
    volts = np.array(volts, dtype=float)
    volts[[failure.index for failure in failed]] = np.nan
    return Solution(engine, "1", {}, len(volts), tuple(failed), {name: volts}, {}, {}, numerical_error=error)


def test_a_difference_is_measured_in_standard_deviations_of_all_outputs():
    checked = cross_checked(DESIGN, solution(VOLTS, "batched"), solution(VOLTS[[3, 2]] + [[1e-7], [0.0]]), [3, 2])
    assert checked.worst == pytest.approx(1e-7)
    assert (checked.worst_sample, checked.samples, checked.passed) == (3, (3, 2), True)
    assert (checked.engine, checked.allowed, checked.outcomes) == ("ngspice", 1e-6, ())


def test_more_than_is_allowed_is_disagreement():
    checked = cross_checked(DESIGN, solution(VOLTS, "batched"), solution(VOLTS[:1] + 2e-6), [0])
    assert checked.worst == pytest.approx(2e-6)
    assert not checked.passed


def test_a_failure_in_one_engine_is_disagreement_and_the_same_in_both_is_not():
    lost = FailedSample(1, Outcome.MULTISTABLE)
    first = solution(VOLTS, "batched", [lost])
    alike = cross_checked(DESIGN, first, solution(VOLTS[[0, 1]], failed=[lost]), [0, 1])
    assert alike.passed
    assert alike.worst_sample == 0
    checked = cross_checked(DESIGN, first, solution(VOLTS[[0, 1]]), [0, 1])
    assert not checked.passed
    assert [(o.index, o.outcome, o.other_outcome) for o in checked.outcomes] == [(1, "multistable", "converged")]
    assert not cross_checked(DESIGN, first, solution(VOLTS[[1]], failed=[replace_index(lost, 0)]), [1]).outcomes


def replace_index(failure, index):
    return replace(failure, index=index)


def test_time_steps_are_allowed_their_own_error():
    design = design_of_periods(period("Conductance", [(1, 0)], [[1.0]]))
    error = NumericalError((0,), 3e-4, 1e-4)
    first, second = (solution(VOLTS, name="readout", **facts) for facts in ({"engine": "batched"}, {"error": error}))
    assert cross_checked(design, first, second, range(4)).allowed == pytest.approx(7e-4)
    assert cross_checked(design, second, first, range(4)).allowed == pytest.approx(7e-4)


def test_however_large_ngspice_s_own_error_engines_that_are_far_apart_do_not_agree():
    design = design_of_periods(period("Conductance", [(1, 0)], [[1.0]]))
    off = np.array([[0.5], [-0.5], [0.5], [0.5]])
    noisy = solution(VOLTS + off, error=NumericalError((0,), 25.0, 20.0), name="readout")
    checked = cross_checked(design, noisy, solution(VOLTS, "batched", name="readout"), range(4))
    assert checked.allowed == 1e-2
    assert not checked.passed


def test_places_among_more_samples():
    checked = cross_checked(DESIGN, solution(VOLTS, "batched"), solution(VOLTS[[1]] + 1.0), [1]).among([4, 7, 8, 9])
    assert (checked.samples, checked.worst_sample) == ((7,), 7)


def test_outputs_that_do_not_vary_are_compared_with_their_size():
    checked = cross_checked(DESIGN, solution([[2.0]], "batched"), solution([[2.0 + 4e-7]]), [0])
    assert checked.worst == pytest.approx(2e-7)


@pytest.mark.parametrize("outcome", [Outcome.CRASHED, Outcome.TIMED_OUT])
def test_a_simulator_that_could_not_try_a_sample_has_not_disagreed(outcome):
    lost = FailedSample(1, outcome, "ended by signal 9")
    checked = cross_checked(DESIGN, solution(VOLTS, "batched"), solution(VOLTS[[0, 2]], failed=[lost]), [0, 2])
    assert checked.outcomes == ()
    assert [(each.index, each.why) for each in checked.not_checked] == [(2, "ngspice: ended by signal 9")]
    assert not checked.disagrees
    assert not checked.passed
    assert [each.index for each in checked.among([4, 7, 8, 9]).not_checked] == [8]
    said = cross_check(checked)
    assert said.warning
    assert "1 of 2 samples not checked: sample 2, ngspice: ended by signal 9; it agrees to 0" in said.text


def test_engines_that_disagree_do_so_also_where_a_sample_was_not_tried():
    lost = FailedSample(1, Outcome.CRASHED)
    checked = cross_checked(DESIGN, solution(VOLTS, "batched"), solution(VOLTS[[0, 2]] + 1.0, failed=[lost]), [0, 2])
    assert checked.disagrees
    assert len(checked.not_checked) == 1
    assert "disagrees by" in cross_check(checked).text


def test_an_engine_that_could_not_begin_checked_nothing():
    checked = unchecked("ngspice", [3, 5], "no room")
    assert (checked.passed, checked.disagrees, checked.worst) == (False, False, None)
    assert "2 of 2 samples not checked: sample 3, no room" in cross_check(checked).text
