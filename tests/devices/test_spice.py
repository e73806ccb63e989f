"""Every registered device, and the hard cases, swept through ngspice and compared with torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kanspice.devices import Analytic, Curve, PiecewisePolynomial, list_devices, load_device

POINTS = 1501

_V = np.linspace(0.0, 1.3, 40)
_I = np.sin(5 * _V) + _V**3

HARD: dict[str, Curve] = {
    "one_constant": PiecewisePolynomial(np.array([0.0, 1.0]), np.array([[2.5, 0.0]])),
    "polynomial_15": PiecewisePolynomial.polynomial(_V, _I, 15),
    "polynomial_12_odd": PiecewisePolynomial.polynomial(_V, _I, 12).odd(),
    "many_pieces": PiecewisePolynomial.natural_spline(_V, _I).odd().stretched(0.37),
    "rtd_odd": load_device("rtd").curve.odd().stretched(0.3),
    "rtd_steep": Analytic(
        "resonant_tunnelling",
        {"a": 0.004, "b": 50.0, "c": 0.087, "d": 0.007, "n1": 0.35, "n2": 0.003, "h": 0.037, "temperature_k": 30.0},
        -20.0,
        20.0,
    ),
    "esaki": Analytic("esaki_tunnelling", {"ip": 1e-3, "vp": 0.1, "i_s": 1e-11, "v_s": 0.028}, -0.2, 0.5),
    "memdiode": Analytic("memdiode", {"i_0": 1e-5, "alpha": 8.0, "beta": 0.6}, -1.0, 1.0),
    "bump": Analytic("gaussian_bump", {"a": 2e-3, "mu": 0.4, "sigma": 0.15, "g": 1e-3}, -1.0, 1.0),
}
REGISTERED: dict[str, Curve] = {device.name: device.curve for device in list_devices()}


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("name", [*REGISTERED, *HARD])
def test_ngspice_agrees_with_torch(name: str, ngspice_sweep) -> None:
    curve = {**REGISTERED, **HARD}[name]
    width = curve.hi_v - curve.lo_v
    v, current = ngspice_sweep(curve.spice("x"), curve.lo_v - width / 2, curve.hi_v + width / 2, POINTS)
    assert v[0] < curve.lo_v
    assert v[-1] > curve.hi_v
    expected = curve.torch(torch.tensor(v)).numpy()
    np.testing.assert_allclose(current, expected, atol=1e-9 * np.abs(expected).max(), rtol=0)


@pytest.mark.ngspice
def test_ngspice_itself_rounds_a_plain_number_in_an_expression(ngspice_sweep) -> None:
    """Why literals are split. Where this fails, ngspice has become exact and `spice_literal` may go."""
    _, plain = ngspice_sweep("x*1.2345678901234567", 1.0, 2.0, 2)
    assert plain[0] == pytest.approx(1.2345678901, abs=1e-13)


@pytest.mark.parametrize("name", [*REGISTERED, *HARD])
def test_expressions_avoid_what_ngspice_reads_differently(name: str) -> None:
    text = {**REGISTERED, **HARD}[name].spice("v(a,b)")
    assert "^" not in text
    assert "**" not in text
    assert "(v(a,b))" in text
    assert text.count("(") == text.count(")")


def test_conditionals_are_balanced() -> None:
    text = HARD["many_pieces"].spice("x")
    depth = deepest = 0
    for character in text:
        depth += (character == "?") - (character == ":")
        deepest = max(deepest, depth)
    assert text.count("?") == 2 + 77
    assert deepest <= 2 + 7
