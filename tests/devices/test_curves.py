"""Curves against closed forms, torch against NumPy, and autograd against the analytic derivative."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanspice.base.errors import InputError
from kanspice.devices import Analytic, Curve, PiecewisePolynomial, list_devices, load_device
from kanspice.devices.curves import spice_literal

# v on [0, 1], then 1 - 2 (v - 1) + 3 (v - 1)^2 on [1, 2]: worth 2 at 2 V.
TWO_PIECES = PiecewisePolynomial(np.array([0.0, 1.0, 2.0]), np.array([[0.0, 1.0, 0.0], [1.0, -2.0, 3.0]]))
RTD = {"a": 0.0039, "b": 5.0, "c": 0.0874, "d": 0.0073, "n1": 0.0352, "n2": 0.0031, "h": 0.0367, "temperature_k": 300.0}
SQUARE_LAW = Analytic("square_law", {"k": 6.17, "vth": 1.0}, -5.0, 5.0)

CURVES: dict[str, Curve] = {device.name: device.curve for device in list_devices()}
CURVES |= {
    "two_pieces": TWO_PIECES,
    "odd": TWO_PIECES.odd(),
    "odd_rtd": load_device("rtd").curve.odd(),
    "stretched_rtd": load_device("rtd").curve.odd().stretched(0.3),
}
MIRRORABLE = [name for name, curve in CURVES.items() if curve.lo_v <= 0 < curve.hi_v]


def test_values_and_derivatives_of_a_known_curve() -> None:
    current, slope = TWO_PIECES.numpy([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
    np.testing.assert_allclose(current, [0.0, 0.0, 0.5, 1.0, 0.75, 2.0, 2.0], rtol=1e-15)
    np.testing.assert_allclose(slope, [0.0, 1.0, 1.0, -2.0, 1.0, 4.0, 0.0], rtol=1e-15)


def test_square_law_is_the_closed_form() -> None:
    current, slope = SQUARE_LAW.numpy([0.0, 1.0, 2.0, 4.0, 9.0])
    np.testing.assert_allclose(current, [0.0, 0.0, 6.17, 6.17 * 9, 6.17 * 16], rtol=1e-15)
    np.testing.assert_allclose(slope, [0.0, 0.0, 12.34, 6.17 * 6, 0.0], rtol=1e-15)


def test_resonant_tunnelling_is_equation_4() -> None:
    v = np.linspace(-5, 5, 201)
    per_volt = 1.602176634e-19 / (1.380649e-23 * 300.0)
    alpha, eta, gamma = per_volt * (5.0 - 0.0874), per_volt * 0.0352, per_volt * 0.0031
    supply = np.log((1 + np.exp(alpha + eta * v)) / (1 + np.exp(alpha - eta * v)))
    expected = 0.0039 * supply * (np.pi / 2 + np.arctan((0.0874 - 0.0352 * v) / 0.0073))
    expected += 0.0367 * (np.exp(gamma * v) - 1)
    np.testing.assert_allclose(Analytic("resonant_tunnelling", RTD, -5, 5).numpy(v)[0], expected, atol=1e-14)


def test_resonant_tunnelling_does_not_overflow() -> None:
    steep = Analytic("resonant_tunnelling", RTD | {"b": 50.0, "n1": 0.352, "temperature_k": 30.0}, -20, 20)
    v = torch.linspace(-20, 20, 401, dtype=torch.float64)
    assert torch.isfinite(steep.torch(v)).all()
    np.testing.assert_allclose(steep.torch(v).numpy(), steep.numpy(v.numpy())[0], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", CURVES)
def test_torch_agrees_with_numpy_and_autograd_with_the_derivative(name: str) -> None:
    curve = CURVES[name]
    width = curve.hi_v - curve.lo_v
    v = np.append(np.linspace(curve.lo_v - width / 3, curve.hi_v + width / 3, 1001), [curve.lo_v, curve.hi_v])
    current, slope = curve.numpy(v)
    tensor = torch.tensor(v, requires_grad=True)
    value = curve.torch(tensor)
    value.sum().backward()
    assert value.dtype == torch.float64
    np.testing.assert_allclose(value.detach().numpy(), current, atol=1e-13 * np.abs(current).max(), rtol=0)
    # at 0 V a mirrored law has a corner, where the two sides' derivatives are both right
    smooth = v != 0
    assert tensor.grad is not None
    np.testing.assert_allclose(tensor.grad.numpy()[smooth], slope[smooth], atol=1e-11 * np.abs(slope).max(), rtol=0)


@pytest.mark.parametrize("name", CURVES)
def test_derivative_agrees_with_finite_differences(name: str) -> None:
    curve = CURVES[name]
    v = np.random.default_rng(1).uniform(curve.lo_v, curve.hi_v, 200)
    step = 1e-6
    numeric = (curve.numpy(v + step)[0] - curve.numpy(v - step)[0]) / (2 * step)
    np.testing.assert_allclose(curve.numpy(v)[1], numeric, atol=1e-4 * np.abs(numeric).max())


def test_float32_input_is_evaluated_in_float64_and_shapes_are_kept() -> None:
    v = torch.rand(3, 4, 5)
    assert TWO_PIECES.torch(v).dtype == torch.float64
    assert TWO_PIECES.torch(v).shape == v.shape
    assert TWO_PIECES.numpy(v.numpy())[0].shape == (3, 4, 5)


def test_gradient_is_zero_where_clamped() -> None:
    v = torch.tensor([-0.5, 2.5], dtype=torch.float64, requires_grad=True)
    TWO_PIECES.torch(v).sum().backward()
    assert v.grad is not None
    assert v.grad.tolist() == [0.0, 0.0]


def test_torch_is_differentiable_twice() -> None:
    v = torch.tensor([0.5, 1.5], dtype=torch.float64)
    assert torch.autograd.functional.hessian(lambda x: TWO_PIECES.torch(x).sum(), v).diagonal().tolist() == [0.0, 6.0]


@settings(max_examples=50, deadline=None)
@given(st.floats(0.01, 100), st.floats(-300, 300), st.sampled_from(sorted(CURVES)))
def test_stretching_multiplies_the_voltage_axis(factor: float, v: float, name: str) -> None:
    curve = CURVES[name]
    stretched = curve.stretched(factor)
    current, slope = curve.numpy(v / factor)
    assert stretched.hi_v == pytest.approx(curve.hi_v * factor, rel=1e-15)
    scale = max(abs(curve.numpy([curve.lo_v, curve.hi_v])[0]).max(), 1.0)
    assert stretched.numpy(v)[0] == pytest.approx(current, abs=1e-9 * scale)
    inside = curve.lo_v + 1e-9 < v / factor < curve.hi_v - 1e-9
    smooth = isinstance(curve, Analytic) or np.abs(v / factor - curve.breakpoints).min() > 1e-9
    if inside and smooth:
        assert stretched.numpy(v)[1] * factor == pytest.approx(slope, rel=1e-6, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 6), st.sampled_from(MIRRORABLE))
def test_odd_is_point_symmetric_about_the_current_at_zero(v: float, name: str) -> None:
    curve = CURVES[name]
    odd = curve.odd()
    middle = curve.numpy(0.0)[0]
    assert (odd.lo_v, odd.hi_v) == (-curve.hi_v, curve.hi_v)
    scale = np.abs(curve.numpy(np.linspace(curve.lo_v, curve.hi_v, 101))[0]).max()
    assert odd.numpy(v)[0] == pytest.approx(curve.numpy(v)[0], abs=1e-12 * scale)
    assert odd.numpy(-v)[0] == pytest.approx(2 * middle - curve.numpy(v)[0], abs=1e-12 * scale)


def test_odd_drops_a_reverse_branch_that_was_there() -> None:
    curve = PiecewisePolynomial.from_segments([-1.0, 1.0], [1.0, 2.0], [-5.0, 1.0], [1.0, 3.0])
    np.testing.assert_allclose(curve.odd().numpy([-2.0, -1.0, 0.0, 0.5, 2.0])[0], [-7.0, -5.0, -2.0, -0.5, 3.0])


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(-10, 10)), min_size=4, max_size=12))
def test_natural_spline_passes_through_its_points(steps: list[tuple[float, float]]) -> None:
    v, i = np.cumsum([step for step, _ in steps]), np.array([current for _, current in steps])
    curve = PiecewisePolynomial.natural_spline(v, i)
    np.testing.assert_allclose(curve.numpy(v)[0], i, atol=1e-9)
    assert curve.coefficients[0, 2] == pytest.approx(0.0, abs=1e-6 * np.abs(curve.coefficients).max())


@pytest.mark.parametrize("degree", [1, 3, 5, 6, 12, 15])
def test_polynomial_recovers_a_polynomial_of_its_degree(degree: int) -> None:
    v = np.linspace(0.1, 1.4, 40)
    expected = np.polynomial.Chebyshev(np.arange(1, degree + 2.0), domain=(0.1, 1.4))
    curve = PiecewisePolynomial.polynomial(v, expected(v), degree)
    fine = np.linspace(0.1, 1.4, 1001)
    np.testing.assert_allclose(curve.numpy(fine)[0], expected(fine), atol=1e-9 * np.abs(expected(v)).max())


def test_authors_rows_are_descending_and_empty_pieces_are_skipped() -> None:
    rows = [[9.0, 9.0, 9.0, 9.0], [1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 1.0, 10.0], [7.0, 7.0, 7.0, 7.0]]
    curve = PiecewisePolynomial.from_authors_spline([0.0, 0.0, 1.0, 2.0, 2.0], rows)
    np.testing.assert_allclose(curve.numpy([0.0, 0.5, 1.0, 3.0])[0], [4.0, 6.125, 10.0, 11.0])


def test_extrema_of_a_known_curve() -> None:
    found = TWO_PIECES.extrema()
    assert found is not None
    assert (found.peak_v, found.peak_i) == pytest.approx((1.0, 1.0))
    assert (found.valley_v, found.valley_i) == pytest.approx((4 / 3, 2 / 3))
    assert found.peak_to_valley == pytest.approx(1.5)


def test_a_curve_that_still_falls_has_its_valley_at_the_end() -> None:
    found = PiecewisePolynomial.from_segments([0.0, 1.0], [1.0, 2.0], [0.0, 1.0], [1.0, -0.5]).extrema()
    assert found is not None
    assert (found.valley_v, found.valley_i) == (2.0, -0.5)
    assert found.peak_to_valley is None


def test_a_rising_curve_has_no_extrema() -> None:
    assert SQUARE_LAW.extrema() is None


@settings(max_examples=200)
@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_literals_are_exact_in_eleven_digits_per_term(value: float) -> None:
    text = spice_literal(value)
    terms = text.strip("()").replace("e+", "e").replace("e-", "E").replace("-", " -").replace("+", " ")
    numbers = [float(term.replace("E", "e-")) for term in terms.split()]
    assert all(float(f"{number:.10e}") == number for number in numbers)
    assert sum(numbers) == value


@pytest.mark.parametrize(
    ("breakpoints", "coefficients", "message"),
    [
        ([0.0, 1.0], [[1.0], [2.0]], "do not fit together"),
        ([0.0], np.zeros((0, 2)), "do not fit together"),
        ([0.0, np.nan], [[1.0]], "not finite"),
        ([0.0, 1.0], [[np.inf]], "not finite"),
        ([0.0, 1.0, 1.0], [[1.0], [1.0]], "1 then 1 \\(breakpoints 1 and 2\\)"),
        ([0.0, 1.0, 2.0], [[0.0, 1.0], [1.1, 0.0]], "jumps at 1 V"),
        ([0.0, 1e9], [[0.0, *[1e300] * 9]], "overflows"),
    ],
)
def test_bad_tables_are_refused(breakpoints: list[float], coefficients: list[list[float]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PiecewisePolynomial(np.array(breakpoints), np.array(coefficients))


def test_bad_segments_are_refused() -> None:
    with pytest.raises(InputError, match="do not join"):
        PiecewisePolynomial.from_segments([0.0, 1.0], [0.9, 2.0], [0.0, 1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="rising order"):
        PiecewisePolynomial.from_segments([0.0, 1.0], [1.0, 0.5], [0.0, 1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="2 rows and 2 knots"):
        PiecewisePolynomial.from_authors_spline([0.0, 1.0], np.zeros((2, 4)))


@pytest.mark.parametrize("factor", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("curve", [TWO_PIECES, SQUARE_LAW])
def test_bad_factors_are_refused(curve: Curve, factor: float) -> None:
    with pytest.raises(InputError, match="finite number above 0"):
        curve.stretched(factor)


def test_a_curve_away_from_zero_has_no_odd_branch() -> None:
    with pytest.raises(InputError, match=r"lo_v = 0\.5, hi_v = 1"):
        PiecewisePolynomial(np.array([0.5, 1.0]), np.array([[1.0]])).odd()
    with pytest.raises(InputError, match="curve at 0 V"):
        Analytic("square_law", {"k": 1.0, "vth": 1.0}, -2.0, -1.0).odd()


@pytest.mark.parametrize(
    ("law", "parameters", "lo_v", "hi_v", "message"),
    [
        ("cube_law", {}, 0.0, 1.0, "resonant_tunnelling . square_law"),
        ("square_law", {"k": 1.0}, 0.0, 1.0, "wrong parameters for the law square_law"),
        ("square_law", {"k": 1.0, "vth": 1.0, "x": 0.0}, 0.0, 1.0, "wrong parameters"),
        ("square_law", {"k": np.inf, "vth": 1.0}, 0.0, 1.0, "the parameter k is not finite"),
        ("square_law", {"k": 1.0, "vth": 1.0}, 1.0, 1.0, "range is empty"),
        ("resonant_tunnelling", RTD | {"d": 0.0}, 0.0, 1.0, "not finite between 0 and 1 V"),
        ("resonant_tunnelling", RTD | {"temperature_k": -1.0}, 0.0, 1.0, "temperature_k is not positive"),
        ("resonant_tunnelling", RTD | {"temperature_k": 0.0}, 0.0, 1.0, "temperature_k is not positive"),
        ("resonant_tunnelling", RTD | {"n2": 100.0}, 0.0, 1.0, "not finite between 0 and 1 V"),
    ],
)
def test_bad_laws_are_refused(law: str, parameters: dict[str, float], lo_v: float, hi_v: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Analytic(law, parameters, lo_v, hi_v)
