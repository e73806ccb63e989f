"""Cards: round trips, hashes, the registry of shipped devices, and every refusal."""

from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kanspice.base import resources
from kanspice.base.errors import InputError
from kanspice.devices import Device, list_devices, load_device, write_card

CARD: dict[str, Any] = {
    "format": "kanspice.device/1",
    "name": "tunnel",
    "aliases": ["T-1"],
    "description": 'A "quoted" \\ curve',
    "source": "nowhere",
    "reverse": "clamp",
    "units": {"voltage": "V", "current": "mA", "current_unit_a": 1e-3},
    "range": {"lo_v": 0.0, "hi_v": 1.0},
    "curve": {"kind": "piecewise_polynomial", "breakpoints_v": [0.0, 1.0], "coefficients": [[0.0, 1.0 / 3.0]]},
    "fit": {"method": "by hand", "points": 2},
}


def changed(place: str, value: Any) -> dict[str, Any]:
    """CARD with the entry at the dotted `place` replaced or added."""
    card = copy.deepcopy(CARD)
    *tables, key = place.split(".")
    table = card
    for name in tables:
        table = table[name]
    table[key] = value
    return card


@pytest.mark.parametrize("device", list_devices(), ids=lambda device: device.name)
def test_a_device_survives_json_and_toml(device: Device, tmp_path: Path) -> None:
    write_card(device, tmp_path / "card.toml")
    copies = [Device.from_dict(json.loads(json.dumps(device.to_dict()))), load_device(tmp_path / "card.toml")]
    v = np.linspace(-6, 6, 101)
    for copied in copies:
        assert copied.sha256 == device.sha256
        assert copied.to_dict() == device.to_dict()
        np.testing.assert_array_equal(copied.curve.numpy(v), device.curve.numpy(v))


def test_the_hash_follows_the_content() -> None:
    same = Device.from_dict(copy.deepcopy(CARD))
    other = Device.from_dict(changed("curve.coefficients", [[0.0, np.nextafter(1.0 / 3.0, 1.0)]]))
    assert Device.from_dict(CARD).sha256 == same.sha256 != other.sha256


def test_text_is_written_as_toml_reads_it(tmp_path: Path) -> None:
    write_card(Device.from_dict(CARD), tmp_path / "card.toml")
    assert tomllib.loads((tmp_path / "card.toml").read_text()) == CARD


def test_reverse_odd_mirrors_the_curve() -> None:
    device = Device.from_dict(changed("reverse", "odd"))
    assert (device.curve.lo_v, device.curve.hi_v) == (-1.0, 1.0)
    assert device.curve.numpy(-0.5)[0] == pytest.approx(-1 / 6)


@pytest.mark.parametrize("name", ["zaz21", "ZAZ_21", "ZAZ-21", "ZAZ21", "zaz-15", "ZAZ_15"])
def test_names_and_aliases_do_not_depend_on_spelling(name: str) -> None:
    assert load_device(name).name == "zaz21"


def test_the_shipped_devices() -> None:
    names = [device.name for device in list_devices()]
    assert names == sorted(names)
    assert {"a21", "nmos_2n7002", "rtd", "z15", "z21", "zaz21"} <= set(names)
    assert load_device("2N7002").card.units.current_unit_a == 1e-3


def test_a_card_on_disk_is_loaded_by_its_path(tmp_path: Path) -> None:
    write_card(Device.from_dict(CARD), tmp_path / "mine.toml")
    assert load_device(str(tmp_path / "mine.toml")).name == "tunnel"


def test_an_unknown_name_lists_the_devices() -> None:
    with pytest.raises(InputError, match="there is no device 'zaz_2'") as caught:
        load_device("zaz_2")
    assert ", ".join(device.name for device in list_devices()) in str(caught.value.expected)
    assert caught.value.hint == "did you mean 'zaz21'?"


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: a device card was not found"):
        load_device(tmp_path / "none.toml")


def test_two_cards_may_not_share_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "DEVICE_MODELS", tmp_path)
    write_card(Device.from_dict(CARD), tmp_path / "one.toml")
    write_card(Device.from_dict(changed("name", "t1")), tmp_path / "two.toml")
    with pytest.raises(InputError, match=r"one\.toml") as caught:
        list_devices()
    assert "the name 't1' is taken by another card" in str(caught.value)


