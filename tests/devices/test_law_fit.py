"""Laws fitted to points that are made of them: parameters, errors, and what is no such law."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
import pytest

from kanspice.base.errors import InputError
from kanspice.devices import Analytic, Curve, behind, load_device
from kanspice.devices.fit import CardIdentity, fit_card
from kanspice.devices.law_fit import LAW_KINDS, LawKind, fit_law

pytest.importorskip("lmfit")

WHO = CardIdentity("mine", "made up")
TRUE: Mapping[LawKind, tuple[str, dict[str, float], float, tuple[float, float]]] = {
    "esaki": ("esaki_tunnelling", {"ip": 1e-3, "vp": 0.1, "i_s": 1e-11, "v_s": 0.0277}, 0.0, (0.0, 0.5)),
    "bump": ("gaussian_bump", {"a": 2e-3, "mu": 0.4, "sigma": 0.15, "g": 1e-3}, 40.0, (0.0, 1.0)),
    "memdiode": ("memdiode", {"i_0": 1e-5, "alpha": 8.0, "beta": 0.6}, 200.0, (-1.0, 1.0)),
}


def law(kind: LawKind) -> tuple[Curve, dict[str, float], np.ndarray]:
    name, parameters, series, (lo_v, hi_v) = TRUE[kind]
    curve: Curve = Analytic(name, parameters, lo_v, hi_v)
    if series:
        curve, parameters = behind(curve, series), {**parameters, "series": series}
    return curve, parameters, np.linspace(lo_v, hi_v, 101)


@pytest.mark.parametrize("kind", TRUE)
def test_a_law_is_found_again(kind: LawKind) -> None:
    curve, parameters, v = law(kind)
    found = fit_law(v, curve.numpy(v)[0], kind)
    assert found.parameters == pytest.approx(parameters, rel=1e-4)
    assert found.r_squared > 1 - 1e-8


@pytest.mark.parametrize("kind", TRUE)
def test_errors_of_parameters_are_as_large_as_their_scatter(kind: LawKind) -> None:
    """Over draws of noise: parameters are off by their standard errors, give or take."""
    curve, parameters, v = law(kind)
    i = curve.numpy(v)[0]
    off = []
    for seed in range(8):
        noise = 0.005 * np.abs(i).max() * np.random.default_rng(seed).normal(size=v.size)
        found = fit_law(v, i + noise, kind)
        assert 0.8 < found.worse < 1.25
        off += [(found.parameters[name] - true) / found.errors[name] for name, true in parameters.items()]
    assert 0.5 < np.sqrt(np.mean(np.square(off))) < 1.7


def test_a_resonant_tunnelling_diode_is_followed_though_its_parameters_are_not_all_determined() -> None:
    diode = load_device("rtd_unscaled").curve
    v = np.linspace(0.0, 5.0, 101)
    i = diode.numpy(v)[0]
    device, report = fit_card(v, i + 5e-3 * i.max() * np.random.default_rng(1).normal(size=101), WHO, "rtd")
    assert isinstance(device.curve, Analytic)
    assert report.law is not None
    assert (report.law.worse, report.law.fixed) == (pytest.approx(1.0, abs=0.1), ("temperature_k",))
    np.testing.assert_allclose(device.curve.numpy(v)[0], i, atol=3e-3 * i.max())
    true, found = diode.extrema(), report.extrema
    assert true is not None
    assert found is not None
    assert found.peak_v == pytest.approx(true.peak_v, abs=0.05)


def test_the_card_keeps_law_parameters_and_errors() -> None:
    curve, parameters, v = law("bump")
    device, report = fit_card(v, curve.numpy(v)[0], WHO, "bump")
    record = device.card.fit
    assert (record.method, record.law) == ("bump", "gaussian_bump")
    assert record.parameters == pytest.approx(parameters, rel=1e-4)
    assert set(record.errors or {}) == set(parameters)
    np.testing.assert_allclose(device.curve.numpy(v)[0], curve.numpy(v)[0], atol=5e-5 * curve.numpy(v)[0].max())
    assert report.pieces < 64


def test_a_law_that_is_not_the_points_is_worse_than_a_smooth_curve() -> None:
    curve, _, v = law("bump")
    noisy = curve.numpy(v)[0] + 1e-5 * np.random.default_rng(0).normal(size=v.size)
    assert fit_law(v, noisy, "esaki").worse > 4
    assert fit_law(v, noisy, "bump").worse < 1.5


@pytest.mark.parametrize("kind", ["esaki", "rtd", "bump"])
def test_points_without_a_peak_have_no_such_law(kind: LawKind) -> None:
    with pytest.raises(InputError, match=r"(?s)does not belong to these points.*a peak at a positive voltage"):
        fit_law(np.linspace(0, 1, 20), np.linspace(0, 1, 20), kind)


@pytest.mark.parametrize("kind", LAW_KINDS)
def test_too_few_points_are_refused(kind: LawKind) -> None:
    with pytest.raises(InputError, match=f"wrong number of points for --kind {kind}"):
        fit_card([0.0, 0.1, 0.2, 0.3], [0.0, 1.0, 0.5, 2.0], WHO, kind)


def test_without_lmfit_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lmfit", None)
    curve, _, v = law("esaki")
    with pytest.raises(InputError, match=r"kanspice\[devices\]"):
        fit_law(v, curve.numpy(v)[0], "esaki")
