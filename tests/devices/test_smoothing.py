"""Smooth curves: their distance from what was measured without noise, where peaks stay, and what is physical."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import make_smoothing_spline

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.devices import Analytic, Extrema, load_device
from kanspice.devices.fit import CardIdentity, fit_card
from kanspice.devices.ivdata import read_points
from kanspice.devices.smoothing import noise_of, passive_curve, smooth_curve

WHO = CardIdentity("mine", "made up")
NOISE = 0.005
"""Of the peak current."""


def esaki(v: Array) -> Array:
    """Amperes of a tunnel diode with its peak at 0.1 V."""
    return 1e-3 * (v / 0.1) * np.exp(1 - v / 0.1) + 1e-11 * np.expm1(v / 0.0277)


def resonant(v: Array) -> Array:
    """Amperes of the shipped resonant tunnelling diode with the paper's own b."""
    curve = load_device("rtd_unscaled").curve
    assert isinstance(curve, Analytic)
    return curve.numpy(v)[0]


LAWS = [(esaki, 0.0, 0.5), (resonant, 0.0, 5.0)]


def measured(law: Callable[[Array], Array], lo_v: float, hi_v: float, points: int, seed: int) -> tuple[Array, Array]:
    v = np.linspace(lo_v, hi_v, points)
    i = law(v)
    return v, i + NOISE * peak(law, lo_v, hi_v).peak_i * np.random.default_rng(seed).normal(size=points)


def peak(law: Callable[[Array], Array], lo_v: float, hi_v: float) -> Extrema:
    v = np.linspace(lo_v, hi_v, 400)
    found = fit_card(v, law(v), WHO, "spline", smoothing=0)[0].curve.extrema()
    assert found is not None
    return found


def off(device_curve: Callable[[Array], Array], law: Callable[[Array], Array], lo_v: float, hi_v: float) -> float:
    """Root mean square distance from the law, of its peak current."""
    fine = np.linspace(lo_v, hi_v, 4001)
    return float(np.sqrt(np.mean((device_curve(fine) - law(fine)) ** 2))) / peak(law, lo_v, hi_v).peak_i


@pytest.mark.parametrize(("law", "lo_v", "hi_v"), LAWS)
@pytest.mark.parametrize("points", [51, 101, 501])
def test_the_default_is_nearer_the_truth_than_the_points(law, lo_v: float, hi_v: float, points: int) -> None:
    """And several times nearer than FITPACK's with 2 % of the largest current, whose peak is displaced."""
    true = peak(law, lo_v, hi_v)
    for seed in range(3):
        v, i = measured(law, lo_v, hi_v, points, seed)
        (ours, _), (old, _) = fit_card(v, i, WHO), fit_card(v, i, WHO, "spline")
        found = ours.curve.extrema()
        assert found is not None
        assert ours.card.fit.method == "smooth"
        away = off(lambda x, c=ours.curve: c.numpy(x)[0], law, lo_v, hi_v)
        assert away < NOISE
        assert away < 0.5 * off(lambda x, c=old.curve: c.numpy(x)[0], law, lo_v, hi_v)
        assert abs(found.peak_v - true.peak_v) < 0.02 * (hi_v - lo_v)
        assert found.peak_i == pytest.approx(true.peak_i, rel=0.015)


def test_the_unit_of_voltage_does_not_matter() -> None:
    """SciPy's own search, in volts, finds no smoothing at all here."""
    v, i = measured(esaki, 0.0, 0.5, 501, 0)
    fine = np.linspace(0, 0.5, 2001)
    volts, kilovolts = smooth_curve(v, i), smooth_curve(v / 1e3, i * 1e6)
    np.testing.assert_allclose(kilovolts.numpy(fine / 1e3)[0], volts.numpy(fine)[0] * 1e6, rtol=1e-9, atol=1e-4)
    assert off(make_smoothing_spline(v, i), esaki, 0.0, 0.5) > 100 * off(lambda x: volts.numpy(x)[0], esaki, 0.0, 0.5)


def test_few_points_are_one_piece_each_and_many_are_merged() -> None:
    assert len(smooth_curve(*measured(esaki, 0.0, 0.5, 51, 0)).coefficients) == 50
    assert len(smooth_curve(*measured(esaki, 0.0, 0.5, 501, 0)).coefficients) < 64


@pytest.mark.parametrize("points", [51, 101, 501])
def test_noise_is_estimated(points: int) -> None:
    found = [noise_of(*measured(esaki, 0.0, 0.5, points, seed)) / peak(esaki, 0.0, 0.5).peak_i for seed in range(6)]
    assert np.mean(found) == pytest.approx(NOISE, rel=0.3)  # of 51 points it follows some


