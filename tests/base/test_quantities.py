"""Quantities as engineers read them."""

from __future__ import annotations

import math

import pytest

from kanspice.base.quantities import read_quantity, si, unit_of
from kanspice.technology import Technology, entries


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("10k", "gain", 1e4),
        ("1MHz", "gbw_hz", 1e6),
        ("4.7meg", "row_ohm", 4.7e6),
        ("2 kΩ", "row_ohm", 2e3),
        ("20 mV", "offset_v", 0.02),
        ("20m", "offset_v", 0.02),
        ("1.5 uA", "i_unit_a", 1.5e-6),
        ("1e6 Hz", "gbw_hz", 1e6),
        ("1e3k", "gain", None),
        ("100f", "row_f", 1e-13),
        ("1F", "row_f", 1.0),
        ("1a", "current_a", None),
        ("1mhz", "gbw_hz", None),
        ("5mK", "current_per_k", None),
        ("-.5V", "offset_v", -0.5),
        ("10mA", "offset_v", None),
        ("5%", "area_sigma", None),
        ("0" * 64, "subcircuit_sha256", None),
        ("1" * 63 + "f", "subcircuit_sha256", None),
        ("10 k k", "gain", None),
        ("inf", "swing_v", None),
        ("typical", "pdk", None),
        ("", "gain", None),
    ],
)
def test_what_engineers_write_is_read(text, name, value):
    assert read_quantity(text, name) == value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5e-4, "V", "500 µV"),
        (1e8, "Hz", "100 MHz"),
        (3.82e-14, "F", "38.2 fF"),
        (0.0, "V", "0 V"),
        (999.7e-6, "A", "1 mA"),
        (-2.5e-3, "V", "-2.5 mV"),
        (math.inf, "V", "inf V"),
        (-1.234e-117, "V", "-1.23e-117 V"),
        (3e12, "Hz", "3e+12 Hz"),
        (1e4, "", "1e+04"),
        (None, "W", "not known"),
    ],
)
def test_three_digits_a_prefix_and_the_unit(value, unit, text):
    assert si(value, unit) == text


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        ("tia.offset_sigma_v", "V"),
        ("wires.row_ohm", "Ω"),
        ("tia.noise_v_per_rthz", "V/√Hz"),
        ("tia.slew_v_per_s", "V/s"),
        ("ageing.drift_ev", "eV"),
        ("devices.temperature_c", "°C"),
        ("switches.injected_c", "C"),
        ("devices.area_sigma", ""),
        ("tia.gain", ""),
    ],
)
def test_the_name_of_a_key_says_its_unit(key, unit):
    assert unit_of(key) == unit


def test_what_has_a_unit_is_a_number():
    keys = [entry for _, _, section in entries(Technology()) for entry in section if unit_of(entry.name)]
    assert keys
    assert all(isinstance(entry.value, int | float | str | tuple) for entry in keys)
