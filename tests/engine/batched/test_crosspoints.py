"""The compiled currents at crosspoints, against the curves evaluated in every device."""

import numpy as np
import pytest

from kanspice.devices import load_device
from kanspice.engine.batched.crosspoints import LocalCrosspoints, WholeCrosspoints
from kanspice.engine.batched.row_expansions import Rows

KINDS = ["z21", "rtd", "a21"]


def drawn(rng, curves):
    """Rows on, beside and beyond breakpoints; areas of which a third is missing."""
    knots = np.concatenate([curve.breakpoints for curve in curves if hasattr(curve, "breakpoints")])
    rows_v = rng.uniform(-0.3, 1.3, (3, 7))
    rows_v[:, ::2] = rng.choice(knots, (3, 4))
    area = rng.random((7, 5, len(curves))) * (rng.random((7, 5, len(curves))) < 0.7)
    return rows_v, area


@pytest.mark.parametrize("far_v", [0.0, 1e-9, 1e-3, 0.1, 3.0])
@pytest.mark.parametrize("is_shifted", [False, True], ids=["unshifted", "shifted"])
def test_currents_and_slopes_are_those_of_every_device(far_v, is_shifted):
    rng = np.random.default_rng(7)
    curves = [load_device(name).curve for name in KINDS]
    rows_v, area = drawn(rng, curves)
    shift_v = rng.normal(size=area.shape) * 0.02 * is_shifted
    lost_v = rng.normal(size=(3, 7, 5)) * far_v
    local = LocalCrosspoints(Rows.at(rows_v, curves), area, shift_v)
    whole = WholeCrosspoints(rows_v, curves, area, shift_v)
    for samples in (np.arange(3), np.array([2, 0])):
        current, slope = local.at(lost_v[samples], samples)
        expected, expected_slope = whole.at(lost_v[samples], samples)
        largest = np.abs(expected).max()
        np.testing.assert_allclose(current, expected, atol=1e-13 * largest)
        np.testing.assert_array_equal(local.currents(lost_v[samples], samples), current)
        seen_v = rows_v[samples, :, None, None] - lost_v[samples][..., None] - shift_v
        on_a_corner = np.zeros(current.shape, dtype=bool)
        for place, curve in enumerate(curves):
            if hasattr(curve, "breakpoints"):
                near = np.abs(seen_v[..., place, None] - curve.breakpoints) < 1e-14
                on_a_corner |= near.any(axis=-1)
        allowed = 1e-11 * np.abs(expected_slope).max()
        np.testing.assert_allclose(slope[~on_a_corner], expected_slope[~on_a_corner], atol=allowed)


def test_a_voltage_that_is_no_number_gives_none():
    curves = [load_device("z21").curve]
    local = LocalCrosspoints(Rows.at(np.zeros((1, 2)), curves), np.ones((2, 4, 1)))
    lost_v = np.zeros((1, 2, 4))
    lost_v[0, 0, 1] = np.nan
    current, _ = local.at(lost_v, np.arange(1))
    assert np.isnan(current[0, 0, 1])
    assert np.isfinite(current[0, 1]).all()
