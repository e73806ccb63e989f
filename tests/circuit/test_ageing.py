"""What time leaves of crossbars: closed forms of drift, retention, read disturb and temperature; one chip for life."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from circuits import LINE, PEAK, inputs_for, load_device, network, specimen_of

from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit.file import design_bytes
from kanspice.circuit.specimens.ageing import effective_s, fraction_left
from kanspice.families import technology_for
from kanspice.families.loading import loaded_from
from kanspice.families.phykan.network import PhyKAN
from kanspice.nn import Circuit
from kanspice.technology import load_technology

MODEL = network([120, 60, 3], [load_device("z21"), PEAK, LINE])
SAMPLES = inputs_for(MODEL, 4)
YEAR_S = 31_557_600.0
DRIFT = ("ageing.drift_nu=0.05", "ageing.drift_nu_sigma=0.02")


def aged(*settings, seed=0, age_s=YEAR_S):
    return specimen_of(MODEL, SAMPLES, *settings, f"ageing.time_s={age_s}", seed=seed)


NEW = specimen_of(MODEL, SAMPLES)


def left(design):
    """Of every device, what it has of its area."""
    ratios = []
    for old, new in zip(design.crossbars, NEW.crossbars, strict=True):
        there = new.area != 0
        assert (old.area[~there] == 0).all()
        ratios.append(old.area[there] / new.area[there])
    return np.concatenate(ratios)


@pytest.mark.parametrize("age_s", [60.0, 86_400.0, YEAR_S, 10 * YEAR_S])
def test_drift_has_the_mean_and_the_variance_of_its_closed_form(age_s):
    """An exponent that is normal makes areas log-normal: mean exp(-nu L + (s L)^2 / 2), L the logarithm of the age."""
    ratios, log_age = left(aged(*DRIFT, age_s=age_s)), np.log(age_s)
    spread = (0.02 * log_age) ** 2
    mean = np.exp(-0.05 * log_age + spread / 2)
    assert len(ratios) > 20_000
    assert ratios.mean() == pytest.approx(mean, rel=0.02)
    assert ratios.var() == pytest.approx(mean**2 * np.expm1(spread), rel=0.05)  # 1 % is one of its standard deviations
    ageing = load_technology(None, [*DRIFT, f"ageing.time_s={age_s}"]).ageing
    many = fraction_left("l1.crossbar", (500, 1000), ageing, Draw(1))
    assert many.mean() == pytest.approx(mean, rel=0.005)
    assert many.var() == pytest.approx(mean**2 * np.expm1(spread), rel=0.02)


def test_a_device_keeps_its_exponent_for_life():
    early, late = (left(aged(*DRIFT, age_s=age)) for age in (1e3, 1e6))
    np.testing.assert_allclose(np.log(late), 2 * np.log(early), rtol=1e-12, atol=1e-12)
    assert np.abs(left(aged(*DRIFT, seed=1, age_s=1e3)) - early).max() > 0.01


def test_nothing_has_drifted_before_the_reference_and_nothing_ages_by_itself():
    assert (left(aged(*DRIFT, "ageing.reference_s=100", age_s=99)) == 1).all()
    assert (left(aged(*DRIFT, age_s=0)) == 1).all()
    assert left(aged("ageing.drift_nu=0.1", "ageing.reference_s=100", age_s=1e4)) == pytest.approx(100**-0.1)


def test_ageing_does_not_change_what_else_is_drawn():
    made = specimen_of(MODEL, SAMPLES, "devices.area_sigma=0.1", "tia.offset_sigma_v=1e-3", seed=5)
    old = aged("devices.area_sigma=0.1", "tia.offset_sigma_v=1e-3", "ageing.drift_nu=0.05", seed=5)
    for before, after in zip(made.crossbars, old.crossbars, strict=True):
        np.testing.assert_allclose(after.area, before.area * YEAR_S**-0.05, rtol=1e-12)
        np.testing.assert_array_equal(after.offset_v, before.offset_v)
        np.testing.assert_array_equal(after.bias_a, before.bias_a)


def test_retention_goes_to_its_level_with_log_normal_lifetimes():
    (same,) = set(left(aged("ageing.retention_s=1e6", "ageing.retention_level=0.25", age_s=2e6)).round(12))
    assert same == pytest.approx(0.25 + 0.75 * np.exp(-2))
    lives = -1e5 / np.log(left(aged("ageing.retention_s=1e6", "ageing.retention_sigma=0.5", age_s=1e5)))
    assert np.median(lives) == pytest.approx(1e6, rel=0.02)
    assert np.log(lives).std() == pytest.approx(0.5, rel=0.02)
    assert left(aged("ageing.retention_s=1e-3", "ageing.retention_level=0.25")) == pytest.approx(0.25)


def test_every_read_takes_its_part():
    ratios = left(aged("ageing.read_disturb=1e-9", "ageing.reads_per_s=100", age_s=1e6))
    assert ratios == pytest.approx((1 - 1e-9) ** 1e8)


def test_what_is_lost_in_several_ways_is_lost_in_each():
    each = (
        ("ageing.drift_nu=0.02", "ageing.drift_nu_sigma=0.01"),
        ("ageing.retention_s=1e8", "ageing.retention_sigma=0.3"),
        ("ageing.read_disturb=1e-9", "ageing.reads_per_s=1"),
    )
    together = left(aged(*(setting for settings in each for setting in settings)))
    np.testing.assert_allclose(together, np.prod([left(aged(*settings)) for settings in each], axis=0), rtol=1e-12)


def test_temperature_makes_time_pass_faster_as_arrhenius_has_it():
    """1 eV at 85 degrees is 475 times as fast as at 27, by hand: exp(11604.518 (1/300.15 - 1/358.15))."""
    hot = load_technology(None, ["ageing.temperatures_c=[85]", "ageing.retention_ev=1", *DRIFT, "ageing.time_s=100"])
    assert effective_s(hot.ageing, 1.0) / 100 == pytest.approx(np.exp(11604.518 * (1 / 300.15 - 1 / 358.15)), rel=1e-6)
    assert 400 < effective_s(hot.ageing, 1.0) / 100 < 600
    assert effective_s(hot.ageing, 0.0) == 100
    mixed = ("ageing.temperatures_c=[27, 85]", "ageing.fractions=[0.75, 0.25]", "ageing.drift_ev=1")
    ratios = left(aged("ageing.drift_nu=0.05", *mixed, age_s=1e5))
    faster = 0.75 + 0.25 * effective_s(hot.ageing, 1.0) / 100
    assert ratios == pytest.approx((1e5 * faster) ** -0.05)


def test_stuck_devices_do_not_age():
    settings = ("devices.stuck_short=0.1", "devices.stuck_open=0.1")
    made, old = specimen_of(MODEL, SAMPLES, *settings), aged(*settings, *DRIFT)
    for before, after in zip(made.crossbars, old.crossbars, strict=True):
        kinds = before.area.shape[2] // 2
        np.testing.assert_array_equal(after.area[:, :, kinds:], before.area[:, :, kinds:])
        np.testing.assert_array_equal(after.area == 0, before.area == 0)


def test_the_same_seed_and_age_are_the_same_chip():
    assert design_bytes(aged(*DRIFT, seed=3)) == design_bytes(aged(*DRIFT, seed=3))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["time_s=-1"], "greater than or equal to 0"),
        (["time_s=nan"], "less than or equal to"),
        (["reference_s=0"], "greater than or equal"),
        (["drift_nu_sigma=-0.1"], "greater than or equal to 0"),
        (["time_s=1"], "drift_nu, drift_nu_sigma, retention_s or read_disturb beside time_s"),
        (["retention_s=0"], "greater than 0"),
        (["retention_sigma=0.5"], "a retention_s with the retention_sigma"),
        (["retention_level=1.5"], "less than or equal to 1"),
        (["read_disturb=1e-9"], "read_disturb and reads_per_s together"),
        (["reads_per_s=5"], "read_disturb and reads_per_s together"),
        (["temperatures_c=[85]"], "drift_ev or retention_ev with the temperatures_c"),
        (["drift_ev=1", "temperatures_c=[-300]"], "greater than -273.15"),
        (["drift_ev=1", "temperatures_c=[27,85]", "fractions=[1]"], "a fraction for each of temperatures_c: 2, not 1"),
        (["drift_ev=1", "temperatures_c=[27,85]"], "a fraction for each of temperatures_c: 2, not 1"),
        (["temperatures_c=[]"], "drift_ev or retention_ev with the temperatures_c"),
        (["drift_ev=1", "temperatures_c=[]"], "a fraction for each of temperatures_c: 0, not 1"),
        (["fractions=[0.5]"], "fractions that are 1 together, not 0.5"),
        (["drift_ev=1", "temperatures_c=[27,85]", "fractions=[0.5,0.6]"], "fractions that are 1 together, not 1.1"),
    ],
)
def test_what_is_no_ageing_is_refused(settings, expected):
    with pytest.raises(InputError) as refused:
        load_technology(None, [f"ageing.{text}" for text in settings])
    assert expected in str(refused.value)


def test_a_circuit_without_crossbars_does_not_age(tmp_path):
    loaded = loaded_from(PhyKAN((2, 2), 1))
    with pytest.raises(InputError, match=r"ageing\.time_s, ageing\.drift_nu.* would have no effect"):
        technology_for(loaded, load_technology(None, ["ageing.drift_nu=0.05", "ageing.time_s=10"]))
    (tmp_path / "any.toml").write_text("general = true\n[ageing]\ndrift_nu = 0.05\ntime_s = 10\n")
    assert technology_for(loaded, load_technology(tmp_path / "any.toml")).causes == ()


def test_what_is_lost_are_causes_and_the_age_is_none():
    technology = load_technology(None, [*DRIFT, "ageing.time_s=100", "ageing.reference_s=2"])
    assert technology.causes == ("ageing.drift_nu", "ageing.drift_nu_sigma")


EVERY_WAY = {
    "ageing.time_s": 3e6,
    "ageing.reference_s": 2.0,
    "ageing.drift_nu": 0.05,
    "ageing.drift_nu_sigma": 0.02,
    "ageing.drift_ev": 0.2,
    "ageing.retention_s": 1e7,
    "ageing.retention_sigma": 0.3,
    "ageing.retention_level": 0.2,
    "ageing.retention_ev": 0.1,
    "ageing.read_disturb": 1e-8,
    "ageing.reads_per_s": 2.0,
}


@pytest.mark.parametrize("key", EVERY_WAY)
def test_outputs_have_a_gradient_by_every_number_of_it(key):
    model = network([6, 5, 3], [load_device("z21"), PEAK], input_stage="sigmoid")
    settings = [f"{name}={value!r}" for name, value in EVERY_WAY.items()]
    circuit = Circuit(
        model, load_technology(None, [*settings, "ageing.temperatures_c=[27,60]", "ageing.fractions=[0.8,0.2]"])
    )
    inputs = torch.tensor(inputs_for(model, 4))
    value = torch.tensor(EVERY_WAY[key], dtype=torch.float64, requires_grad=True)
    circuit(inputs, 3, keys={key: value}).sum().backward()
    step = 1e-5 * EVERY_WAY[key]
    with torch.no_grad():
        above, below = (circuit(inputs, 3, keys={key: value + off}).sum() for off in (step, -step))
    assert value.grad.item() == pytest.approx((above - below).item() / (2 * step), rel=1e-6)
