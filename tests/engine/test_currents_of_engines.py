"""What rows deliver and amplifiers take: both engines, from sources and from curves, must say the same."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import LINE, PEAK, column_current, crossbar_design, inputs_for, network, specimen_of

from kanspice.devices import load_device
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve

pytestmark = pytest.mark.slow

FEW = RunOptions(check_samples=0)
CIRCUITS = {
    "ideal": ("shared", ()),
    "ideal, device by device": ("device", ()),
    "gain": ("device", ("tia.gain=300",)),
    "offsets": ("device", ("tia.offset_sigma_v=0.02",)),
    "gain, curves shared": ("shared", ("tia.gain=300",)),
    "swing": ("device", ("tia.gain=1000", "tia.swing_v=0.4", "tia.output_ohm=2e4", "tia.input_bias_a=1e-7")),
    "ideal with a swing": ("device", ("tia.swing_v=0.4",)),
    "shifted, behind clamps": ("device", ("tia.gain=300", "devices.shift_sigma_v=0.02", "clippers.knee_v=0.02")),
    "wires": ("device", ("tia.gain=1000", "wires.row_ohm=300", "wires.column_ohm=200", "wires.driver_ohm=500")),
}


@pytest.mark.ngspice
@pytest.mark.parametrize("name", CIRCUITS)
def test_both_engines_see_the_same_currents(name):
    fidelity, overrides = CIRCUITS[name]
    model = network([4, 3, 2], [load_device("z15"), load_device("z21")])
    inputs = inputs_for(model, 5)
    design = specimen_of(model, inputs, *overrides)
    one, other = (solve(engine, design, inputs, fidelity, FEW) for engine in ("ngspice", "batched"))
    solved = one.solved & other.solved
    assert solved.sum() >= 4
    for crossbar in design.crossbars:
        for currents in ("row_a", "amplifier_a"):
            found, expected = (getattr(each, currents)[crossbar.name] for each in (one, other))
            assert found.shape == (5, crossbar.rows if currents == "row_a" else 2 * crossbar.width)
            found, expected = found[solved], expected[solved]
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_rows_lose_what_columns_gain():
    """Kirchhoff: all rows together deliver what all devices carry into the columns."""
    model = network([6, 3], [PEAK, LINE])
    inputs = inputs_for(model, 7)
    for overrides in (("tia.gain=50",), ("tia.offset_sigma_v=0.3",), ("wires.row_ohm=1e4", "tia.gain=1e3")):
        design = specimen_of(model, inputs, *overrides)
        found = solve("batched", design, inputs, "device", FEW)
        crossbar = design.crossbars[0]
        into_a = found.amplifier_a[crossbar.name] - crossbar.bias_a
        np.testing.assert_allclose(found.row_a[crossbar.name].sum(axis=1), into_a.sum(axis=1), rtol=1e-9)


def test_a_divider_by_hand():
    """One line device of 1 uS from a row at 1 V to an ideal amplifier: 1 uA in, 1 uA out."""
    design = crossbar_design([LINE], [[[1.0]], [[-2.0]]], bias=[0.5])
    found = solve("batched", design, np.array([[1.0, 0.25]]), "device", FEW)
    np.testing.assert_allclose(found.row_a["l1.crossbar"], [[1e-6, 0.5e-6]], rtol=1e-12)
    np.testing.assert_allclose(found.amplifier_a["l1.crossbar"], [[1.5e-6, 0.5e-6]], rtol=1e-12)
    crossbar = design.crossbars[0]
    assert column_current(design, crossbar, np.array([1.0, 0.25]), 0, 0.0) == pytest.approx(1.5e-6)
