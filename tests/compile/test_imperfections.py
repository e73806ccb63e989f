"""Specimens of a technology: drawn by name, each imperfection by itself, and the same whatever else is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import PEAK, inputs_for, load_device, network, specimen_of

from kanspice.design.file import design_bytes

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


def test_areas_are_multiples_of_the_step():
    for made, ideal in zip(specimen("devices.area_step=0.25").crossbars, IDEAL.crossbars, strict=True):
        np.testing.assert_allclose(made.area / 0.25, np.round(made.area / 0.25), atol=1e-12)
        assert np.abs(made.area - ideal.area).max() <= 0.125 + 1e-12


def test_all_devices_stuck_open_leave_none():
    assert specimen("devices.stuck_open=1.0").device_count == 0
