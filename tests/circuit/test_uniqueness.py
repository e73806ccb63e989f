"""How many voltages a column can have: what is not searched for has one, by a search of everything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from circuits import PEAK, inputs_for, load_device, network, specimen_of, technology

import kanspice
from kanspice.circuit import uniqueness
from kanspice.circuit.amplifiers import drawn_a
from kanspice.circuit.columns import column_currents_a
from kanspice.circuit.steepness import Near, falls
from kanspice.circuit.uniqueness import solution_counts
from kanspice.families import compile_nominal, sizing_for

EXAMPLE = Path(__file__).parents[2] / "examples" / "01_kanalogue_digits"

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


def counted_point_by_point(design, crossbar, rows_v):
    """The same by a look at every voltage of the grid."""
    columns_v = uniqueness._search_grid(design, crossbar)
    held_a = drawn_a(crossbar, np.broadcast_to(columns_v[:, None], (len(columns_v), 2 * crossbar.width)))[0]
    counts = []
    for row_v in rows_v:
        every = np.broadcast_to(row_v, (len(columns_v), crossbar.rows))
        above = column_currents_a(design, crossbar, every, columns_v) > held_a
        counts.append(np.count_nonzero(above[1:] != above[:-1], axis=0))
    return np.array(counts)


@pytest.mark.parametrize(
    ("overrides", "some", "samples"),
    [
        (["tia.gain=1.5"], 3, 20),
        (["tia.gain=3", "tia.swing_v=1", "tia.offset_sigma_v=0.05"], 10, 20),
        (["tia.gain=1000", "tia.swing_v=1", "devices.area_sigma=0.3"], 10, 20),
        (["tia.gain=30", "tia.swing_v=0.3", "tia.output_ohm=0.1"], 10, 20),
        (["tia.gain=3", "devices.shift_sigma_v=0.02"], 0, 1),
    ],
)
def test_what_is_not_looked_at_would_change_nothing(model, overrides, some, samples):
    """Of swings that many columns have several states at, and of devices that are each shifted by their own."""
    rows_v = np.random.default_rng(0).uniform(-0.5, 2.0, (samples, 6))
    design = specimen_of(model, inputs_for(model, 20), *overrides)
    for crossbar, driven_v in zip(design.crossbars, (rows_v, rows_v[:, :5]), strict=True):
        found = solution_counts(design, crossbar, driven_v)
        np.testing.assert_array_equal(found, counted_point_by_point(design, crossbar, driven_v))
    assert np.count_nonzero(solution_counts(design, design.crossbars[0], rows_v) > 1) >= some


@pytest.mark.parametrize("swing", [2.0, 5.0])
def test_the_digits_have_the_states_of_every_point(swing):
    """Of the example in the repository: few samples, as to look at every point takes long."""
    loaded = kanspice.load(EXAMPLE / "model.pt")
    inputs = np.load(EXAMPLE / "inputs.npy")
    with_swing = technology("tia.gain=1000", f"tia.swing_v={swing}")
    design = compile_nominal(loaded, with_swing, sizing_for(loaded, with_swing, inputs))
    rows_v = inputs[:4] * design.input_v_per_unit
    crossbar = design.crossbars[0]
    found = solution_counts(design, crossbar, rows_v)
    np.testing.assert_array_equal(found, counted_point_by_point(design, crossbar, rows_v))


@pytest.mark.parametrize("reach", [0.0, 0.01, 0.3, 5.0])
def test_the_steepest_fall_near_a_voltage(reach):
    device = load_device("z21")
    units = np.linspace(-1.0, 3.0, 173)
    near = Near(device, falls(device), reach).at(units)
    for place, unit in enumerate(units):
        slopes = device.curve.numpy(np.linspace(unit - reach, unit + reach, 2001))[1]
        assert near[place] >= max(0.0, -slopes.min())
    if reach < 0.1:
        assert near[units < -0.5].max() == near[units > 2.5].max() == 0.0
