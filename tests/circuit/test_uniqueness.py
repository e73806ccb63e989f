"""How many voltages a column can have: what is not searched for has one, by a search of everything."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import PEAK, inputs_for, load_device, network, specimen_of

from kanspice.circuit import uniqueness
from kanspice.circuit.uniqueness import solution_counts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model():
    return network([6, 5, 2], [load_device("z21"), load_device("rtd"), PEAK])


@pytest.mark.parametrize("gain", [1.5, 3.0, 10.0, 30.0])
def test_columns_that_are_not_searched_have_one_state(model, gain, monkeypatch):
    """Rows from below the devices' ranges to above them."""
    rows_v = np.random.default_rng(0).uniform(-0.5, 2.0, (30, 6))
    design = specimen_of(model, inputs_for(model, 20), f"tia.gain={gain}", "tia.offset_sigma_v=0.01")
    crossbar = design.crossbars[0]
    spared = uniqueness._falls_within_reach(design, crossbar, rows_v)
    found = solution_counts(design, crossbar, rows_v)
    monkeypatch.setattr(uniqueness, "_always_falls", lambda *_: False)
    monkeypatch.setattr(uniqueness, "_falls_within_reach", lambda *_: np.zeros(spared.shape, dtype=bool))
    searched = solution_counts(design, crossbar, rows_v)
    np.testing.assert_array_equal(found, searched)
    assert spared.mean() > 0.2
    assert (searched > 1).any() == (gain < 5)


@pytest.mark.parametrize("reach", [0.0, 0.01, 0.3, 5.0])
def test_the_steepest_fall_near_a_voltage(reach):
    device = load_device("z21")
    units = np.linspace(-1.0, 3.0, 173)
    near = uniqueness._falls_near(device, units, reach)
    for place, unit in enumerate(units):
        slopes = device.curve.numpy(np.linspace(unit - reach, unit + reach, 2001))[1]
        assert near[place] >= max(0.0, -slopes.min())
    if reach < 0.1:
        assert near[units < -0.5].max() == near[units > 2.5].max() == 0.0
