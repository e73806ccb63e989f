"""A device's card says what its currents are in amps, and the circuit is built of such devices."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import design_of, inputs_for, load_device, network, technology

from kanspice.base.draws import Draw
from kanspice.circuit.compile.current_unit import current_unit_notes, power_notes
from kanspice.circuit.specimens import draw_specimen
from kanspice.devices import behind
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.verify.run import VerifyOptions, verify
from kanspice.families import load, save

MILLI, AMPERE, SILENT = "nmos_2n7002", "rtd", "z21"


def unit_of(names, *overrides):
    """Amps that a device of area 1 carries per unit of its card."""
    (crossbar,) = design_of(network([3, 2], [load_device(name) for name in names]), None, *overrides).crossbars
    return crossbar.current_unit_a


@pytest.mark.parametrize(
    ("names", "unit_a"),
    [((MILLI,), 1e-3), ((AMPERE,), 1.0), ((SILENT,), 1e-6), ((AMPERE, MILLI, SILENT), 1e-3), ((SILENT, AMPERE), 1.0)],
)
def test_the_smallest_unit_of_the_cards_decides(names, unit_a):
    assert unit_of(names) == unit_a


@pytest.mark.parametrize("unit_a", [1e-6, 2e-5])
def test_what_the_technology_says_comes_first(unit_a):
    """Also the default itself, once somebody says it."""
    assert unit_of((MILLI, AMPERE), f"units.i_unit_a={unit_a!r}") == unit_a


def test_a_resistance_in_series_sees_the_devices_true_current():
    """Also where the technology of the specimen is the one as given, which does not know the card."""
    asked = technology("devices.series_ohm=2.0")
    nominal = design_of(network([3, 2], [load_device(MILLI)]), None, "devices.series_ohm=2.0")
    (device,) = draw_specimen(nominal, asked, Draw(0)).devices
    volts = np.linspace(-1.0, 5.0, 50)
    expected = behind(load_device(MILLI).curve, 2.0 * 1e-3).numpy(volts)[0]
    np.testing.assert_allclose(device.curve.numpy(volts)[0], expected, rtol=1e-12, atol=1e-12)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A function that verifies a network of these devices."""
    folder = tmp_path_factory.mktemp("units")

    def verified(names, *overrides):
        model = network([3, 2], [load_device(name) for name in names])
        save(model, folder / "model.pt")
        evidence = Evidence(inputs_for(model, 4))
        options = VerifyOptions(engine="batched")
        return verify(load(folder / "model.pt"), technology(*overrides), evidence, options)

    return verified


def test_power_is_that_of_the_real_device(measured):
    real, scaled = measured((MILLI,)), measured((MILLI,), "units.i_unit_a=1e-6")
    assert real.physical.power_w == pytest.approx(1e3 * scaled.physical.power_w)
    assert real.gap.relative_rmse < 1e-12
    assert real.design.technology["units"]["i_unit_a"] == 1e-3


def test_reports_say_what_the_unit_is_and_what_was_scaled(measured):
    assert f"one unit of device current is 1 mA, as the card of {MILLI} says" in measured((MILLI,)).notes
    notes = "\n".join(measured((AMPERE, MILLI, SILENT)).notes)
    assert f"{AMPERE} is scaled to 0.001 of its measured size: its card's unit of current is 1 A" in notes
    assert f"the card of {SILENT} does not say what its unit of current is: 1 mA is assumed" in notes
    assert f"{MILLI} is scaled to 0.001 of its" in "\n".join(measured((MILLI,), "units.i_unit_a=1e-6").notes)


def test_reports_say_which_curves_deliver_power(measured):
    (note,) = power_notes([load_device(name) for name in (SILENT, "z15", MILLI, AMPERE, "z21_passive", SILENT)])
    assert note.startswith("the curve of z21 carries -0.0837 units at 1.15 V: there it delivers power")
    assert note in measured((SILENT,)).notes


def test_cards_are_named_once():
    assert len(current_unit_notes([load_device(SILENT), load_device(SILENT)], 1e-6)) == 1
