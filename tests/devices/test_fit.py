"""Fits: against exact answers, against the authors' published curves, and every refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kanspice.base.errors import InputError
from kanspice.devices import devices_from_folder, load_device
from kanspice.devices.fit import CardIdentity, fit_card
from kanspice.devices.ivdata import read_points

V = np.linspace(0.0, 1.0, 21)
I = np.sin(5 * V)  # noqa: E741 - the standard letter for a current
WHO = CardIdentity("mine", "made up")

# Sum of squared residuals that the authors' published curves leave: what they must have asked FITPACK for.
AUTHORS_SMOOTHING = {"a21": 0.1, "z21": 0.1, "z15": 0.1, "zaz21": 0.2}


def test_segments_pass_through_every_point() -> None:
    device, report = fit_card(V, I, WHO, "segments")
    np.testing.assert_allclose(device.curve.numpy(V)[0], I, atol=1e-15)
    assert (report.points, report.pieces) == (21, 20)
    assert report.residual_max < 1e-15


def test_spline_leaves_the_residual_that_was_asked_for() -> None:
    noisy = I + np.random.default_rng(0).normal(0, 0.05, V.size)
    device, report = fit_card(V, noisy, WHO, smoothing=0.05)
    assert report.residual_rms**2 * 21 == pytest.approx(0.05, rel=2e-3)
    assert device.card.fit.smoothing == 0.05
    assert device.card.fit.residual_max == report.residual_max


def test_default_smoothing_of_fitpack_is_two_percent_of_the_largest_current() -> None:
    _, report = fit_card(V, 7 * I + np.random.default_rng(0).normal(0, 0.5, V.size), WHO, "spline")
    largest = np.abs(7 * I + np.random.default_rng(0).normal(0, 0.5, V.size)).max()
    assert report.residual_rms == pytest.approx(0.02 * largest, rel=2e-3)


def test_smoothing_zero_is_the_natural_spline() -> None:
    device, report = fit_card(V, I, WHO, smoothing=0)
    assert report.residual_max < 1e-14
    assert report.pieces == 20
    found = device.curve.extrema()
    assert found is not None
    assert found.peak_v == pytest.approx(np.pi / 10, abs=1e-3)
    assert found.valley_v == pytest.approx(3 * np.pi / 10, abs=2e-3)


@pytest.mark.parametrize(("degree", "tolerance"), [(3, 0.2), (10, 1e-6)])
def test_polynomial_of_a_sine(degree: int, tolerance: float) -> None:
    device, report = fit_card(V, I, WHO, "polynomial", degree=degree)
    assert report.residual_max < tolerance
    assert device.card.fit.degree == degree
    slope, intercept = np.polynomial.polynomial.polyfit(V, I, 1)[::-1]
    straight, _ = fit_card(V, I, WHO, "polynomial", degree=1)
    np.testing.assert_allclose(straight.curve.numpy([0.0, 1.0])[0], [intercept, intercept + slope], atol=1e-14)


def test_the_card_says_who_and_where_from() -> None:
    who = CardIdentity("mine", "a paper", ("M-1",), "a diode", "nA", 1e-9, "odd")
    card = fit_card(V, I, who, "segments")[0].card
    assert (card.aliases, card.units.current, card.units.current_unit_a) == (("M-1",), "nA", 1e-9)
    assert (card.reverse, card.fit.method, card.fit.points) == ("odd", "segments", 21)


@pytest.mark.parametrize(
    ("points", "kind", "options", "message"),
    [
        (21, "cubic", {}, r"smooth \| passive \| spline \| segments \| polynomial \| rtd \| esaki"),
        (21, "segments", {"smoothing": 1.0}, "--smoothing belongs to --kind spline or passive"),
        (21, "passive", {"smoothing": 0.0}, "a smoothing above 0"),
        (21, "passive", {"smoothing": 1e-9}, "no curve without negative current is that close"),
        (4, "passive", {}, "5 to 4096"),
        (4, "smooth", {}, "5 to 4096"),
        (21, "smooth", {"smoothing": 1.0}, "--smoothing belongs to --kind spline or passive"),
        (21, "spline", {"degree": 3}, "--degree belongs to --kind polynomial"),
        (21, "spline", {"smoothing": -1.0}, "bad smoothing"),
        (21, "spline", {"smoothing": np.inf}, "bad smoothing"),
        (21, "polynomial", {"degree": 0}, "bad degree"),
        (21, "polynomial", {"degree": 26}, "bad degree"),
        (21, "polynomial", {"degree": 21}, "at most 20"),
        (3, "spline", {}, "4 to 4096"),
        (1, "segments", {}, "2 to 4096"),
    ],
)
def test_bad_requests_are_refused(points: int, kind: str, options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_card(V[:points], I[:points], WHO, kind, **options)  # type: ignore[arg-type]


def test_bad_points_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(21,\) and \(20,\)"):
        fit_card(V, I[:-1], WHO)
    with pytest.raises(InputError, match="strictly rising"):
        fit_card(V[::-1], I, WHO)
    with pytest.raises(InputError, match="finite numbers"):
        fit_card(V, I * np.nan, WHO)


def test_a_smoothing_that_fitpack_cannot_reach_is_refused() -> None:
    v = np.linspace(0, 1, 200)
    with pytest.raises(InputError, match="smoothing spline cannot be found"):
        fit_card(v, np.random.default_rng(3).normal(size=200), WHO, smoothing=1e-30)


@pytest.mark.reference_data
@pytest.mark.parametrize("name", AUTHORS_SMOOTHING)
def test_our_fit_of_the_published_points_is_the_authors_curve(name: str, published_iv: Path) -> None:
    v, i = read_points(published_iv / f"{name}_nodes.csv")
    ours, report = fit_card(v, i, CardIdentity(name, "published points"), smoothing=AUTHORS_SMOOTHING[name])
    (theirs,) = devices_from_folder(published_iv, [name], "univariate").devices
    fine = np.linspace(v[0] - 0.1, v[-1] + 0.1, 20001)
    for ours_of, theirs_of in zip(ours.curve.numpy(fine), theirs.curve.numpy(fine), strict=True):
        np.testing.assert_allclose(ours_of, theirs_of, atol=1e-11 * np.abs(theirs_of).max(), rtol=0)
    assert report.residual_rms**2 * len(v) == pytest.approx(AUTHORS_SMOOTHING[name], rel=1e-3)


@pytest.mark.reference_data
@pytest.mark.parametrize("name", AUTHORS_SMOOTHING)
def test_the_shipped_card_is_the_authors_curve(name: str, published_iv: Path) -> None:
    (theirs,) = devices_from_folder(published_iv, [name], "univariate").devices
    v = np.linspace(-0.5, 2.0, 20001)
    shipped = load_device(name)
    np.testing.assert_allclose(shipped.curve.numpy(v)[0], theirs.curve.numpy(v)[0], atol=1e-13)
    assert shipped.card.fit.smoothing == AUTHORS_SMOOTHING[name]


def test_the_card_keeps_the_points() -> None:
    v = np.linspace(0.0, 1.0, 9)
    device, _ = fit_card(v, v**2, CardIdentity("square", "a test"), "polynomial", degree=1)
    assert device.card.points is not None
    assert device.card.points.i == tuple(v**2)
    np.testing.assert_allclose(device.measured().curve.numpy(v)[0], v**2)


def test_a_passive_curve_carries_no_negative_current() -> None:
    """Where an ordinary one of the same smoothing does."""
    v = np.linspace(0.0, 1.5, 31)
    i = np.maximum(np.sin(4 * v), 0.0)
    fine = np.linspace(-0.5, 2.0, 5001)
    active, _ = fit_card(v, i, WHO, "spline", smoothing=0.02)
    passive, report = fit_card(v, i, WHO, "passive", smoothing=0.02)
    assert active.delivers is not None
    assert passive.delivers is None
    assert passive.curve.numpy(fine)[0].min() > -1e-14
    assert passive.curve.numpy(0.0)[0] == 0.0
    assert report.residual_rms**2 * len(v) <= 0.02


def test_a_passive_curve_begins_where_the_points_do() -> None:
    v = np.linspace(0.2, 1.0, 9)
    passive, _ = fit_card(v, 1 + v, WHO, "passive", smoothing=0.01)
    np.testing.assert_allclose(passive.curve.numpy([0.0, 0.2])[0], 1.2, atol=1e-9)
    with pytest.raises(InputError, match=r"(?s)points at 0 V and above.*-0\.1 V.*--reverse odd"):
        fit_card(v - 0.3, v, WHO, "passive", smoothing=0.01)


@pytest.mark.reference_data
@pytest.mark.parametrize("name", AUTHORS_SMOOTHING)
def test_the_shipped_passive_card_is_our_fit_of_the_published_points(name: str, published_iv: Path) -> None:
    v, i = read_points(published_iv / f"{name}_nodes.csv")
    ours, report = fit_card(v, i, WHO, "passive", smoothing=AUTHORS_SMOOTHING[name])
    shipped = load_device(f"{name}_passive")
    fine = np.linspace(v[0], v[-1], 5001)
    np.testing.assert_allclose(ours.curve.numpy(fine)[0], shipped.curve.numpy(fine)[0], atol=1e-9)
    assert report.residual_rms**2 * len(v) <= AUTHORS_SMOOTHING[name]


@pytest.mark.parametrize("name", AUTHORS_SMOOTHING)
def test_shipped_passive_cards_deliver_no_power(name: str) -> None:
    device = load_device(f"{name}_passive")
    assert device.delivers is None
    assert (load_device(name).delivers is not None) == (name != "z15")
    assert device.curve.numpy(np.linspace(-1, 2, 5001))[0].min() > -1e-12
    assert device.curve.numpy([-1.0, 0.0])[0].tolist() == [0.0, 0.0]
    assert device.card.source == load_device(name).card.source
