"""Specimens of a technology: drawn by name, each imperfection by itself, and the same whatever else is drawn."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from circuits import PEAK, inputs_for, load_device, network, specimen_of

from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit import Limiter
from kanspice.circuit.file import design_bytes
from kanspice.devices import behind
from kanspice.engine.batched import solve
from kanspice.families.common.following import reference_stages

MODEL = network([20, 15, 4], [load_device("z21"), PEAK])
SAMPLES = inputs_for(MODEL, 8)
SIGMAS = ("devices.area_sigma=0.1", "tia.offset_sigma_v=1e-3", "tia.feedback_sigma=0.01")


def specimen(*overrides, seed=0):
    return specimen_of(MODEL, SAMPLES, *overrides, seed=seed)


IDEAL = specimen()


def test_the_same_seed_is_the_same_specimen_and_another_is_not():
    assert design_bytes(specimen(*SIGMAS, seed=3)) == design_bytes(specimen(*SIGMAS, seed=3))
    first, second = (specimen(*SIGMAS, seed=seed).crossbars[0] for seed in (3, 4))
    assert (first.area != second.area)[first.area != 0].all()
    assert (first.offset_v != second.offset_v).all()


def test_one_more_imperfection_does_not_change_the_draws_of_the_others():
    for few, many in zip(
        specimen(SIGMAS[0]).crossbars, specimen(*SIGMAS, "devices.stuck_open=0.1").crossbars, strict=True
    ):
        left = many.area != 0
        np.testing.assert_array_equal(few.area[left], many.area[left])
        assert 0.05 < 1 - left[few.area != 0].mean() < 0.16


def test_twice_the_spread_is_twice_the_deviation():
    for name in ("area", "offset_v", "feedback_ohm"):
        ideal, once, twice = (
            np.concatenate([getattr(crossbar, name).ravel() for crossbar in design.crossbars])
            for design in (
                IDEAL,
                specimen(*SIGMAS),
                specimen(*(f"{s.split('=')[0]}={2 * float(s.split('=')[1])}" for s in SIGMAS)),
            )
        )
        np.testing.assert_allclose(twice - ideal, 2 * (once - ideal), rtol=1e-9, atol=1e-15 * np.abs(ideal).max())


def test_the_spread_is_what_the_technology_says():
    made = np.concatenate([crossbar.area.ravel() for crossbar in specimen(SIGMAS[0]).crossbars])
    ideal = np.concatenate([crossbar.area.ravel() for crossbar in IDEAL.crossbars])
    deviations = made[ideal != 0] / ideal[ideal != 0] - 1
    assert deviations.std() == pytest.approx(0.1, rel=4 / np.sqrt(2 * len(deviations)))
    assert abs(deviations.mean()) <= 4 * 0.1 / np.sqrt(len(deviations))


def test_areas_never_change_sign():
    wild = specimen("devices.area_sigma=3.0")
    for made, ideal in zip(wild.crossbars, IDEAL.crossbars, strict=True):
        assert (made.area * ideal.area >= 0).all()
        assert (made.area[ideal.area != 0] == 0).any()


@pytest.mark.parametrize(("kind", "largest"), [("uniform", np.sqrt(3)), ("binary", 1.0)])
def test_other_errors_have_the_same_spread_and_an_end(kind, largest):
    """Uniform and binary errors as the second KANalogue paper draws them, by their standard deviation."""
    made = specimen("devices.area_sigma=0.1", f"devices.area_error={kind}")
    pairs = [(m.area[i.area != 0], i.area[i.area != 0]) for m, i in zip(made.crossbars, IDEAL.crossbars, strict=True)]
    deviations = np.concatenate([found / ideal - 1 for found, ideal in pairs]) / 0.1
    assert deviations.std() == pytest.approx(1, rel=5 / np.sqrt(len(deviations)))
    assert np.abs(deviations).max() <= largest + 1e-12
    if kind == "binary":
        np.testing.assert_allclose(np.abs(deviations), 1, rtol=1e-12)


def test_what_is_added_does_not_depend_on_the_coefficient():
    """Eq. 3 of the first KANalogue paper, whose signs can turn; a coefficient of exactly zero has no device."""
    made = specimen("devices.area_added_sigma=0.2")
    for found, ideal in zip(made.crossbars, IDEAL.crossbars, strict=True):
        there = ideal.area != 0
        added = (found.area - ideal.area)[there]
        expected = 0.2 * Draw(0).normal(f"{ideal.name}.area_added", ideal.area.shape)
        np.testing.assert_allclose(added, expected[there], rtol=0, atol=1e-14)
        assert (found.area[~there] == 0).all()
        assert (found.area * ideal.area < 0).any()


def test_areas_are_multiples_of_the_step():
    for made, ideal in zip(specimen("devices.area_step=0.25").crossbars, IDEAL.crossbars, strict=True):
        np.testing.assert_allclose(made.area / 0.25, np.round(made.area / 0.25), atol=1e-12)
        assert np.abs(made.area - ideal.area).max() <= 0.125 + 1e-12


def test_all_devices_stuck_open_leave_none():
    assert specimen("devices.stuck_open=1.0").device_count == 0


# --- devices as they are built ---


def test_every_imperfection_has_draws_of_its_own():
    everything = (*SIGMAS, "devices.shift_sigma_v=0.01", "references.current_sigma=0.1", "references.clip_sigma=0.1")
    few, many = specimen("devices.shift_sigma_v=0.01", seed=2), specimen(*everything, seed=2)
    for one, other in zip(few.crossbars, many.crossbars, strict=True):
        np.testing.assert_array_equal(one.shift_v, other.shift_v)
        assert one.shift_v.std() == pytest.approx(0.01, rel=0.2)


def test_levels_are_those_of_the_largest_area():
    for exact, made in zip(IDEAL.crossbars, specimen("devices.area_levels=7").crossbars, strict=True):
        step = np.abs(exact.area).max() / 7
        np.testing.assert_allclose(made.area / step, np.round(exact.area / step), atol=1e-12)
        assert np.abs(made.area).max() == pytest.approx(np.abs(exact.area).max())
    with pytest.raises(InputError, match="two grids"):
        specimen("devices.area_levels=7", "devices.area_step=0.1")


def test_a_shorted_device_is_a_resistance_where_it_was():
    design = specimen("devices.stuck_short=0.2", "devices.short_ohm=2e4", seed=1)
    kinds = len(IDEAL.devices)
    assert len(design.devices) == 2 * kinds
    for exact, made in zip(IDEAL.crossbars, design.crossbars, strict=True):
        working, shorts = made.area[..., :kinds], made.area[..., kinds:]
        gone = working != exact.area
        assert 0.1 < gone.mean() < 0.3
        np.testing.assert_array_equal(working[gone], 0.0)
        np.testing.assert_allclose(shorts[gone], np.sign(exact.area[gone]) * 1 / 2e4 / 1e-6)
        np.testing.assert_array_equal(shorts[~gone], 0.0)
    current, slope = design.devices[-1].curve.numpy([-3.0, 0.0, 2.0])
    np.testing.assert_allclose(current, [-3, 0, 2], atol=1e-12)
    np.testing.assert_allclose(slope, 1.0)


def test_references_move_all_they_are_for_together():
    design = specimen("references.current_sigma=0.05", "references.clip_sigma=0.05", "tia.input_bias_a=1e-9", seed=4)
    exact = specimen()
    ratios = [
        (made.bias_a + 1e-9)[one.bias_a != 0] / one.bias_a[one.bias_a != 0]
        for made, one in zip(design.crossbars, exact.crossbars, strict=True)
    ]
    ratio = np.concatenate(ratios)
    assert ratio.std() < 1e-12
    assert 0.8 < ratio.mean() < 1.2
    assert ratio.mean() != 1
    limits = [
        (made.high_v, one.high_v)
        for made, one in zip(design.stages, exact.stages, strict=True)
        if isinstance(made, Limiter)
    ]
    assert len({round(made / one, 12) for made, one in limits} - {1.0}) == 1


@pytest.mark.parametrize("name", ["z21", "rtd", "nmos_2n7002"])
def test_behind_a_resistance_a_device_carries_what_it_carries_alone(name):
    curve = load_device(name).curve
    slopes = curve.numpy(np.linspace(curve.lo_v, curve.hi_v, 4001))[1]
    ohm = 0.4 / np.abs(slopes).max()
    alone = np.linspace(curve.lo_v, curve.hi_v, 3331)
    current = curve.numpy(alone)[0]
    found = behind(curve, ohm).numpy(alone + ohm * current)[0]
    np.testing.assert_allclose(found, current, rtol=0, atol=2e-11 * np.abs(current).max())


def test_a_resistance_that_makes_a_device_bistable_is_refused():
    with pytest.raises(InputError, match="several currents at one voltage"):
        behind(PEAK.curve, 0.51)
    assert behind(PEAK.curve, 0.49).hi_v == pytest.approx(0.9 + 0.49 * 0.2)
    with pytest.raises(InputError, match="series_ohm"):
        specimen("devices.series_ohm=1e6")


def test_a_warm_device_carries_more_at_higher_voltages():
    overrides = ("devices.temperature_c=77.0", "devices.current_per_k=2e-3", "devices.voltage_per_k=1e-3")
    warm = specimen(*overrides)
    np.testing.assert_allclose(warm.crossbars[0].area, 1.1 * IDEAL.crossbars[0].area, rtol=1e-12)
    volts = np.linspace(0.0, 0.9, 50)
    cold_i, warm_i = IDEAL.devices[1].curve.numpy(volts)[0], warm.devices[1].curve.numpy(1.05 * volts)[0]
    np.testing.assert_allclose(warm_i, cold_i, atol=1e-12)
    with pytest.raises(InputError, match="temperature would have no effect"):
        specimen("devices.temperature_c=77.0")


def test_clamps_need_inputs_that_are_clipped():
    model = network([3, 2], [PEAK], input_stage="tanh")
    with pytest.raises(InputError, match="knee_v would have no effect"):
        specimen_of(model, inputs_for(model, 4), "clippers.knee_v=0.02")


@pytest.mark.parametrize("sigma", [0.05, 0.1])
def test_mismatched_areas_are_coefficients_with_the_same_noise(sigma):
    """The KANalogue papers' multiplicative noise, drawn for the circuit and given to PyTorch: the same answers."""
    inputs = inputs_for(MODEL, 40)
    design = specimen_of(MODEL, inputs, f"devices.area_sigma={sigma}", seed=5)
    noisy = copy.deepcopy(MODEL)
    for index, crossbar in enumerate(noisy.crossbars, 1):
        draws = Draw(5).normal(f"l{index}.crossbar.area", tuple(crossbar.coeffs.shape))
        crossbar.coeffs.data *= torch.from_numpy(np.maximum(1 + sigma * draws, 0.0))
    expected = reference_stages(noisy, inputs)["l2.crossbar"]
    solution = solve(design, inputs, "shared")
    found = solution.stage_v["l2.crossbar"] / design.stages[-1].output_v_per_unit
    assert solution.failed == ()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * np.abs(expected).max())
    exact = reference_stages(MODEL, inputs)["l2.crossbar"]
    assert np.abs(found - exact).std() > 0.01 * exact.std()
