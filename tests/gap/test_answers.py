"""Which answers are wrong, and what is kept of inputs to show them."""

from __future__ import annotations

import numpy as np
import pytest

from kanspice.gap.answers import MOST_CLASSES, MOST_OUTPUTS, confusion, output_errors
from kanspice.gap.raster import Raster, binned
from kanspice.gap.worst import image_of, worst_samples

NAN = float("nan")
NETWORK = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
CIRCUIT = np.array([[0.9, 0.0], [0.7, 0.6], [NAN, NAN], [0.0, 1.2]])
SOLVED = np.array([True, True, False, True])


def test_rows_are_labels_where_they_are_known():
    found = confusion(CIRCUIT, NETWORK, SOLVED, np.array([0, 1, 0, 0]))
    assert found.of_labels
    assert found.circuit == ((1, 1), (1, 0))
    assert found.network == ((2, 1), (0, 1))
    assert found.failed == (1, 0)


def test_rows_are_the_networks_decisions_where_they_are_not():
    found = confusion(CIRCUIT, NETWORK, SOLVED, None)
    assert not found.of_labels
    assert (found.circuit, found.network, found.failed) == (((1, 0), (1, 1)), (), (1, 0))


def test_a_sample_that_the_network_has_no_answer_for_is_in_no_row_of_its_own():
    network = np.where([[False], [True], [False], [False]], NAN, NETWORK)
    found = confusion(CIRCUIT, network, SOLVED & [True, False, True, True], None)
    assert (found.circuit, found.failed) == (((1, 0), (0, 1)), (1, 0))


@pytest.mark.parametrize("classes", [1, MOST_CLASSES + 1])
def test_one_output_or_very_many_have_no_matrix(classes):
    assert confusion(np.zeros((3, classes)), np.zeros((3, classes)), np.full(3, True), None) is None


def test_every_output_has_its_error_in_its_own_spread():
    first, second = output_errors(CIRCUIT, NETWORK, SOLVED)
    errors = np.array([[-0.1, 0.0], [0.7, -0.4], [0.0, 0.2]])
    assert (first.output, second.output) == (0, 1)
    assert first.rmse == pytest.approx(np.sqrt(np.mean(errors[:, 0] ** 2)))
    assert second.mean == pytest.approx(errors[:, 1].mean())
    assert second.max_abs == pytest.approx(0.4)
    assert first.relative_rmse == pytest.approx(first.rmse / np.std([1.0, 0.0, 0.0]))
    assert output_errors(CIRCUIT, NETWORK, np.full(4, False)) == ()
    (same,) = output_errors(np.ones((2, 1)), np.zeros((2, 1)), np.full(2, True))
    assert same.relative_rmse is None


def test_of_many_outputs_the_worst_are_kept_in_order():
    outputs = np.zeros((2, 100))
    outputs[:, 7] = outputs[:, 99] = 5.0
    kept = [each.output for each in output_errors(outputs, np.zeros((2, 100)), np.full(2, True))]
    assert len(kept) == MOST_OUTPUTS
    assert {7, 99} <= set(kept)
    assert kept == sorted(kept)


@pytest.mark.parametrize(("inputs", "side"), [(64, 8), (196, 14), (3 * 32 * 32, 32), (24, None), (16, None), (2, None)])
def test_inputs_are_an_image_where_a_square_has_as_many_pixels(inputs, side):
    image = image_of(np.arange(float(inputs)))
    assert (None if image is None else image.rows) == side


def test_worst_samples_keep_their_images():
    inputs = np.arange(50.0).reshape(2, 25)
    first, second = worst_samples(np.array([[0.0], [3.0]]), np.zeros((2, 1)), 1.0, inputs)
    assert (first.index, second.index) == (1, 0)
    np.testing.assert_allclose(first.image.values.ravel(), inputs[1], atol=24 / 255 / 2)
    assert worst_samples(np.ones((1, 1)), np.zeros((1, 1)), 1.0)[0].image is None


def test_a_raster_is_the_numbers_to_half_a_step():
    values = np.random.default_rng(0).normal(size=(5, 7))
    raster = Raster.of(values)
    assert (raster.rows, raster.columns, len(raster.hex)) == (5, 7, 70)
    np.testing.assert_allclose(raster.values, values, atol=np.ptp(values) / 255 / 2 * 1.001)
    np.testing.assert_array_equal(Raster.of(np.full((2, 2), 3.0)).values, np.full((2, 2), 3.0))


def test_neighbours_are_binned_to_their_root_mean_squares():
    np.testing.assert_array_equal(binned(np.ones((3, 4)), 4), np.ones((3, 4)))
    found = binned(np.arange(12.0).reshape(6, 2), 3)
    np.testing.assert_allclose(found[0], np.sqrt([(0 + 4) / 2, (1 + 9) / 2]))
    assert binned(np.ones((100, 65)), 64).shape == (64, 64)
    np.testing.assert_allclose(binned(np.ones((100, 65)), 64), 1.0)