def test_points_without_noise_stay_where_they_are() -> None:
    v = np.linspace(0.0, 0.5, 60)
    np.testing.assert_allclose(smooth_curve(v, esaki(v)).numpy(v)[0], esaki(v), atol=2e-6)


@pytest.mark.parametrize("lo_v", [0.0, -0.2])
def test_a_passive_curve_has_the_sign_of_its_voltage(lo_v: float) -> None:
    """And is smooth at 0 V, as near the points as the free one, but where that one is against the voltage."""
    v = np.linspace(lo_v, 0.5, 141)
    i = np.maximum(esaki(v), -2e-3)
    i = np.where(np.abs(v - 0.35) < 0.08, 0.02 * i, i) + 1e-5 * np.random.default_rng(3).normal(size=v.size)
    fine = np.linspace(lo_v, 0.5, 7001)
    free, passive = smooth_curve(v, i), passive_curve(v, i)
    assert (free.numpy(fine)[0] * np.sign(fine)).min() < -1e-7
    assert (passive.numpy(fine)[0] * np.sign(fine)).min() > -1e-15
    assert passive.numpy(0.0)[0] == 0.0
    np.testing.assert_allclose(*passive.numpy([-1e-9, 1e-9])[1][(lo_v == 0) :].repeat(1 + (lo_v == 0)), rtol=1e-3)
    rms = [np.sqrt(np.mean((curve.numpy(v)[0] - i) ** 2)) for curve in (free, passive)]
    assert rms[1] < 1.2 * rms[0]


def test_the_card_of_a_curve_that_delivers_power_at_negative_voltages_says_so() -> None:
    v = np.linspace(-1.0, 1.0, 21)
    device, _ = fit_card(v, v + 0.5, WHO)
    assert device.delivers is not None
    assert device.delivers[0] < 0 < device.delivers[1]
    assert not device.within_scatter(device.delivers[1])
    assert fit_card(v, v + 0.5, WHO, "passive")[0].delivers is None


def test_a_current_against_the_voltage_may_be_the_points_scatter() -> None:
    v, i = measured(esaki, 0.0, 0.5, 101, 0)
    device, report = fit_card(v, i - 8e-6, WHO)
    assert device.delivers is not None
    assert device.within_scatter(device.delivers[1])
    assert not device.within_scatter(-5 * report.residual_rms)
    assert not load_device("z21").within_scatter(-1e-6)


@pytest.mark.reference_data
@pytest.mark.parametrize(("name", "at_most"), [("a21", 0.01), ("z21", 0.002), ("zaz21", 0.025)])
def test_published_points_dip_less_than_with_fitpack(name: str, at_most: float, published_iv: Path) -> None:
    """Below zero, in units of the points; and not at all in a passive curve."""
    v, i = read_points(published_iv / f"{name}_nodes.csv")
    old, ours = fit_card(v, i, WHO, "spline")[0].delivers, fit_card(v, i, WHO)[0].delivers
    assert old is not None
    assert ours is not None
    assert -at_most < ours[1] < 0
    assert ours[1] > 0.6 * old[1]
    assert fit_card(v, i, WHO, "passive")[0].delivers is None


@pytest.mark.parametrize("points", [6, 8, 10])
def test_few_points_with_a_peak_are_not_taken_for_noise(points: int) -> None:
    """The best score of so few may be a straight line's."""
    v, i = measured(esaki, 0.0, 0.5, points, 0)
    device, report = fit_card(v, i, WHO)
    assert report.residual_rms < 0.05 * report.largest
    assert (device.curve.extrema() is not None) == bool((np.diff(i) < 0).any())


def test_a_first_voltage_that_is_nearly_zero_is_zero() -> None:
    """As instruments read it back."""
    v, i = measured(esaki, 0.0, 0.5, 101, 1)
    v[0] = -3e-10
    passive = passive_curve(v, i)
    assert abs(passive.numpy(v[0])[0]) < 1e-12
    assert passive.numpy(np.linspace(0, 0.5, 2001))[0].min() > -1e-12


def test_points_that_are_against_the_voltage_have_no_passive_curve() -> None:
    v = np.linspace(0.0, 1.0, 30)
    with pytest.raises(InputError, match=r"(?s)no curve of --kind passive is near these points.*--kind smooth"):
        fit_card(v, -v, WHO, "passive")
