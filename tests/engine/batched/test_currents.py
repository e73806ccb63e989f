"""The short way to a column's current is no approximation: against the curves themselves, corners and all."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import LINE, PEAK, load_device
from hypothesis import given
from hypothesis import strategies as st

from kanspice.devices import PiecewisePolynomial
from kanspice.engine.batched.currents import AtRows, LocalCurrents, WholeCurves
from kanspice.engine.batched.local_polynomials import Pieces, shifted
from kanspice.engine.batched.row_expansions import Rows

DEVICES = [load_device("z21"), PEAK, load_device("rtd"), LINE]
CURVES = [device.curve for device in DEVICES]


def both(rows_v, columns_v, curves=CURVES, seed=0):
    area = np.random.default_rng(seed).uniform(0, 2, (rows_v.shape[1], columns_v.shape[1], len(curves)))
    samples = np.arange(len(rows_v))
    local = LocalCurrents(Rows.at(rows_v, curves), area).at(columns_v, samples)
    return local, WholeCurves(rows_v, curves, area, np.zeros_like(area)).at(columns_v, samples)


@pytest.mark.parametrize("reach_v", [1e-4, 0.02, 0.3, 2.0])
def test_currents_and_slopes_are_those_of_every_device_by_itself(reach_v):
    rng = np.random.default_rng(1)
    rows_v = rng.uniform(-0.5, 2.0, (7, 9))
    (current, slope), (expected, expected_slope) = both(rows_v, rng.normal(0, reach_v, (7, 5)))
    np.testing.assert_allclose(current, expected, rtol=0, atol=1e-11 * np.abs(expected).max())
    np.testing.assert_allclose(slope, expected_slope, rtol=0, atol=1e-11 * np.abs(expected_slope).max())


@pytest.mark.parametrize("shift_sigma_v", [0.0, 0.05])
@pytest.mark.parametrize(("columns", "reach_v"), [(5, 0.2), (40, 0.2), (40, 1e-3), (40, 3.0)])
def test_devices_by_themselves_carry_what_their_curve_says_beyond_its_ends_too(shift_sigma_v, columns, reach_v):
    """Of few columns and of many, which are mostly on one piece of a curve or on two."""
    rng = np.random.default_rng(5)
    rows_v, columns_v = rng.uniform(-1, 3, (4, 6)), rng.normal(0, reach_v, (4, columns))
    rows_v[0, :3] = PEAK.curve.breakpoints[[0, 1, -1]]
    columns_v[0, :2] = 0.0
    shape = (6, columns, len(CURVES))
    area, shift_v = rng.uniform(0, 2, shape), rng.normal(0, shift_sigma_v, shape)
    area[rng.random(area.shape) < 0.5] = 0.0
    current, slope = WholeCurves(rows_v, CURVES, area, shift_v).at(columns_v, np.arange(4))
    expected, expected_slope = np.zeros((4, columns)), np.zeros((4, columns))
    for device, curve in enumerate(CURVES):
        value, change = curve.numpy(rows_v[:, :, None] - columns_v[:, None, :] - shift_v[:, :, device])
        expected += (area[:, :, device] * value).sum(axis=1)
        expected_slope -= (area[:, :, device] * change).sum(axis=1)
    np.testing.assert_allclose(current, expected, rtol=1e-13, atol=1e-13 * np.abs(expected).max())
    np.testing.assert_allclose(slope, expected_slope, rtol=1e-13, atol=1e-13 * np.abs(expected_slope).max())


@pytest.mark.parametrize("columns", [5, 40])
@pytest.mark.parametrize("wrong_v", [np.nan, np.inf, -np.inf])
def test_a_column_that_is_nowhere_leaves_its_neighbours_alone(columns, wrong_v):
    rng = np.random.default_rng(8)
    rows_v, columns_v = rng.uniform(-0.5, 2.0, (2, 6)), rng.normal(0, 1e-3, (2, columns))
    curves = [curve for curve in CURVES if isinstance(curve, PiecewisePolynomial)]
    area = rng.uniform(0, 2, (6, columns, len(curves)))
    currents, samples = WholeCurves(rows_v, curves, area, np.zeros_like(area)), np.arange(2)
    expected = np.array(currents.at(columns_v, samples))
    columns_v[0, 0] = columns_v[1, 2] = wrong_v
    found = np.array(currents.at(columns_v, samples))
    beside = np.isfinite(columns_v)
    np.testing.assert_array_equal(found[:, beside], expected[:, beside])


@pytest.mark.parametrize("chosen", [[2], [3], [1, 2], [0, 1, 2, 3]])
def test_rows_and_gradients_are_those_of_every_device_by_itself(chosen):
    rng = np.random.default_rng(6)
    curves = [CURVES[place] for place in chosen]
    rows_v, columns_v, weights = rng.uniform(-0.5, 2.0, (7, 9)), rng.normal(0, 0.05, (7, 5)), rng.normal(size=(7, 5))
    area = rng.uniform(0, 2, (9, 5, len(curves)))
    local, whole = LocalCurrents(Rows.at(rows_v, curves), area), WholeCurves(rows_v, curves, area, np.zeros_like(area))
    for found, expected in zip(
        everything_of(local, columns_v, weights), everything_of(whole, columns_v, weights), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


def everything_of(currents, columns_v, weights):
    """Also of columns that are stored the other way, or all the same array."""
    pulled = currents.pulled_back(np.asfortranarray(columns_v), weights)
    held = np.broadcast_to(columns_v[:1], columns_v.shape)
    return currents.from_rows(columns_v), currents.from_rows(held), pulled.rows_v, pulled.area


@pytest.mark.slow
@given(st.data())
def test_rows_on_corners_and_columns_on_both_sides_of_them(data):
    knots = [*PEAK.curve.breakpoints, *(PEAK.curve.breakpoints - 0.01)]
    rows_v = np.array(data.draw(st.lists(st.sampled_from(knots), min_size=6, max_size=6))).reshape(2, 3)
    volts = st.sampled_from([-0.6, -0.01, -1e-9, 0.0, 1e-9, 0.01, 0.4, 0.5]) | st.floats(-1, 1)
    columns_v = np.array(data.draw(st.lists(volts, min_size=4, max_size=4))).reshape(2, 2)
    (current, _), (expected, _) = both(rows_v, columns_v, [PEAK.curve])
    np.testing.assert_allclose(current, expected, rtol=0, atol=1e-13)


def test_a_sample_can_be_asked_for_alone():
    rng = np.random.default_rng(2)
    rows_v, columns_v = rng.uniform(0, 1, (5, 4)), rng.normal(0, 0.05, (5, 3))
    area = rng.uniform(0, 1, (4, 3, len(CURVES)))
    currents = LocalCurrents(Rows.at(rows_v, CURVES), area)
    everything = currents.at(columns_v, np.arange(5))[0]
    chosen = np.array([3, 1])
    np.testing.assert_allclose(currents.at(columns_v[chosen], chosen)[0], everything[chosen], rtol=1e-13)


def test_columns_at_0_v_need_no_curve_but_the_rows():
    rows_v = np.random.default_rng(3).uniform(-0.5, 2, (4, 3))
    area, nothing = np.random.default_rng(4).uniform(0, 1, (3, 2, len(CURVES))), np.zeros((4, 2))
    expected = WholeCurves(rows_v, CURVES, area, np.zeros_like(area)).at(nothing, np.arange(4))[0]
    current, slope = AtRows(rows_v, CURVES, area).at(nothing, np.arange(4))
    np.testing.assert_allclose(current, expected, rtol=1e-13)
    assert not slope.any()


def test_what_a_breakpoint_adds_is_the_difference_of_its_two_pieces():
    pieces = Pieces.of(PEAK.curve)
    np.testing.assert_allclose(pieces.jumps, [[0.0, 2.0], [0.0, -4.0], [0.0, 2.0]], atol=1e-15)


def test_a_polynomial_seen_from_elsewhere_is_the_same_polynomial():
    coefficients, x = np.array([[1.0, -2.0, 0.5, 3.0], [0.0, 1.0, 0.0, -1.0]]), np.linspace(-1, 1, 5)
    moved = shifted(coefficients, np.array([0.3, -2.0]))
    for row, new, by in zip(coefficients, moved, (0.3, -2.0), strict=True):
        expected = np.polynomial.polynomial.polyval(x + by, row)
        np.testing.assert_allclose(np.polynomial.polynomial.polyval(x, new), expected, atol=1e-12)
