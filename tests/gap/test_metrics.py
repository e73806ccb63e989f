"""Metrics against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kanspice.gap import accuracy, compare, squared_errors
from kanspice.gap.metrics import spread

REFERENCE = np.array([[1.0, 10.0], [3.0, 10.0], [5.0, 16.0]])
# Variances over samples: 8/3 and 8, pooled 16/3.
SCALE = (16 / 3) ** 0.5
OUTPUTS = REFERENCE + np.array([[0.0, 0.3], [0.0, -0.4], [12.0, 0.0]])
NONE_SOLVED = np.zeros(3, dtype=bool)


def test_the_spread_is_over_samples_and_pooled_over_outputs():
    assert spread(REFERENCE) == pytest.approx(SCALE, rel=1e-15)
    assert spread(REFERENCE + np.array([100.0, -1000.0])) == pytest.approx(SCALE, rel=1e-12)


@pytest.mark.parametrize("value", [0.1, 1e-300, 3.3e17])
def test_what_does_not_vary_has_no_spread_at_all(value):
    """0.1 is not its own mean in floating point; a relative error must not be divided by that."""
    assert spread(np.full((7, 3), value)) == 0.0


def test_figures_by_hand():
    gap = compare(OUTPUTS, REFERENCE)
    rmse = ((0.3**2 + 0.4**2 + 144) / 6) ** 0.5
    assert gap.rmse == pytest.approx(rmse, rel=1e-12)
    assert gap.max_abs == pytest.approx(12.0, rel=1e-12)
    assert gap.relative_rmse == pytest.approx(rmse / SCALE, rel=1e-12)
    assert gap.max_relative == pytest.approx(12.0 / SCALE, rel=1e-12)
    assert gap.argmax_agreement == pytest.approx(2 / 3)  # in the third sample 17 is more than 16


def test_a_failed_sample_has_no_error_but_disagrees():
    outputs = OUTPUTS.copy()
    outputs[2] = np.nan
    gap = compare(outputs, REFERENCE, np.array([True, True, False]))
    assert gap.rmse == pytest.approx(0.25, rel=1e-12)
    assert gap.max_abs == pytest.approx(0.4, rel=1e-12)
    assert gap.relative_rmse == pytest.approx(0.25 / SCALE, rel=1e-12)  # the scale is that of all samples
    assert gap.argmax_agreement == pytest.approx(2 / 3)


def test_a_number_in_a_failed_sample_is_not_looked_at():
    gap = compare(OUTPUTS, REFERENCE, np.array([True, True, False]))
    assert gap.max_abs == pytest.approx(0.4, rel=1e-12)


def test_without_any_solved_sample_there_is_no_figure():
    gap = compare(OUTPUTS, REFERENCE, NONE_SOLVED)
    assert np.isnan([gap.rmse, gap.max_abs]).all()
    assert (gap.relative_rmse, gap.max_relative, gap.argmax_agreement) == (None, None, None)


@pytest.mark.parametrize("reference", [np.array([[1.0, 2.0]]), np.full((4, 2), 0.1)], ids=["one sample", "constant"])
def test_without_spread_there_is_no_relative_figure(reference):
    gap = compare(reference + 0.5, reference)
    assert gap.rmse == pytest.approx(0.5)
    assert (gap.relative_rmse, gap.max_relative) == (None, None)
    assert gap.argmax_agreement == 1.0


def test_a_single_output_has_no_largest():
    assert compare(OUTPUTS[:, :1], REFERENCE[:, :1]).argmax_agreement is None


def test_a_result_that_is_not_a_number_is_not_hidden():
    outputs = OUTPUTS.copy()
    outputs[0, 0] = np.nan
    assert np.isnan(compare(outputs, REFERENCE).rmse)


def test_accuracy_counts_failed_samples_as_wrong():
    outputs = np.array([[2.0, 1.0], [2.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    labels = np.array([0, 1, 1, 1])
    assert accuracy(outputs, labels) == 0.75
    assert accuracy(outputs, labels, np.array([True, True, True, False])) == 0.5
    assert accuracy(outputs, labels, np.zeros(4, dtype=bool)) == 0.0


def test_squared_errors_are_of_samples_and_missing_where_unsolved():
    outputs, reference = np.array([[1.0, 2.0], [np.nan, np.nan], [0.0, 0.0]]), np.array([[0.0, 0.0], [1, 1], [0, 4]])
    found = squared_errors(outputs, reference, np.array([True, False, True]))
    assert found.tolist()[::2] == [2.5, 8.0]
    assert np.isnan(found[1])