def test_an_existing_card_is_kept_without_force(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        write_card(Device.from_dict(CARD), path)
    assert path.read_text() == "precious"
    write_card(Device.from_dict(CARD), path, force=True)
    assert load_device(path).name == "tunnel"
    assert list(tmp_path.iterdir()) == [path]


def test_a_card_beneath_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_card(Device.from_dict(CARD), tmp_path / "file" / "card.toml")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("descripton", "x", "did you mean 'description'"),
        ("units.curent", "A", "did you mean 'current'"),
        ("range.hiv", 1.0, "did you mean 'hi_v'"),
        ("curve.coeficients", [], "did you mean 'coefficients'"),
        ("fit.smothing", 1.0, "did you mean 'smoothing'"),
        ("format", "kanspice.device/2", "bad value for 'format'"),
        ("name", "No Spaces; .shell", "bad value for 'name'"),
        ("name", "x" * 33, "bad value for 'name'"),
        ("aliases", ["a b"], r"bad value for 'aliases\.0'"),
        ("aliases", ["a"] * 33, "bad value for 'aliases'"),
        ("description", "two\nlines", "bad value for 'description'"),
        ("source", "", "bad value for 'source'"),
        ("reverse", "mirror", "bad value for 'reverse'"),
        ("units.voltage", "mV", r"bad value for 'units\.voltage'"),
        ("units.current_unit_a", 0.0, r"bad value for 'units\.current_unit_a'"),
        ("range.lo_v", "0", r"bad value for 'range\.lo_v'"),
        ("range.lo_v", 0.1, "the range is not that of the curve"),
        ("curve.kind", "analytc", "did you mean 'analytic'"),
        ("curve", 3, r"bad value for 'curve\.kind'"),
        ("curve.breakpoints_v", [0.0, float("nan")], r"bad value for 'curve\.breakpoints_v\.1'"),
        ("curve.breakpoints_v", [0.0] * 5000, r"bad value for 'curve\.breakpoints_v'"),
        ("curve.coefficients", [[0.0, float("inf")]], r"bad value for 'curve\.coefficients\.0\.1'"),
        ("curve.coefficients", [[0.0] * 27], r"bad value for 'curve\.coefficients\.0'"),
        ("curve.coefficients", [[0.0], [0.0, 1.0]], "rows of 1 to 2 numbers"),
        ("curve.coefficients", [[0.0], [0.0]], r"\(2,\) and \(2, 1\)"),
        ("fit.residual_rms", -1.0, r"bad value for 'fit\.residual_rms'"),
    ],
)
def test_bad_cards_are_refused_with_their_place(place: str, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        Device.from_dict(changed(place, value), "their.toml")
    assert str(caught.value).startswith("their.toml: ")


def test_a_missing_key_is_named() -> None:
    card = copy.deepcopy(CARD)
    del card["source"]
    with pytest.raises(InputError, match="bad value for 'source'"):
        Device.from_dict(card)


def test_an_expression_is_never_read_from_a_card() -> None:
    with pytest.raises(InputError, match="unknown device law"):
        Device.from_dict(
            changed("curve", {"kind": "analytic", "law": "__import__('os').system('true')", "parameters": {}})
        )


# --- measured points ---

MEASURED = {"v": [0.0, 0.4, 1.0], "i": [0.01, 0.12, 0.34]}


def test_a_device_keeps_its_curve_and_its_points(tmp_path: Path) -> None:
    device = Device.from_dict(CARD).with_points(MEASURED["v"], MEASURED["i"], "somewhere")
    write_card(device, tmp_path / "card.toml")
    read = load_device(tmp_path / "card.toml")
    assert read.to_dict() == {**CARD, "points": MEASURED}
    assert read.sha256 == device.sha256 != Device.from_dict(CARD).sha256
    assert read.curve.numpy(0.4)[0] == pytest.approx(0.4 / 3)


@pytest.mark.parametrize(("reverse", "below"), [("clamp", 0.01), ("odd", 0.02 - 0.065)])
def test_as_measured_a_device_is_straight_lines_between_its_points(reverse: str, below: float) -> None:
    card = changed("reverse", reverse)
    device = Device.from_dict(card).with_points(MEASURED["v"], MEASURED["i"], "somewhere").measured()
    assert device.name == "tunnel"
    np.testing.assert_allclose(device.curve.numpy([0.0, 0.2, 0.4, 0.7, 1.0])[0], [0.01, 0.065, 0.12, 0.23, 0.34])
    assert device.curve.numpy(-0.2)[0] == pytest.approx(below)
    assert device.measured().sha256 == device.sha256
    assert Device.from_dict(device.to_dict()).sha256 == device.sha256


def test_a_law_has_points_too() -> None:
    device = load_device("nmos_2n7002")
    v = np.linspace(device.curve.lo_v, device.curve.hi_v, 9)
    measured = device.with_points(v, device.curve.numpy(v)[0] * 1.01, "somewhere").measured()
    np.testing.assert_allclose(measured.curve.numpy(v)[0], device.curve.numpy(v)[0] * 1.01)


def test_a_device_that_nobody_measured_says_what_to_do() -> None:
    with pytest.raises(InputError, match=r"(?s)device z21: nothing is known.*--curves DIR with z21_nodes\.csv"):
        load_device("z21").measured()


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"v": [0.0, 1.0], "i": [0.0]}, "bad value for 'points.i'"),
        ({"v": [0.0, 0.5, 1.0], "i": [0.0, 0.2]}, "3 voltages and 2 currents"),
        ({"v": [0.0, 0.6, 0.5], "i": [0.0, 0.2, 0.3]}, "points.v strictly rising"),
        ({"v": [0.0, 1.0], "i": [0.0, float("nan")]}, "bad value for 'points.i.1'"),
        ({"v": [0.0, 1.0], "i": [0.0, 333.0]}, "another device's, or in another unit"),
        ({"v": [0.0, 1.0]}, "points.i"),
    ],
)
def test_points_that_cannot_be_the_curves_are_refused(points: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=r"card\.toml") as caught:
        Device.from_dict({**CARD, "points": points}, "card.toml")
    assert message in caught.value.message
